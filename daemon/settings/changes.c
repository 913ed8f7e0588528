/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/settings/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/overrides.h"
#include "daemon/registry.h"
#include "daemon/settings/change.h"
#include "daemon/settings/layers.h"
#include "daemon/settings/policies.h"
#include "daemon/settings/policy.h"
#include "daemon/settings/settings_text.h"
#include "daemon/wall_clock.h"
#include "db/db.h"

struct changes *changes_new(struct daemon *daemon)
{
    struct changes *changes = memory_new(1, sizeof(*changes));

    changes->daemon = daemon;
    changes->last = &changes->first;
    changes->next_layer = LAYER_ID_BASE + 1;
    changes->rows = memory_new(CHANGE_ROWS_MAX, sizeof(*changes->rows));
    return changes;
}

static void change_free(struct change *change)
{
    for (size_t i = 0; i < change->n_parts; i++)
        free(change->parts[i].vm);
    free(change->parts);
    policy_free(change->policy);
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

/* --- one change ------------------------------------------------------------------------------ */

static int check_apply(struct changes *changes, struct change *change, struct err *err)
{
    const struct layer *same;

    if (policies_check(changes->daemon, change->policy, err))
        return -1;
    same = policies_find(changes->daemon->layers, change->policy->name);
    change->replaced = same ? layer_id(same) : 0;
    change->layer = changes->next_layer++;
    return 0;
}

static int check_revert(const struct changes *changes, struct change *change, struct err *err)
{
    const struct layer *layer = policies_find(changes->daemon->layers, change->vm);

    if (!layer)
        return err_set(err, ERR_NOT_FOUND,
                       "no policy named '%s' is in force; `xenmemctl policy active` has those that "
                       "are",
                       change->vm);
    change->layer = layer_id(layer);
    return 0;
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

    if (layer_kind_of(layer) == LAYER_POLICY)
        layer_except(layer, change->vm, key);
    else
        layer_find_vm(layer, change->vm)->has &= ~(1u << key);
}

static void put_in_force(struct changes *changes, struct change *change)
{
    struct daemon *daemon = changes->daemon;
    struct layer *layer = layers_find(daemon->layers, LAYER_ID_BASE);
    struct setting_partial *own;

    if (change->for_ms > 0)
        layer = layers_add(daemon->layers, change->layer, LAYER_TIMED, "",
                           change->now_ms + change->for_ms);
    invariant(layer); /* check_set saw that there is room, and changes come one at a time */
    own = layer_vm(layer, change->vm);
    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        if (setting_has(&change->said, key))
            setting_put(own, key, change->said.value[key]);
    change_each_overruled(change, drop_overruled, change);
    (void)registry_get(daemon->registry, daemon->layers, change->vm);
    registry_resolve(daemon->registry, daemon->layers);
    (void)overrides_clear(daemon, change->vm, NULL, NULL);
    loop_look_soon(daemon->loop, 0);
}

static int check_import(struct changes *changes, struct change *change, struct err *err)
{
    for (size_t i = 0; i < change->n_parts; i++)
        if (check_set(changes, &change->parts[i], err))
            return -1;
    return 0;
}

/* Settled as sets are, one after the other: nothing else comes between them. */
static void settle_import(struct changes *changes, struct change *change)
{
    for (size_t i = 0; i < change->n_parts; i++) {
        put_in_force(changes, &change->parts[i]);
        events_settled(changes->daemon->events, &change->parts[i].event, &change->parts[i].row);
    }
}

static void apply(struct changes *changes, struct change *change)
{
    struct daemon *daemon = changes->daemon;
    struct layer *layer = change->policy->layer;

    if (change->replaced > 0)
        layers_remove(daemon->layers, change->replaced);
    layer_set_id(layer, change->layer, change->for_ms > 0 ? change->now_ms + change->for_ms : 0);
    layer_set_created(layer, change->now_ms);
    invariant(layers_take(daemon->layers, layer)); /* check_apply saw that there is room */
    change->policy->layer = NULL;
    registry_resolve(daemon->registry, daemon->layers);
    loop_look_soon(daemon->loop, 0);
}

static void forget(struct changes *changes, const struct change *change)
{
    struct daemon *daemon = changes->daemon;
    struct vm_entry *vm = registry_find(daemon->registry, change->vm);

    layers_forget(daemon->layers, change->vm);
    if (vm)
        vm->frozen = false;
    /* It may have been started while its row was on its way out: then it is a VM that nobody
     * configured. */
    if (vm && !vm->domain)
        registry_drop(daemon->registry, vm);
    else
        registry_resolve(daemon->registry, daemon->layers);
}

static void end_layer(struct changes *changes, const struct change *change)
{
    layers_remove(changes->daemon->layers, change->layer);
    registry_resolve(changes->daemon->registry, changes->daemon->layers);
    loop_look_soon(changes->daemon->loop, 0);
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
            break;
        case CHANGE_IMPORT:
            settle_import(changes, change);
            break;
        case CHANGE_FORGET:
            forget(changes, change);
            break;
        case CHANGE_APPLY:
            apply(changes, change);
            break;
        case CHANGE_REVERT:
        case CHANGE_EXPIRE:
            end_layer(changes, change);
            break;
        }
        if (change->kind != CHANGE_IMPORT)
            events_settled(changes->daemon->events, &change->event, &change->row);
    }
    finish(change, rc, err);
    begin_next(changes);
}

