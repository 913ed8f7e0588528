/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freeze and thaw: leave a VM alone for a migration or other work. */
#include <stdio.h>

#include "base/err.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/commands.h"

/* How long xenmemd waits for a balloon to come to rest, and a little. */
#define REST_MS 70000

int run_freeze(struct cli *cli, const struct arguments *arguments)
{
    const char *text = arguments->options[OPTION_FOR];
    int64_t span;
    struct err err;

    if (text && duration_parse(text, &span, &err))
        return cli_complain(cli, EXIT_USAGE, "--for: %s", err.text);
    return cli_call_about(cli, arguments, "vm.freeze", REST_MS,
                          ": frozen, its balloon is at rest\n");
}

int run_thaw(struct cli *cli, const struct arguments *arguments)
{
    return cli_call_about(cli, arguments, "vm.thaw", REST_MS, ": thawed\n");
}
