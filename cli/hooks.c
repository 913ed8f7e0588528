/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command hooks: which there are, and what they do with a sample. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/record.h"
#include "libctl/xenmemctl.h"

#define TEST_MS (30 * 60 * 1000) /* several may run one after the other, each for minutes */

static const struct field hook_fields[] = {
    {"event", "EVENT", FIELD_TEXT},
    {"state", "STATE", FIELD_TEXT},
    {"path", "PATH", FIELD_TEXT},
    {"why", "WHY", FIELD_TEXT},
};
static const struct field outcome_fields[] = {
    {"path", "PATH", FIELD_TEXT},
    {"result", "RESULT", FIELD_TEXT},
    {"took_ms", "TOOK", FIELD_SPAN},
    {"output", "OUTPUT", FIELD_TEXT},
};
#define N_FIELDS(fields) (sizeof(fields) / sizeof(*(fields)))

static void put_rows(struct cli *cli, const struct xenmemctl_value *rows,
                     const struct field *fields, size_t n_fields)
{
    if (cli->format != FORMAT_CSV) {
        record_put_table(cli, rows, fields, n_fields);
        return;
    }
    record_put_csv_names(cli, fields, n_fields);
    for (size_t row = 0; row < xenmemctl_count(rows); row++)
        record_put_csv(cli, xenmemctl_at(rows, row), fields, n_fields);
}

static int list(struct cli *cli)
{
    struct xenmemctl_message *reply;
    const struct xenmemctl_value *result;
    int64_t dropped = 0;
    int code = cli_call(cli, xenmemctl_request_new("hooks.list"), CLI_TIMEOUT_MS, &reply);

    if (code != EXIT_DONE)
        return code;
    result = xenmemctl_message_value(reply);
    if (cli->format == FORMAT_JSON)
        record_put_json(cli, result);
    else
        put_rows(cli, xenmemctl_member(result, "hooks"), hook_fields, N_FIELDS(hook_fields));
    xenmemctl_integer(xenmemctl_member(result, "dropped"), &dropped);
    if (cli->format == FORMAT_TABLE && dropped > 0)
        fprintf(cli->out, "%" PRId64 " events found no place in the queue since xenmemd started\n",
                dropped);
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

static bool all_ok(const struct xenmemctl_value *outcomes)
{
    for (size_t i = 0; i < xenmemctl_count(outcomes); i++) {
        bool ok = false;

        xenmemctl_boolean(xenmemctl_member(xenmemctl_at(outcomes, i), "ok"), &ok);
        if (!ok)
            return false;
    }
    return true;
}

static int test(struct cli *cli, const char *event)
{
    struct xenmemctl_request *request = xenmemctl_request_new("hooks.test");
    struct xenmemctl_message *reply;
    const struct xenmemctl_value *outcomes;
    int code;

    xenmemctl_request_text(request, "event", event);
    code = cli_call(cli, request, TEST_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    outcomes = xenmemctl_message_value(reply);
    if (cli->format == FORMAT_JSON)
        record_put_json(cli, outcomes);
    else
        put_rows(cli, outcomes, outcome_fields, N_FIELDS(outcome_fields));
    if (xenmemctl_count(outcomes) == 0)
        code = cli_complain(cli, EXIT_NOT_FOUND, "there is no hook for %s", event);
    else if (!all_ok(outcomes))
        code = cli_complain(cli, EXIT_FAILED, "not every hook of %s ended well", event);
    xenmemctl_message_free(reply);
    return code;
}

int run_hooks(struct cli *cli, const struct arguments *arguments)
{
    const char *verb = arguments->words[0];

    if (strcmp(verb, "list") == 0 && arguments->n_words == 1)
        return list(cli);
    if (strcmp(verb, "test") == 0 && arguments->n_words == 2)
        return test(cli, arguments->words[1]);
    return cli_complain(cli, EXIT_USAGE, "it is 'hooks list' or 'hooks test EVENT'");
}
