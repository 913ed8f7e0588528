/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/events.h"
#include "daemon/layers.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/registry.h"
#include "daemon/reservations.h"
#include "db/db.h"

/* A change touches at most its own keys, once to put them and once in each layer to drop them. */
#define ROWS_MAX (VM_KEY_COUNT * (LAYERS_MAX + 1) + 2)

enum change_kind { CHANGE_SET, CHANGE_FORGET, CHANGE_EXPIRE };

struct change {
    struct change *next;
    struct changes *changes;
    enum change_kind kind;
    char *vm; /* owned; NULL for CHANGE_EXPIRE */
    struct setting_partial said;
    int64_t for_ms; /* 0: in the base */
    int64_t layer;  /* that it goes to, or that ends */
    uid_t uid;
    changes_done_fn *done; /* NULL: nobody asked */
    void *arg;
};

struct changes {
    struct daemon *daemon;
    struct change *first, **last; /* the first is on its way to the disk */
    int64_t next_layer;
    struct db_change *rows; /* ROWS_MAX; working space */
};

struct changes *changes_new(struct daemon *daemon)
{
    struct changes *changes = memory_new(1, sizeof(*changes));

    changes->daemon = daemon;
    changes->last = &changes->first;
    changes->next_layer = LAYER_ID_BASE + 1;
    changes->rows = memory_new(ROWS_MAX, sizeof(*changes->rows));
    return changes;
}

static void change_free(struct change *change)
{
    free(change->vm);
    free(change);
}

void changes_free(struct changes *changes)
{
    struct err err;

    if (!changes)
        return;
    err_set(&err, ERR_UNREACHABLE,
            "xenmemd is stopping: whether this was done shows when it is back");
    for (struct change *change = changes->first, *next; change; change = next) {
        next = change->next;
        if (change->done)
            change->done(change->arg, -1, &err);
        change_free(change);
    }
    free(changes->rows);
    free(changes);
}

/* --- at start -------------------------------------------------------------------------------- */

/* What loading needs besides the daemon. */
struct loading {
    struct daemon *daemon;
    struct err *err;
    int rc;
};

static void load_vm(void *arg, const struct db_vm *row)
{
    struct loading *loading = arg;
    struct vm_entry *vm =
        registry_get(loading->daemon->registry, loading->daemon->layers, row->name);

    memcpy(vm->uuid, row->uuid, sizeof(vm->uuid));
    vm->natural.target = kib(row->target_kib);
    vm->natural.static_max = kib(row->static_max_kib);
    vm->seen = true;
}

static void load_layer(void *arg, const struct db_layer *row)
{
    struct loading *loading = arg;
    struct changes *changes = loading->daemon->changes;
    enum layer_kind kind = strcmp(row->kind, "policy") == 0 ? LAYER_POLICY : LAYER_TIMED;

    if (!layers_add(loading->daemon->layers, row->id, kind, row->name, row->expires_ms))
        loading->rc = err_set(loading->err, ERR_FAILED,
                              "the database has more than %d layers of settings", LAYERS_MAX);
    if (row->id >= changes->next_layer)
        changes->next_layer = row->id + 1;
}

static void load_setting(void *arg, const struct db_setting *row)
{
    struct loading *loading = arg;
    struct layer *layer = layers_find(loading->daemon->layers, row->layer);
    bool of_vm = strcmp(row->scope, "vm") == 0;
    const struct setting_def *defs = of_vm ? vm_setting_defs : host_setting_defs;
    int key = setting_find(defs, of_vm ? VM_KEY_COUNT : HOST_KEY_COUNT, row->key);

    if (loading->rc)
        return;
    if (!layer || key < 0) {
        loading->rc =
            err_set(loading->err, ERR_FAILED,
                    "the database has a setting '%.40s' that makes no sense here", row->key);
        return;
    }
    loading->rc = setting_check(&defs[key], row->value, loading->err);
    if (loading->rc == 0)
        setting_put(of_vm ? layer_vm(layer, row->match) : layer_host(layer), (unsigned)key,
                    row->value);
}

static void load_reservation(void *arg, const struct db_reservation *row)
{
    const struct loading *loading = arg;

    reservations_load(loading->daemon->reservations, row);
}

static void know_name(void *arg, const char *name)
{
    struct daemon *daemon = arg;

    (void)registry_get(daemon->registry, daemon->layers, name);
}

int changes_load(struct daemon *daemon, struct err *err)
{
    struct loading loading = {.daemon = daemon, .err = err};
    const struct db_visitor visitor = {&loading,     load_vm,          load_layer,
                                       load_setting, load_reservation, NULL};

    if (db_load(daemon->db, &visitor, err) || loading.rc)
        return -1;
    layers_each_name(daemon->layers, know_name, daemon);
    registry_resolve(daemon->registry, daemon->layers);
    return 0;
}

/* --- one change ------------------------------------------------------------------------------ */

/* Calls visit for every key that a timed layer says of the VM although `set` has just said it of
 * the base. */
