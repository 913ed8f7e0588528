/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that change something: set, forget, balance. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/units.h"
#include "cli/assign.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/record.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

#define BALANCE_MS INT64_C(60000)

/* --- set ------------------------------------------------------------------------------------- */

/* What can be seen to be wrong without asking xenmemd. */
static int check_set(struct cli *cli, const struct arguments *arguments)
{
    const char *span = arguments->options[OPTION_FOR];
    int code = assign_check(cli, arguments->words + 1, arguments->n_words - 1);
    struct err err;
    int64_t ms;

    if (code == EXIT_DONE && span && duration_parse(span, &ms, &err))
        return cli_complain(cli, EXIT_USAGE, "--for: %s", err.text);
    return code;
}

static struct xenmemctl_request *make_set(const struct arguments *arguments)
{
    struct xenmemctl_request *request = xenmemctl_request_new("vm.set");

    xenmemctl_request_text(request, "name", arguments->words[0]);
    assign_put(request, arguments->words + 1, arguments->n_words - 1);
    if (arguments->options[OPTION_FOR])
        xenmemctl_request_text(request, "for", arguments->options[OPTION_FOR]);
    xenmemctl_request_boolean(request, "dry_run", arguments->options[OPTION_DRY_RUN] != NULL);
    xenmemctl_request_boolean(request, "force", arguments->options[OPTION_FORCE] != NULL);
    return request;
}

/* "web1 has mode dynamic, minimum 512 MiB, …" */
static void put_settings(struct cli *cli, const struct xenmemctl_value *vm,
                         const struct arguments *arguments)
{
    static const struct field fields[] = {
        {"mode", "mode", FIELD_TEXT},
        {"minimum_kib", "minimum", FIELD_SIZE},
        {"startup_kib", "startup", FIELD_SIZE},
        {"maximum_kib", "maximum", FIELD_SIZE},
        {"buffer_percent", "buffer", FIELD_PERCENT},
        {"priority", "priority", FIELD_NUMBER},
        {"trust", "trust", FIELD_BOOLEAN},
    };
    bool dry = arguments->options[OPTION_DRY_RUN] != NULL;
    const char *span = arguments->options[OPTION_FOR];
    char text[FIELD_TEXT_MAX];

    text_put(cli->out, arguments->words[0]);
    fputs(dry ? " would have " : " has ", cli->out);
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        fprintf(cli->out, "%s%s %s", i > 0 ? ", " : "", fields[i].heading,
                record_text(vm, &fields[i], text));
    if (span)
        fprintf(cli->out, "; for %s", span);
    fputs(dry ? "; nothing was changed\n" : "\n", cli->out);
}

int run_set(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_message *reply;
    const struct xenmemctl_value *result, *vm;
    int code = check_set(cli, arguments);

    if (code == EXIT_DONE)
        code = cli_call(cli, make_set(arguments), CLI_TIMEOUT_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    result = xenmemctl_message_value(reply);
    vm = xenmemctl_member(result, "vm");
    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, result);
    } else if (cli->format == FORMAT_CSV) {
        record_put_csv_names(cli, vm_fields, n_vm_fields);
        record_put_csv(cli, vm, vm_fields, n_vm_fields);
    } else {
        put_settings(cli, vm, arguments);
    }
    cli_put_warnings(cli, xenmemctl_member(result, "warnings"));
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* --- forget ---------------------------------------------------------------------------------- */

int run_forget(struct cli *cli, const struct arguments *arguments)
{
    return cli_call_about(cli, arguments, "vm.forget", CLI_TIMEOUT_MS,
                          ": its settings are dropped\n");
}

/* --- balance --------------------------------------------------------------------------------- */

static const struct field balance_fields[] = {
    {"settled", NULL, FIELD_BOOLEAN},
    {"actions", NULL, FIELD_NUMBER},
    {"overrides_cleared", NULL, FIELD_NUMBER},
};
#define N_BALANCE_FIELDS (sizeof(balance_fields) / sizeof(*balance_fields))

static void put_balance(struct cli *cli, const struct xenmemctl_value *result)
{
    char actions[FIELD_TEXT_MAX], cleared[FIELD_TEXT_MAX];

    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, result);
    } else if (cli->format == FORMAT_CSV) {
        record_put_csv_names(cli, balance_fields, N_BALANCE_FIELDS);
        record_put_csv(cli, result, balance_fields, N_BALANCE_FIELDS);
    } else {
        fprintf(cli->out, "settled after %s actions; overrides taken back: %s\n",
                record_text(result, &balance_fields[1], actions),
                record_text(result, &balance_fields[2], cleared));
    }
}

static int explain_unsettled(struct cli *cli, int64_t limit_ms)
{
    char limit[UNITS_TEXT];

    return cli_complain(cli, EXIT_TIMEOUT,
                        "not settled within %s; xenmemd goes on, 'xenmemctl list' shows how far "
                        "it is",
                        duration_format(limit_ms, limit));
}

/* An override that stays is not what was asked for. */
static int explain_kept(struct cli *cli, const struct xenmemctl_value *kept)
{
    size_t count = xenmemctl_count(kept);
    const char *name = xenmemctl_text(xenmemctl_member(xenmemctl_at(kept, 0), "name"));
    const char *why = xenmemctl_text(xenmemctl_member(xenmemctl_at(kept, 0), "why"));

    if (count == 0 || !name || !why)
        return EXIT_DONE;
    return cli_complain(cli, EXIT_FAILED, "%s keeps the target that was set by hand: %s%s", name,
                        why, count > 1 ? "; others too: 'xenmemctl events' tells them" : "");
}

static int balance(struct cli *cli, const struct arguments *arguments, int64_t limit_ms)
{
    struct xenmemctl_request *request = xenmemctl_request_new("balance");
    struct xenmemctl_message *reply;
    struct xenmemctl_error error;
    bool settled = false;
    int code;

    xenmemctl_request_boolean(request, "clear_overrides",
                              arguments->options[OPTION_CLEAR_OVERRIDES] != NULL);
    code = cli_try(cli, request, (int)limit_ms, &reply, &error);
    if (error.code == XENMEMCTL_TIMEOUT)
        return explain_unsettled(cli, limit_ms);
    if (error.code != XENMEMCTL_OK)
        return cli_complain_error(cli, &error);
    if (code != EXIT_DONE)
        return code;
    xenmemctl_boolean(xenmemctl_member(xenmemctl_message_value(reply), "settled"), &settled);
    if (settled) {
        put_balance(cli, xenmemctl_message_value(reply));
        code =
            explain_kept(cli, xenmemctl_member(xenmemctl_message_value(reply), "overrides_kept"));
    }
    xenmemctl_message_free(reply);
    return settled ? code : explain_unsettled(cli, limit_ms);
}

int run_balance(struct cli *cli, const struct arguments *arguments)
{
    const char *text = arguments->options[OPTION_TIMEOUT];
    int64_t limit_ms = BALANCE_MS;
    struct err err;

    if (text && duration_parse(text, &limit_ms, &err))
        return cli_complain(cli, EXIT_USAGE, "--timeout: %s", err.text);
    if (limit_ms > BALANCE_MS)
        return cli_complain(cli, EXIT_USAGE, "--timeout: xenmemd itself waits for 60s at most");
    return balance(cli, arguments, limit_ms);
}
