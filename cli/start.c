/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start: reserve, build or restore with xl, hand over. */
#include <errno.h>
#include <inttypes.h>
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
#include "cli/reserve.h"
#include "cli/xl_config.h"
#include "libctl/xenmemctl.h"

#define XL_WORDS  16    /* of the command itself */
#define START_TTL "10m" /* should this program die while xl builds */

/* What the daemon says about a build. */
struct plan {
    int64_t memory_mib, maxmem_mib; /* for xl */
    struct kib needs;               /* all that the host gives for it */
};

static const char *verb_of(const struct xl_config *config)
{
    return config->is_saved ? "restore" : "create";
}

/* What xl is run with: its own words, and what they point into. */
struct xl_command {
    char **words;
    char *xl;
    char memory[32], maxmem[32];
};

/* The words of XENMEM_XL ("xl" if it is not set), "create" or "restore", the file, and what was
 * given; what settings say instead of the file goes last, so that it holds. */
static void make_command(const struct arguments *arguments, const struct xl_config *config,
                         const struct plan *plan, struct xl_command *out)
{
    const char *xl = getenv("XENMEM_XL");
    size_t n = 0;

    out->words = calloc(XL_WORDS + arguments->n_words + 4, sizeof(*out->words));
    invariant(out->words);
    out->xl = strdup(xl && xl[0] != '\0' ? xl : "xl");
    invariant(out->xl);
    for (char *word = strtok(out->xl, " "); word && n < XL_WORDS; word = strtok(NULL, " "))
        out->words[n++] = word;
    out->words[n++] = (char *)verb_of(config);
    for (size_t i = 0; i < arguments->n_words; i++)
        out->words[n++] = (char *)arguments->words[i];
    if (plan->memory_mib == config->memory_mib && plan->maxmem_mib == config->maxmem_mib)
        return;
    snprintf(out->memory, sizeof(out->memory), "memory=%" PRId64, plan->memory_mib);
    snprintf(out->maxmem, sizeof(out->maxmem), "maxmem=%" PRId64, plan->maxmem_mib);
    out->words[n++] = out->memory;
    out->words[n++] = out->maxmem;
}

/* Runs xl, whose output goes where ours does. */
static int run_xl(struct cli *cli, const struct arguments *arguments,
                  const struct xl_config *config, const struct plan *plan)
{
    int status = 0, problem = 0;
    struct xl_command made;
    char **command;
    pid_t child;

    make_command(arguments, config, plan, &made);
    command = made.words;
    fflush(cli->out);
    child = fork();
    if (child == 0) {
        /* What is ignored here would be ignored in all that xl runs. */
        signal(SIGPIPE, SIG_DFL);
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
        problem = cli_complain(cli, EXIT_FAILED, "%s %s failed with exit code %d", command[0],
                               verb_of(config), WEXITSTATUS(status));
    free(made.words);
    free(made.xl);
    return problem;
}

static void put_config(struct xenmemctl_request *request, const struct xl_config *config)
{
    xenmemctl_request_text(request, "name", config->name);
    xenmemctl_request_text(request, "type", config->type);
    xenmemctl_request_integer(request, "memory_kib", config->memory_mib * 1024);
    xenmemctl_request_integer(request, "maxmem_kib", config->maxmem_mib * 1024);
    xenmemctl_request_integer(request, "vcpus", config->vcpus);
    if (config->videoram_mib >= 0)
        xenmemctl_request_integer(request, "video_kib", config->videoram_mib * 1024);
    if (config->shadow_mib >= 0)
        xenmemctl_request_integer(request, "shadow_kib", config->shadow_mib * 1024);
    xenmemctl_request_boolean(request, "stub", config->has_stub);
    xenmemctl_request_boolean(request, "passthrough", config->passthrough);
    xenmemctl_request_boolean(request, "restored", config->is_saved);
}

/* What xl shall build it with, by file and settings, and all that it will take for that. */
static int plan_build(struct cli *cli, const struct xl_config *config, struct plan *out)
{
    struct xenmemctl_request *request = xenmemctl_request_new("vm.build");
    const struct xenmemctl_value *value;
    struct xenmemctl_message *reply;
    int64_t memory = 0, maxmem = 0, needs = 0;
    int code;

    put_config(request, config);
    code = cli_call(cli, request, CLI_TIMEOUT_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    value = xenmemctl_message_value(reply);
    if (!xenmemctl_integer(xenmemctl_member(value, "startup_kib"), &memory) ||
        !xenmemctl_integer(xenmemctl_member(value, "maximum_kib"), &maxmem) ||
        !xenmemctl_integer(xenmemctl_member(value, "needs_kib"), &needs))
        code = cli_complain(cli, EXIT_FAILED,
                            "xenmemd does not say what %s needs: is it of an older version?",
                            config->name);
    xenmemctl_message_free(reply);
    *out = (struct plan){memory / 1024, maxmem / 1024, kib(needs)};
    return code;
}

static int reserve(struct cli *cli, const char *name, struct kib needs,
                   const struct arguments *arguments, int64_t *id)
{
    struct xenmemctl_message *reply;
    char size[UNITS_TEXT];
    int code =
        reserve_memory(cli, arguments, kib_format_exact(needs, size), name, START_TTL, &reply);

    if (code != EXIT_DONE)
        return code;
    xenmemctl_integer(xenmemctl_member(xenmemctl_message_value(reply), "id"), id);
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

int run_start(struct cli *cli, const struct arguments *arguments)
{
    struct xl_config config;
    struct plan plan;
    struct err err;
    int64_t id = 0;
    int code;

    if (xl_config_read(arguments->words[0], arguments->words + 1, arguments->n_words - 1, &config,
                       &err))
        return cli_complain(cli, EXIT_USAGE, "%s", err.text);
    code = plan_build(cli, &config, &plan);
    if (code == EXIT_DONE)
        code = reserve(cli, config.name, plan.needs, arguments, &id);
    if (code != EXIT_DONE)
        return code;
    code = run_xl(cli, arguments, &config, &plan);
    reserve_release(cli, id); /* the daemon itself ended it if the domain runs */
    return code;
}