static void each_overruled(const struct change *change,
                           void (*visit)(void *arg, struct layer *layer, unsigned key), void *arg)
{
    struct layers *layers = change->changes->daemon->layers;

    if (change->for_ms > 0)
        return;
    for (size_t i = 0; i < layers_count(layers); i++) {
        struct layer *layer = layers_at(layers, i);
        const struct setting_partial *said = layer_find_vm(layer, change->vm);

        if (!said || layer_kind_of(layer) != LAYER_TIMED)
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

static void add_row(struct row_list *list, const struct db_change *row)
{
    invariant(list->count < ROWS_MAX);
    list->rows[list->count++] = *row;
}

static void add_drop(void *arg, struct layer *layer, unsigned key)
{
    struct row_list *list = arg;

    add_row(list, &(struct db_change){.kind = DB_DROP_SETTING,
                                      .setting = {.layer = layer_id(layer),
                                                  .scope = "vm",
                                                  .match = list->change->vm,
                                                  .key = vm_setting_defs[key].name}});
}

static void add_layer(struct row_list *list)
{
    int64_t now = daemon_wall_ms(list->change->changes->daemon);

    add_row(list, &(struct db_change){.kind = DB_ADD_LAYER,
                                      .layer = {.id = list->change->layer,
                                                .kind = "timed",
                                                .name = "",
                                                .created_ms = now,
                                                .expires_ms = now + list->change->for_ms}});
}

/* Writes what `set` does as rows. Returns how many. */
static size_t rows_of_set(struct changes *changes, const struct change *change)
{
    struct row_list list = {change, changes->rows, 0};

    if (change->for_ms > 0)
        add_layer(&list);
    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        if (setting_has(&change->said, key))
            add_row(&list, &(struct db_change){.kind = DB_PUT_SETTING,
                                               .setting = {.layer = change->layer,
                                                           .scope = "vm",
                                                           .match = change->vm,
                                                           .key = vm_setting_defs[key].name,
                                                           .value = change->said.value[key]}});
    each_overruled(change, add_drop, &list);
    return list.count;
}

static int check_set(struct changes *changes, struct change *change, struct err *err)
{
    struct daemon *daemon = changes->daemon;
    struct vm_settings outcome;

    if (registry_resolve_one(registry_find(daemon->registry, change->vm), change->vm,
                             daemon->layers, &change->said, &outcome, err))
        return err_wrap(err, "%s", change->vm);
    if (change->for_ms > 0 && layers_count(daemon->layers) == LAYERS_MAX)
        return err_set(err, ERR_BUSY,
                       "%d layers of settings are in force already: wait until one ends",
                       LAYERS_MAX);
    change->layer = change->for_ms > 0 ? changes->next_layer++ : LAYER_ID_BASE;
    return 0;
}

static int check_forget(const struct changes *changes, const struct change *change, struct err *err)
{
    const struct vm_entry *vm = registry_find(changes->daemon->registry, change->vm);

    if (!vm)
        return err_set(err, ERR_NOT_FOUND, "there is no VM named '%s'", change->vm);
    if (vm->domain)
        return err_set(err, ERR_BUSY, "%s is running: shut it down first, or `set %s mode=ignored`",
                       change->vm, change->vm);
    return 0;
}

static void drop_overruled(void *arg, struct layer *layer, unsigned key)
{
    const struct change *change = arg;

    layer_find_vm(layer, change->vm)->has &= ~(1u << key);
}

static void put_in_force(struct changes *changes, struct change *change)
{
    struct daemon *daemon = changes->daemon;
    struct layer *layer = layers_find(daemon->layers, LAYER_ID_BASE);
    struct setting_partial *own;

    if (change->for_ms > 0)
        layer = layers_add(daemon->layers, change->layer, LAYER_TIMED, "",
                           daemon_wall_ms(daemon) + change->for_ms);
    invariant(layer); /* check_set saw that there is room, and changes come one at a time */
    own = layer_vm(layer, change->vm);
    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        if (setting_has(&change->said, key))
            setting_put(own, key, change->said.value[key]);
    each_overruled(change, drop_overruled, change);
    (void)registry_get(daemon->registry, daemon->layers, change->vm);
    registry_resolve(daemon->registry, daemon->layers);
    (void)engine_clear_overrides(daemon->engine, change->vm, NULL);
    loop_look_soon(daemon->loop, 0);
}

static void tell_set(struct changes *changes, const struct change *change)
{
    struct event event = {
        .kind = EVENT_SETTINGS_CHANGED, .vm = change->vm, .domid = -1, .uid = (int64_t)change->uid};
    size_t length = 0;
    char text[64];

    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        if (setting_has(&change->said, key) && length < sizeof(event.detail))
            length += (size_t)snprintf(
                event.detail + length, sizeof(event.detail) - length, "%s%s=%s",
                length > 0 ? " " : "", vm_setting_defs[key].name,
                setting_format(&vm_setting_defs[key], change->said.value[key], text, sizeof(text)));
    if (change->for_ms > 0 && length < sizeof(event.detail))
        snprintf(event.detail + length, sizeof(event.detail) - length, " for=%s",
                 duration_format(change->for_ms, text));
    events_raise(changes->daemon->events, &event);
}

static void forget(struct changes *changes, const struct change *change)
{
    struct daemon *daemon = changes->daemon;
    struct vm_entry *vm = registry_find(daemon->registry, change->vm);
    struct event event = {.kind = EVENT_SETTINGS_CHANGED,
                          .vm = change->vm,
                          .domid = -1,
                          .uid = (int64_t)change->uid,
                          .detail = "forgotten=yes"};

    layers_forget(daemon->layers, change->vm);
    /* It may have been started while its row was on its way out: then it is a VM that nobody
     * configured. */
    if (vm && !vm->domain)
        registry_drop(daemon->registry, vm);
    else
        registry_resolve(daemon->registry, daemon->layers);
    events_raise(daemon->events, &event);
}

static void end_layer(struct changes *changes, const struct change *change)
{
    layers_remove(changes->daemon->layers, change->layer);
    registry_resolve(changes->daemon->registry, changes->daemon->layers);
    events_raise_about(changes->daemon->events, EVENT_SETTINGS_CHANGED, NULL,
                       "timed-layer-ended=%" PRId64, change->layer);
}

static void finish(struct change *change, int rc, const struct err *err)
{
    if (change->done)
        change->done(change->arg, rc, err);
    else if (rc)
        log_error("settings-change-failed why=\"%s\"", err->text);
    change_free(change);
}

static void begin_next(struct changes *changes);

static void on_disk(void *arg, int rc, const struct err *err)
{
    struct change *change = arg;
    struct changes *changes = change->changes;

    changes->first = change->next;
    if (!changes->first)
        changes->last = &changes->first;
    if (rc == 0) {
        switch (change->kind) {
        case CHANGE_SET:
            put_in_force(changes, change);
            tell_set(changes, change);
            break;
        case CHANGE_FORGET:
            forget(changes, change);
            break;
        case CHANGE_EXPIRE:
            end_layer(changes, change);
            break;
        }
    }
    finish(change, rc, err);
    begin_next(changes);
}

static size_t rows_of(struct changes *changes, const struct change *change)
{
    switch (change->kind) {
    case CHANGE_SET:
        return rows_of_set(changes, change);
    case CHANGE_FORGET:
        changes->rows[0] = (struct db_change){.kind = DB_FORGET_VM, .vm = {.name = change->vm}};
        return 1;
    case CHANGE_EXPIRE:
        changes->rows[0] =
            (struct db_change){.kind = DB_REMOVE_LAYER, .layer = {.id = change->layer}};
        return 1;
    }
    return 0;
}

/* Checks the first change and sends it to the disk; those that fail at once are answered at once.
 */
static void begin_next(struct changes *changes)
{
    while (changes->first) {
        struct change *change = changes->first;
        struct err err = {0};
        int rc = 0;

        if (change->kind == CHANGE_SET)
            rc = check_set(changes, change, &err);
        else if (change->kind == CHANGE_FORGET)
            rc = check_forget(changes, change, &err);
        if (rc == 0)
            rc = db_post(changes->daemon->db, changes->rows, rows_of(changes, change), on_disk,
                         change, &err);
        if (rc == 0)
            return;
        changes->first = change->next;
        if (!changes->first)
            changes->last = &changes->first;
        finish(change, rc, &err);
    }
}

static void enqueue(struct changes *changes, struct change *change)
{
    bool idle = !changes->first;

    change->changes = changes;
    *changes->last = change;
    changes->last = &change->next;
    if (idle)
        begin_next(changes);
}

void changes_set(struct changes *changes, const char *vm, const struct setting_partial *said,
                 int64_t for_ms, uid_t uid, changes_done_fn *done, void *arg)
{
    struct change *change = memory_new(1, sizeof(*change));

    change->kind = CHANGE_SET;
    change->vm = memory_copy_text(vm);
    change->said = *said;
    change->for_ms = for_ms;
    change->uid = uid;
    change->done = done;
    change->arg = arg;
    enqueue(changes, change);
}

void changes_forget(struct changes *changes, const char *vm, uid_t uid, changes_done_fn *done,
                    void *arg)
{
    struct change *change = memory_new(1, sizeof(*change));

    change->kind = CHANGE_FORGET;
    change->vm = memory_copy_text(vm);
    change->uid = uid;
    change->done = done;
    change->arg = arg;
    enqueue(changes, change);
}

void changes_expire(struct changes *changes, int64_t wall_ms)
{
    int64_t expires_ms;
    const struct layer *layer = layers_first_to_end(changes->daemon->layers, &expires_ms);
    struct change *change;

    if (!layer || expires_ms > wall_ms || changes->first)
        return;
    change = memory_new(1, sizeof(*change));
    change->kind = CHANGE_EXPIRE;
    change->layer = layer_id(layer);
    enqueue(changes, change);
}
