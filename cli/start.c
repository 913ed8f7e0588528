/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start: reserve, build with xl, hand over. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/xl_config.h"
#include "libctl/xenmemctl.h"

#define SQUEEZE_MS 70000
#define XL_WORDS   16 /* of the command itself */

/* The words of XENMEM_XL ("xl" if it is not set), "create", the file, and what was given. */
static char **make_command(const struct arguments *arguments, char **text)
{
    const char *xl = getenv("XENMEM_XL");
    char **command = calloc(XL_WORDS + arguments->n_words + 3, sizeof(*command));
    size_t n = 0;

    invariant(command);
    *text = strdup(xl && xl[0] != '\0' ? xl : "xl");
    invariant(*text);
    for (char *word = strtok(*text, " "); word && n < XL_WORDS; word = strtok(NULL, " "))
        command[n++] = word;
    command[n++] = (char *)"create";
    for (size_t i = 0; i < arguments->n_words; i++)
        command[n++] = (char *)arguments->words[i];
    return command;
}

/* Runs xl, whose output goes where ours does. */
static int run_xl(struct cli *cli, const struct arguments *arguments)
{
    char *text, **command = make_command(arguments, &text);
    int status = 0, problem = 0;
    pid_t child;

    fflush(cli->out);
    child = fork();
    if (child == 0) {
        execvp(command[0], command);
        _exit(errno == ENOENT ? 127 : 126);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        problem = cli_complain(cli, EXIT_FAILED, "cannot run %s: %s", command[0], strerror(errno));
    else if (WIFSIGNALED(status))
        problem = cli_complain(cli, EXIT_FAILED, "%s was killed by signal %d", command[0],
                               WTERMSIG(status));
    else if (WEXITSTATUS(status) == 127)
        problem = cli_complain(cli, EXIT_FAILED, "there is no program %s: is XENMEM_XL right?",
                               command[0]);
    else if (WEXITSTATUS(status) != 0)
        problem = cli_complain(cli, EXIT_FAILED, "%s create failed with exit code %d", command[0],
                               WEXITSTATUS(status));
    free(command);
    free(text);
    return problem;
}

static int reserve(struct cli *cli, const struct xl_config *config,
                   const struct arguments *arguments, int64_t *id)
{
    struct xenmemctl_request *request = xenmemctl_request_new("reservation.create");
    struct xenmemctl_message *reply;
    const char *wait = arguments->options[OPTION_WAIT];
    const char *priority = arguments->options[OPTION_PRIORITY];
    char size[UNITS_TEXT];
    int64_t wait_ms = 0, number = 50;
    struct err err;
    int code;

    if ((wait && duration_parse(wait, &wait_ms, &err)) ||
        (priority && integer_parse(priority, 0, 100, &number, &err))) {
        xenmemctl_request_free(request);
        return cli_complain(cli, EXIT_USAGE, "%s", err.text);
    }
    xenmemctl_request_text(request, "size", kib_format_exact(xl_config_needs(config), size));
    xenmemctl_request_text(request, "for", config->name);
    xenmemctl_request_text(request, "ttl", "10m");
    xenmemctl_request_integer(request, "priority", number);
    if (wait)
        xenmemctl_request_text(request, "wait", wait);
    code = cli_call(cli, request, wait_ms > 3600000 ? -1 : (int)wait_ms + SQUEEZE_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    xenmemctl_integer(xenmemctl_member(xenmemctl_message_value(reply), "id"), id);
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* The daemon itself ends it when the domain runs: then there is none any more. */
static void release(struct cli *cli, int64_t id)
{
    struct xenmemctl_request *request = xenmemctl_request_new("reservation.release");
    struct xenmemctl_message *reply;
    struct xenmemctl_error error;

    xenmemctl_request_integer(request, "id", id);
    if (cli_try(cli, request, CLI_TIMEOUT_MS, &reply, &error) == EXIT_DONE)
        xenmemctl_message_free(reply);
}

int run_start(struct cli *cli, const struct arguments *arguments)
{
    struct xl_config config;
    struct err err;
    int64_t id = 0;
    int code;

    if (xl_config_read(arguments->words[0], &config, &err))
        return cli_complain(cli, EXIT_USAGE, "%s", err.text);
    code = reserve(cli, &config, arguments, &id);
    if (code != EXIT_DONE)
        return code;
    code = run_xl(cli, arguments);
    release(cli, id);
    return code;
}
