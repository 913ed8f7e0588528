/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/when.h"
#include "libctl/xenmemctl.h"

const struct field vm_fields[] = {
    {"name", "NAME", FIELD_TEXT},         {"id", "ID", FIELD_NUMBER},
    {"state", "STATE", FIELD_TEXT},       {"assigned_kib", "ASSIGNED", FIELD_SIZE},
    {"demand_kib", "DEMAND", FIELD_SIZE}, {"pressure", "PRESS", FIELD_PERCENT},
    {"status", "STATUS", FIELD_TEXT},     {"target_kib", "TARGET", FIELD_SIZE},
    {"minimum_kib", "MIN", FIELD_SIZE},   {"startup_kib", "STARTUP", FIELD_SIZE},
    {"maximum_kib", "MAX", FIELD_SIZE},   {"buffer_percent", NULL, FIELD_PERCENT},
    {"priority", "PRIO", FIELD_NUMBER},   {"mode", NULL, FIELD_TEXT},
    {"trust", NULL, FIELD_BOOLEAN},       {"overridden", NULL, FIELD_BOOLEAN},
    {"reason", NULL, FIELD_TEXT},         {"uuid", NULL, FIELD_TEXT},
    {"reason_text", NULL, FIELD_TEXT},    {"need_kib", NULL, FIELD_SIZE},
    {"wanted_kib", NULL, FIELD_SIZE},     {"goal_kib", NULL, FIELD_SIZE},
    {"lowest_kib", NULL, FIELD_SIZE},     {"cap_kib", NULL, FIELD_SIZE},
    {"static_max_kib", NULL, FIELD_SIZE}, {"offset_kib", NULL, FIELD_SIZE},
    {"source", NULL, FIELD_TEXT},         {"fresh", NULL, FIELD_BOOLEAN},
    {"report_age_ms", NULL, FIELD_SPAN},  {"available_kib", NULL, FIELD_SIZE},
    {"swap_used_kib", NULL, FIELD_SIZE},  {"cache_kib", NULL, FIELD_SIZE},
    {"floor_kib", NULL, FIELD_SIZE},      {"psi_some", NULL, FIELD_HUNDREDTHS},
    {"psi_full", NULL, FIELD_HUNDREDTHS}, {"oom_kills", NULL, FIELD_NUMBER},
    {"frozen", NULL, FIELD_BOOLEAN},      {"frozen_until_ms", NULL, FIELD_MOMENT},
};
const size_t n_vm_list_fields = 17;
const size_t n_vm_fields = sizeof(vm_fields) / sizeof(*vm_fields);

/* Seconds are fine enough for people, and years for a report's age. */
static void format_span(int64_t ms, char *buf)
{
    if (ms < 10000)
        snprintf(buf, FIELD_TEXT_MAX, "%.1f s", (double)ms / 1000);
    else if (ms < 600000)
        snprintf(buf, FIELD_TEXT_MAX, "%" PRId64 " s", ms / 1000);
    else
        snprintf(buf, FIELD_TEXT_MAX, "%" PRId64 " min", ms / 60000);
}

static void format_number(int64_t number, enum field_type type, char *buf)
{
    char text[UNITS_TEXT];

    switch (type) {
    case FIELD_SIZE:
        snprintf(buf, FIELD_TEXT_MAX, "%s", kib_format(kib(number), text));
        break;
    case FIELD_PERCENT:
        snprintf(buf, FIELD_TEXT_MAX, "%" PRId64 "%%", number);
        break;
    case FIELD_HUNDREDTHS:
        snprintf(buf, FIELD_TEXT_MAX, "%.2f%%", (double)number / 100);
        break;
    case FIELD_SPAN:
        format_span(number, buf);
        break;
    case FIELD_MOMENT:
        when_format(number, buf);
        break;
    case FIELD_NUMBER:
    case FIELD_TEXT:
    case FIELD_BOOLEAN:
        snprintf(buf, FIELD_TEXT_MAX, "%" PRId64, number);
        break;
    }
}

const char *record_text(const struct xenmemctl_value *record, const struct field *field, char *buf)
{
    const struct xenmemctl_value *value = xenmemctl_member(record, field->name);
    const char *text = xenmemctl_text(value);
    int64_t number;
    bool truth;

    if (text)
        return text_clean(text, buf, FIELD_TEXT_MAX);
    if (xenmemctl_integer(value, &number))
        format_number(number, field->type, buf);
    else if (xenmemctl_boolean(value, &truth))
        strcpy(buf, truth ? "yes" : "no");
    else
        strcpy(buf, "-");
    return buf;
}

void record_put_json(struct cli *cli, const struct xenmemctl_value *value)
{
    char *text = xenmemctl_print(value, XENMEMCTL_INDENTED);

    if (text)
        text_put_json(cli->out, text);
    fputc('\n', cli->out);
    free(text);
}

void record_put_csv_names(struct cli *cli, const struct field *fields, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++)
        fprintf(cli->out, "%s%s", i > 0 ? "," : "", fields[i].name);
    fputc('\n', cli->out);
}

static void put_csv_value(struct cli *cli, const struct xenmemctl_value *value)
{
    const char *text = xenmemctl_text(value);
    int64_t number;
    bool truth;

    if (text)
        text_put_csv(cli->out, text);
    else if (xenmemctl_integer(value, &number))
        fprintf(cli->out, "%" PRId64, number);
    else if (xenmemctl_boolean(value, &truth))
        fputs(truth ? "true" : "false", cli->out);
}

void record_put_csv(struct cli *cli, const struct xenmemctl_value *record,
                    const struct field *fields, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++) {
        fputs(i > 0 ? "," : "", cli->out);
        put_csv_value(cli, xenmemctl_member(record, fields[i].name));
    }
    fputc('\n', cli->out);
}

void record_put_table(struct cli *cli, const struct xenmemctl_value *records,
                      const struct field *fields, size_t n_fields)
{
    struct column columns[8];
    struct table *table;
    char text[FIELD_TEXT_MAX];

    invariant(n_fields <= 8);
    for (size_t i = 0; i < n_fields; i++)
        columns[i] = (struct column){fields[i].heading, fields[i].type != FIELD_TEXT};
    table = table_new(columns, n_fields);
    for (size_t row = 0; row < xenmemctl_count(records); row++)
        for (size_t i = 0; i < n_fields; i++)
            table_add(table, record_text(xenmemctl_at(records, row), &fields[i], text));
    table_print(table, cli->width, cli->out);
    table_free(table);
}

void record_put_group(struct cli *cli, const char *heading, const struct xenmemctl_value *record,
                      const struct field *fields, size_t n_fields)
{
    char text[FIELD_TEXT_MAX];

    fprintf(cli->out, "%s\n", heading);
    for (size_t i = 0; i < n_fields; i++)
        fprintf(cli->out, "  %-14s %s\n", fields[i].heading, record_text(record, &fields[i], text));
}
