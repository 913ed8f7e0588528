/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command show: everything about one VM, and where it has its settings from. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/record.h"
#include "cli/text.h"
#include "cli/when.h"
#include "libctl/xenmemctl.h"

static const struct field memory_fields[] = {
    {"assigned_kib", "assigned", FIELD_SIZE},
    {"target_kib", "target", FIELD_SIZE},
    {"overridden", "set by hand", FIELD_BOOLEAN},
    {"goal_kib", "goal", FIELD_SIZE},
    {"need_kib", "needs now", FIELD_SIZE},
    {"demand_kib", "demand", FIELD_SIZE},
    {"wanted_kib", "wanted", FIELD_SIZE},
    {"pressure", "pressure", FIELD_PERCENT},
    {"status", "status", FIELD_TEXT},
};
static const struct field setting_fields[] = {
    {"mode", "mode", FIELD_TEXT},
    {"minimum_kib", "minimum", FIELD_SIZE},
    {"startup_kib", "startup", FIELD_SIZE},
    {"maximum_kib", "maximum", FIELD_SIZE},
    {"buffer_percent", "buffer", FIELD_PERCENT},
    {"priority", "priority", FIELD_NUMBER},
    {"trust", "trust", FIELD_BOOLEAN},
};
static const struct field limit_fields[] = {
    {"lowest_kib", "never below", FIELD_SIZE},
    {"cap_kib", "cap", FIELD_SIZE},
    {"static_max_kib", "maxmem", FIELD_SIZE},
    {"offset_kib", "offset", FIELD_SIZE},
};
static const struct field report_fields[] = {
    {"source", "source", FIELD_TEXT},           {"fresh", "fresh", FIELD_BOOLEAN},
    {"report_age_ms", "age", FIELD_SPAN},       {"available_kib", "available", FIELD_SIZE},
    {"cache_kib", "cache", FIELD_SIZE},         {"swap_used_kib", "swap used", FIELD_SIZE},
    {"floor_kib", "floor", FIELD_SIZE},         {"psi_some", "PSI some", FIELD_HUNDREDTHS},
    {"psi_full", "PSI full", FIELD_HUNDREDTHS}, {"oom_kills", "OOM kills", FIELD_NUMBER},
};

#define PUT_GROUP(cli, heading, record, fields)                                                    \
    record_put_group(cli, heading, record, fields, sizeof(fields) / sizeof(*(fields)))

/* " until 2025-01-31 18:00:00"; nothing where there is no end. */
static void put_end(struct cli *cli, const struct xenmemctl_value *end_ms)
{
    char moment[WHEN_TEXT];
    int64_t ms;

    if (xenmemctl_integer(end_ms, &ms))
        fprintf(cli->out, " until %s", when_format(ms, moment));
}

/* "web1: frozen until …"; one that does not run can be frozen too. */
static void put_freeze(struct cli *cli, const struct xenmemctl_value *vm)
{
    const char *state = xenmemctl_text(xenmemctl_member(vm, "state"));
    const struct xenmemctl_value *end_ms = xenmemctl_member(vm, "frozen_until_ms");
    bool frozen = false;
    int64_t ms;

    xenmemctl_boolean(xenmemctl_member(vm, "frozen"), &frozen);
    if (!frozen)
        return;
    fputs(state && strcmp(state, "frozen") == 0 ? "" : ", frozen", cli->out);
    put_end(cli, end_ms);
    fputs(xenmemctl_integer(end_ms, &ms) ? "" : " until it is thawed", cli->out);
}

static void put_head(struct cli *cli, const struct xenmemctl_value *vm)
{
    static const struct field name = {"name", NULL, FIELD_TEXT};
    static const struct field state = {"state", NULL, FIELD_TEXT};
    const char *uuid = xenmemctl_text(xenmemctl_member(vm, "uuid"));
    char text[FIELD_TEXT_MAX];
    int64_t id;

    fprintf(cli->out, "%s: ", record_text(vm, &name, text));
    fputs(record_text(vm, &state, text), cli->out);
    put_freeze(cli, vm);
    if (xenmemctl_integer(xenmemctl_member(vm, "id"), &id))
        fprintf(cli->out, ", id %" PRId64, id);
    if (uuid) {
        fputs(", ", cli->out);
        text_put(cli->out, uuid);
    }
    fputs("\n\n", cli->out);
    fputs(xenmemctl_is_simulated(cli->connection) ? "This host is simulated.\n\n" : "", cli->out);
}

/* "policy night until …" */
static void put_origin(struct cli *cli, const struct xenmemctl_value *origin)
{
    const char *layer = xenmemctl_text(xenmemctl_member(origin, "layer"));
    const char *policy = xenmemctl_text(xenmemctl_member(origin, "policy"));

    if (!layer)
        return;
    text_put(cli->out, strcmp(layer, "timed") == 0 ? "set" : layer);
    if (policy) {
        fputc(' ', cli->out);
        text_put(cli->out, policy);
    }
    put_end(cli, xenmemctl_member(origin, "expires_ms"));
}

static void put_settings(struct cli *cli, const struct xenmemctl_value *vm)
{
    const struct xenmemctl_value *origins = xenmemctl_member(vm, "origins");
    char text[FIELD_TEXT_MAX];

    fputs("\nSettings\n", cli->out);
    for (size_t i = 0; i < sizeof(setting_fields) / sizeof(*setting_fields); i++) {
        const struct field *field = &setting_fields[i];

        fprintf(cli->out, "  %-14s %-12s ", field->heading, record_text(vm, field, text));
        put_origin(cli, xenmemctl_member(origins, field->name));
        fputc('\n', cli->out);
    }
}

static void put_vm(struct cli *cli, const struct xenmemctl_value *vm)
{
    const char *reason = xenmemctl_text(xenmemctl_member(vm, "reason"));
    const char *sentence = xenmemctl_text(xenmemctl_member(vm, "reason_text"));

    put_head(cli, vm);
    if (reason && sentence) {
        fputs("Why: ", cli->out);
        text_put(cli->out, sentence);
        fputs(" (", cli->out);
        text_put(cli->out, reason);
        fputs(")\n\n", cli->out);
    }
    PUT_GROUP(cli, "Memory", vm, memory_fields);
    put_settings(cli, vm);
    PUT_GROUP(cli, "\nLimits", vm, limit_fields);
    PUT_GROUP(cli, "\nWhat the guest says", vm, report_fields);
}

int run_show(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_request *request = xenmemctl_request_new("vm.get");
    struct xenmemctl_message *reply;
    const struct xenmemctl_value *vm;
    int code;

    xenmemctl_request_text(request, "name", arguments->words[0]);
    code = cli_call(cli, request, CLI_TIMEOUT_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    vm = xenmemctl_message_value(reply);
    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, vm);
    } else if (cli->format == FORMAT_CSV) {
        record_put_csv_names(cli, vm_fields, n_vm_fields);
        record_put_csv(cli, vm, vm_fields, n_vm_fields);
    } else {
        put_vm(cli, vm);
    }
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}