static int check(struct changes *changes, struct change *change, struct err *err)
{
    switch (change->kind) {
    case CHANGE_SET:
        return check_set(changes, change, err);
    case CHANGE_IMPORT:
        return check_import(changes, change, err);
    case CHANGE_FORGET:
        return check_forget(changes, change, err);
    case CHANGE_APPLY:
        return check_apply(changes, change, err);
    case CHANGE_REVERT:
        return check_revert(changes, change, err);
    case CHANGE_EXPIRE:
        break;
    }
    return 0;
}

/* What is in force already is not done again; nobody is told. */
static bool is_done_already(const struct changes *changes, const struct change *change)
{
    return change->kind == CHANGE_APPLY &&
           policies_in_force(changes->daemon->layers, change->policy, change->for_ms);
}

/* The rows of one change, the event that tells of it among them; in the working space. */
static size_t rows_with_event(struct changes *changes, struct change *change)
{
    size_t count;

    change->now_ms = wall_clock_ms(changes->daemon);
    count = change_rows(change, changes->rows);
    change_describe(change);
    events_prepare(changes->daemon->events, &change->event, &change->row);
    invariant(count < CHANGE_ROWS_MAX);
    changes->rows[count++] = (struct db_change){.kind = DB_ADD_EVENT, .event = change->row};
    return count;
}

static int post_import(struct changes *changes, struct change *change, struct err *err)
{
    size_t count = 0, room = 0;
    struct db_change *all = NULL;
    int rc;

    for (size_t i = 0; i < change->n_parts; i++) {
        size_t more = rows_with_event(changes, &change->parts[i]);

        if (count + more > room) {
            room = 2 * (count + more);
            all = realloc(all, room * sizeof(*all));
            invariant(all);
        }
        memcpy(all + count, changes->rows, more * sizeof(*all));
        count += more;
    }
    rc = db_post(changes->daemon->db, all, count, on_disk, change, err);
    free(all);
    return rc;
}

/* The change and the event that tells of it, in one transaction. */
static int post(struct changes *changes, struct change *change, struct err *err)
{
    size_t count;

    if (change->kind == CHANGE_IMPORT)
        return post_import(changes, change, err);
    count = rows_with_event(changes, change);
    return db_post(changes->daemon->db, changes->rows, count, on_disk, change, err);
}

/* Checks the first change and sends it to the disk; those that fail at once are answered at once.
 */
static void begin_next(struct changes *changes)
{
    while (changes->first) {
        struct change *change = changes->first;
        struct err err = {0};
        bool done = is_done_already(changes, change);
        int rc = done ? 0 : check(changes, change, &err);

        if (rc == 0 && !done)
            rc = post(changes, change, &err);
        if (rc == 0 && !done)
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

void changes_import(struct changes *changes, const struct settings_text *text, uid_t uid,
                    changes_done_fn *done, void *arg)
{
    struct change *change = memory_new(1, sizeof(*change));

    change->kind = CHANGE_IMPORT;
    change->parts = memory_new(text->n_vms + 1, sizeof(*change->parts));
    change->n_parts = text->n_vms;
    for (size_t i = 0; i < text->n_vms; i++)
        change->parts[i] = (struct change){.changes = changes,
                                           .kind = CHANGE_SET,
                                           .vm = memory_copy_text(text->vms[i].name),
                                           .said = text->vms[i].said,
                                           .uid = uid};
    change->done = done;
    change->arg = arg;
    enqueue(changes, change);
}

static struct change *new_change(enum change_kind kind, uid_t uid, changes_done_fn *done, void *arg)
{
    struct change *change = memory_new(1, sizeof(*change));

    change->kind = kind;
    change->uid = uid;
    change->done = done;
    change->arg = arg;
    return change;
}

void changes_forget(struct changes *changes, const char *vm, uid_t uid, changes_done_fn *done,
                    void *arg)
{
    struct change *change = new_change(CHANGE_FORGET, uid, done, arg);

    change->vm = memory_copy_text(vm);
    enqueue(changes, change);
}

void changes_apply(struct changes *changes, struct policy *policy, int64_t for_ms, uid_t uid,
                   changes_done_fn *done, void *arg)
{
    struct change *change = new_change(CHANGE_APPLY, uid, done, arg);

    change->policy = policy;
    change->for_ms = for_ms;
    enqueue(changes, change);
}

void changes_revert(struct changes *changes, const char *name, uid_t uid, changes_done_fn *done,
                    void *arg)
{
    struct change *change = new_change(CHANGE_REVERT, uid, done, arg);

    change->vm = memory_copy_text(name);
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
