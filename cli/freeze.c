/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freeze and thaw: leave a VM alone for a migration or other work. */
#include <stdio.h>

#include "base/err.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/record.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

/* How long xenmemd waits for a balloon to come to rest, and a little. */
#define REST_MS 70000

static int call_about(struct cli *cli, const struct arguments *arguments, const char *method,
                      const char *outcome)
{
    struct xenmemctl_request *request = xenmemctl_request_new(method);
    struct xenmemctl_message *reply;
    int code;

    xenmemctl_request_text(request, "name", arguments->words[0]);
    if (arguments->options[OPTION_FOR])
        xenmemctl_request_text(request, "for", arguments->options[OPTION_FOR]);
    code = cli_call(cli, request, REST_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, xenmemctl_message_value(reply));
    } else if (cli->format == FORMAT_TABLE) {
        text_put(cli->out, arguments->words[0]);
        fputs(outcome, cli->out);
    }
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

int run_freeze(struct cli *cli, const struct arguments *arguments)
{
    const char *text = arguments->options[OPTION_FOR];
    int64_t span;
    struct err err;

    if (text && duration_parse(text, &span, &err))
        return cli_complain(cli, EXIT_USAGE, "--for: %s", err.text);
    return call_about(cli, arguments, "vm.freeze", ": frozen, its balloon is at rest\n");
}

int run_thaw(struct cli *cli, const struct arguments *arguments)
{
    return call_about(cli, arguments, "vm.thaw", ": thawed\n");
}
