/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a change does to the database, as rows. */
#include "base/invariant.h"
#include "daemon/daemon.h"
#include "daemon/settings/change.h"
#include "daemon/settings/layers.h"
#include "daemon/settings/policy.h"

/* Exceptions come behind the patterns that they are from. */
#define EXCEPT_ORDINAL (POLICY_PATTERNS_MAX + 1)

void change_each_overruled(const struct change *change,
                           void (*visit)(void *arg, struct layer *layer, unsigned key), void *arg)
{
    struct layers *layers = change->changes->daemon->layers;

    if (change->for_ms > 0)
        return;
    for (size_t i = 0; i < layers_count(layers); i++) {
        struct layer *layer = layers_at(layers, i);
        const struct setting_partial *said = layer_says(layer, change->vm);

        if (!said || layer_id(layer) <= LAYER_ID_BASE)
            continue;
        for (unsigned key = 0; key < VM_KEY_COUNT; key++)
            if (setting_has(said, key) && setting_has(&change->said, key))
                visit(arg, layer, key);
    }
}

/* Rows that are being written for one change. */
struct row_list {
    const struct change *change;
    struct db_change *rows;
    size_t count;
};

/* The rows of a policy's patterns. */
struct pattern_rows {
    struct row_list list;
    int64_t ordinal; /* of the last pattern */
};

static void add_row(struct row_list *list, const struct db_change *row)
{
    invariant(list->count < CHANGE_ROWS_MAX);
    list->rows[list->count++] = *row;
}

static void add_drop(void *arg, struct layer *layer, unsigned key)
{
    struct row_list *list = arg;

    if (layer_kind_of(layer) == LAYER_POLICY) {
        add_row(list, &(struct db_change){.kind = DB_PUT_SETTING,
                                          .setting = {.layer = layer_id(layer),
                                                      .scope = "except",
                                                      .match = list->change->vm,
                                                      .ordinal = EXCEPT_ORDINAL,
                                                      .key = vm_setting_defs[key].name,
                                                      .value = vm_setting_defs[key].low}});
        return;
    }
    add_row(list, &(struct db_change){.kind = DB_DROP_SETTING,
                                      .setting = {.layer = layer_id(layer),
                                                  .scope = "vm",
                                                  .match = list->change->vm,
                                                  .key = vm_setting_defs[key].name}});
}

static void add_layer(struct row_list *list, const char *kind, const char *name)
{
    add_row(list, &(struct db_change){
                      .kind = DB_ADD_LAYER,
                      .layer = {.id = list->change->layer,
                                .kind = kind,
                                .name = name,
                                .created_ms = list->change->now_ms,
                                .expires_ms = list->change->for_ms > 0
                                                  ? list->change->now_ms + list->change->for_ms
                                                  : 0}});
}

/* Writes what `set` does as rows. Returns how many. */
static size_t rows_of_set(const struct change *change, struct db_change *out)
{
    struct row_list list = {change, out, 0};

    if (change->for_ms > 0)
        add_layer(&list, "timed", "");
    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        if (setting_has(&change->said, key))
            add_row(&list, &(struct db_change){.kind = DB_PUT_SETTING,
                                               .setting = {.layer = change->layer,
                                                           .scope = "vm",
                                                           .match = change->vm,
                                                           .key = vm_setting_defs[key].name,
                                                           .value = change->said.value[key]}});
    change_each_overruled(change, add_drop, &list);
    return list.count;
}

static void add_pattern(void *arg, const char *match, const struct setting_partial *said)
{
    struct pattern_rows *rows = arg;

    rows->ordinal++;
    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        if (setting_has(said, key))
            add_row(&rows->list, &(struct db_change){.kind = DB_PUT_SETTING,
                                                     .setting = {.layer = rows->list.change->layer,
                                                                 .scope = "vm",
                                                                 .match = match,
                                                                 .ordinal = rows->ordinal,
                                                                 .key = vm_setting_defs[key].name,
                                                                 .value = said->value[key]}});
}

/* Writes what applying a policy does as rows. Returns how many. */
static size_t rows_of_apply(const struct change *change, struct db_change *out)
{
    struct pattern_rows rows = {{change, out, 0}, 0};
    const struct setting_partial *host = layer_host_says(change->policy->layer);

    if (change->replaced > 0)
        add_row(&rows.list,
                &(struct db_change){.kind = DB_REMOVE_LAYER, .layer = {.id = change->replaced}});
    add_layer(&rows.list, "policy", change->policy->name);
    for (unsigned key = 0; key < HOST_KEY_COUNT; key++)
        if (setting_has(host, key))
            add_row(&rows.list, &(struct db_change){.kind = DB_PUT_SETTING,
                                                    .setting = {.layer = change->layer,
                                                                .scope = "host",
                                                                .match = "",
                                                                .key = host_setting_defs[key].name,
                                                                .value = host->value[key]}});
    layer_each(change->policy->layer, add_pattern, &rows);
    return rows.list.count;
}

size_t change_rows(const struct change *change, struct db_change *out)
{
    switch (change->kind) {
    case CHANGE_SET:
        return rows_of_set(change, out);
    case CHANGE_IMPORT: /* its parts have them */
        break;
    case CHANGE_FORGET:
        out[0] = (struct db_change){.kind = DB_FORGET_VM, .vm = {.name = change->vm}};
        return 1;
    case CHANGE_APPLY:
        return rows_of_apply(change, out);
    case CHANGE_REVERT:
    case CHANGE_EXPIRE:
        out[0] = (struct db_change){.kind = DB_REMOVE_LAYER, .layer = {.id = change->layer}};
        return 1;
    }
    return 0;
}
