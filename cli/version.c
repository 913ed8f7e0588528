/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command version: of this program, and of the daemon if it is there. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

static void put_json(struct cli *cli, const char *server, bool simulated)
{
    fprintf(cli->out, "{\n  \"client\": \"xenmemctl %s\",\n  \"server\": ", PACKAGE_VERSION);
    if (server)
        text_put_json_string(cli->out, server);
    else
        fputs("null", cli->out);
    fprintf(cli->out, ",\n  \"protocol\": %d,\n  \"simulated\": %s\n}\n",
            XENMEMCTL_PROTOCOL_VERSION,
            !server     ? "null"
            : simulated ? "true"
                        : "false");
}

static void put_csv(struct cli *cli, const char *server, bool simulated)
{
    fputs("client,server,protocol,simulated\nxenmemctl " PACKAGE_VERSION ",", cli->out);
    text_put_csv(cli->out, server ? server : "");
    fprintf(cli->out, ",%d,%s\n", XENMEMCTL_PROTOCOL_VERSION,
            !server     ? ""
            : simulated ? "true"
                        : "false");
}

/* A daemon that is not there is said, but is no failure: the question was answered. */
int run_version(struct cli *cli, const struct arguments *arguments)
{
    const char *server = NULL;
    bool simulated = false;

    (void)arguments;
    if (cli_connect(cli) == EXIT_DONE) {
        server = xenmemctl_server(cli->connection);
        simulated = xenmemctl_is_simulated(cli->connection);
    }
    if (cli->format == FORMAT_JSON) {
        put_json(cli, server, simulated);
    } else if (cli->format == FORMAT_CSV) {
        put_csv(cli, server, simulated);
    } else {
        fputs("xenmemctl " PACKAGE_VERSION "\n", cli->out);
        if (server) {
            text_put(cli->out, server);
            fputs(simulated ? ", on a simulated host\n" : "\n", cli->out);
        }
    }
    return EXIT_DONE;
}
