/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command metrics: OpenMetrics text, as xenmemd has it. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "libctl/xenmemctl.h"

/* Its lines end where they end; whatever else a terminal would obey is taken out. */
static void put_lines(FILE *to, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 && *text != '\n' ? '?' : *text, to);
}

int run_metrics(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_message *message;
    const char *text;
    int code = EXIT_DONE;

    (void)arguments;
    if (cli->format != FORMAT_TABLE)
        return cli_complain(cli, EXIT_USAGE, "metrics has one format, OpenMetrics: no --format");
    code = cli_call(cli, xenmemctl_request_new("metrics"), CLI_TIMEOUT_MS, &message);
    if (code != EXIT_DONE)
        return code;
    text = xenmemctl_text(xenmemctl_message_value(message));
    if (text)
        put_lines(cli->out, text);
    else
        code = cli_complain(cli, EXIT_FAILED, "xenmemd answered something else than a text");
    xenmemctl_message_free(message);
    return code;
}
