/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/foresight.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/record.h"
#include "cli/table.h"
#include "libctl/xenmemctl.h"

static const struct field change_fields[] = {
    {"vm", "VM", FIELD_TEXT},
    {"setting", "SETTING", FIELD_TEXT},
    {"from", "FROM", FIELD_TEXT},
    {"to", "TO", FIELD_TEXT},
};
static const struct field target_fields[] = {
    {"vm", "VM", FIELD_TEXT},
    {"from_kib", "TARGET", FIELD_SIZE},
    {"to_kib", "WOULD BE", FIELD_SIZE},
};

#define N_FIELDS(fields) (sizeof(fields) / sizeof(*(fields)))

/* The end of a setting's name says what its number is. */
static enum field_type type_of(const char *setting)
{
    static const struct {
        const char *end;
        enum field_type type;
    } ends[] = {{"_kib", FIELD_SIZE}, {"_ms", FIELD_SPAN}, {"_percent", FIELD_PERCENT}};
    size_t length = strlen(setting);

    for (size_t i = 0; i < N_FIELDS(ends); i++)
        if (length > strlen(ends[i].end) &&
            strcmp(setting + length - strlen(ends[i].end), ends[i].end) == 0)
            return ends[i].type;
    return FIELD_NUMBER;
}

static void put_changes(struct cli *cli, const struct xenmemctl_value *changes)
{
    static const struct column columns[] = {
        {"VM", false}, {"SETTING", false}, {"FROM", true}, {"TO", true}};
    struct table *table = table_new(columns, N_FIELDS(columns));
    char text[FIELD_TEXT_MAX];

    for (size_t row = 0; row < xenmemctl_count(changes); row++) {
        const struct xenmemctl_value *change = xenmemctl_at(changes, row);
        const char *setting = xenmemctl_text(xenmemctl_member(change, "setting"));
        enum field_type type = type_of(setting ? setting : "");

        for (size_t i = 0; i < N_FIELDS(change_fields); i++) {
            struct field field = change_fields[i];

            field.type = i < 2 ? FIELD_TEXT : type;
            table_add(table, record_text(change, &field, text));
        }
    }
    table_print(table, cli->width, cli->out);
    table_free(table);
}

void foresight_put(struct cli *cli, const struct xenmemctl_value *result, bool dry)
{
    const struct xenmemctl_value *changes = xenmemctl_member(result, "changes");
    const struct xenmemctl_value *targets = xenmemctl_member(result, "targets");

    if (xenmemctl_count(changes) > 0)
        put_changes(cli, changes);
    if (dry && xenmemctl_count(targets) > 0) {
        fputc('\n', cli->out);
        record_put_table(cli, targets, target_fields, N_FIELDS(target_fields));
    }
}

void foresight_put_csv(struct cli *cli, const struct xenmemctl_value *result)
{
    const struct xenmemctl_value *changes = xenmemctl_member(result, "changes");

    record_put_csv_names(cli, change_fields, N_FIELDS(change_fields));
    for (size_t i = 0; i < xenmemctl_count(changes); i++)
        record_put_csv(cli, xenmemctl_at(changes, i), change_fields, N_FIELDS(change_fields));
}
