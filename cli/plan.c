/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that say why: explain, and plan. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"
#include "cli/assign.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/record.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

/* "3. web1: Its target … [grow-demand]" */
static void put_step(struct cli *cli, const struct xenmemctl_value *step, bool is_of_many)
{
    const char *vm = xenmemctl_text(xenmemctl_member(step, "vm"));
    const char *text = xenmemctl_text(xenmemctl_member(step, "text"));
    const char *code = xenmemctl_text(xenmemctl_member(step, "code"));
    int64_t number = 0;

    xenmemctl_integer(xenmemctl_member(step, "step"), &number);
    fprintf(cli->out, "%2" PRId64 ". ", number);
    if (is_of_many && vm) {
        text_put(cli->out, vm);
        fputs(": ", cli->out);
    }
    text_put(cli->out, text ? text : "");
    fputs(" [", cli->out);
    text_put(cli->out, code ? code : "");
    fputs("]\n", cli->out);
}

static void put_steps(struct cli *cli, const struct xenmemctl_value *result, bool is_of_many)
{
    static const struct field fields[] = {
        {"step", NULL, FIELD_NUMBER},
        {"vm", NULL, FIELD_TEXT},
        {"code", NULL, FIELD_TEXT},
        {"text", NULL, FIELD_TEXT},
    };
    const size_t n_fields = sizeof(fields) / sizeof(*fields);
    const struct xenmemctl_value *steps = xenmemctl_member(result, "steps");

    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, result);
        return;
    }
    if (cli->format == FORMAT_CSV)
        record_put_csv_names(cli, fields, n_fields);
    for (size_t i = 0; i < xenmemctl_count(steps); i++) {
        if (cli->format == FORMAT_CSV)
            record_put_csv(cli, xenmemctl_at(steps, i), fields, n_fields);
        else
            put_step(cli, xenmemctl_at(steps, i), is_of_many);
    }
}

/* The answer, printed too. EXIT_DONE and *out, which the caller frees; or it complained. */
static int call_and_put(struct cli *cli, struct xenmemctl_request *request, bool is_of_many,
                        struct xenmemctl_message **out)
{
    int code = cli_call(cli, request, CLI_TIMEOUT_MS, out);

    if (code == EXIT_DONE)
        put_steps(cli, xenmemctl_message_value(*out), is_of_many);
    return code;
}

int run_explain(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_request *request = xenmemctl_request_new("vm.explain");
    struct xenmemctl_message *reply;
    int code;

    xenmemctl_request_text(request, "name", arguments->words[0]);
    code = call_and_put(cli, request, false, &reply);
    if (code == EXIT_DONE)
        xenmemctl_message_free(reply);
    return code;
}

static int check_plan(struct cli *cli, const struct arguments *arguments)
{
    const char *start = arguments->options[OPTION_START];
    const char *priority = arguments->options[OPTION_PRIORITY];
    bool has_vm = arguments->options[OPTION_SET] != NULL;
    int64_t number;
    struct kib size;
    struct err err;

    if (has_vm != (arguments->n_words > 0))
        return cli_complain(cli, EXIT_USAGE,
                            has_vm ? "--set needs KEY=VALUE behind the VM, such as minimum=512m"
                                   : "plan takes no words without --set VM");
    if (priority && !start)
        return cli_complain(cli, EXIT_USAGE, "--priority is that of --start SIZE");
    if (start && kib_parse(start, &size, &err))
        return cli_complain(cli, EXIT_USAGE, "--start: %s", err.text);
    if (priority && integer_parse(priority, 0, 100, &number, &err))
        return cli_complain(cli, EXIT_USAGE, "--priority: %s", err.text);
    return assign_check(cli, arguments->words, arguments->n_words);
}

/* A start that has no room ends as it would if it were tried. */
static int judge_start(struct cli *cli, const struct arguments *arguments,
                       const struct xenmemctl_value *result)
{
    bool is_feasible;

    if (!xenmemctl_boolean(xenmemctl_member(result, "feasible"), &is_feasible) || is_feasible)
        return EXIT_DONE;
    return cli_complain(cli, EXIT_NO_MEMORY,
                        "a start of %s has no room: the plan says what is missing, and who holds "
                        "how much",
                        arguments->options[OPTION_START]);
}

int run_plan(struct cli *cli, const struct arguments *arguments)
{
    const char *priority = arguments->options[OPTION_PRIORITY];
    struct xenmemctl_request *request;
    struct xenmemctl_message *reply;
    int code = check_plan(cli, arguments);
    int64_t number;

    if (code != EXIT_DONE)
        return code;
    request = xenmemctl_request_new("plan.get");
    if (arguments->options[OPTION_SET]) {
        xenmemctl_request_text(request, "name", arguments->options[OPTION_SET]);
        assign_put(request, arguments->words, arguments->n_words);
    }
    if (arguments->options[OPTION_START])
        xenmemctl_request_text(request, "start", arguments->options[OPTION_START]);
    if (priority && integer_parse(priority, 0, 100, &number, NULL) == 0)
        xenmemctl_request_integer(request, "priority", number);
    code = call_and_put(cli, request, true, &reply);
    if (code != EXIT_DONE)
        return code;
    cli_put_warnings(cli, xenmemctl_member(xenmemctl_message_value(reply), "warnings"));
    code = judge_start(cli, arguments, xenmemctl_message_value(reply));
    xenmemctl_message_free(reply);
    return code;
}
