/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/freezes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <utlist.h>

#include "base/err.h"
#include "core/settle.h"
#include "daemon/clients/server.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/methods/methods.h"
#include "daemon/registry.h"
#include "daemon/snapshot.h"
#include "daemon/wall_clock.h"
#include "db/db.h"
#include "proto/proto.h"

#define REST_LOOK_MS 200 /* while somebody waits for a balloon to rest */

/* A call that waits: for the disk, and where it freezes for the balloon too. */
struct freezing {
    struct freezing *prev, *next;
    struct freezes *owner;
    struct call *call;
    char *name; /* owned; of the VM */
    bool thaws;
    int64_t until_ms; /* wall clock; 0: until it is thawed */
    bool was_frozen;  /* before: put back where the disk refuses … */
    int64_t was_until_ms;
    struct event event;  /* … and told where it does not, in one transaction … */
    struct db_event row; /* … as this row */
    bool saved;          /* it is on disk */
    int64_t since_ms;    /* the first pass that saw it; −1 before */
    struct kib seen;     /* what the domain had … */
    int64_t changed_ms;  /* … since this pass */
};

struct freezes {
    struct daemon *daemon;
    struct freezing *waiting;
};

struct freezes *freezes_new(struct daemon *daemon)
{
    struct freezes *freezes = memory_new(1, sizeof(*freezes));

    freezes->daemon = daemon;
    return freezes;
}

static void freezing_free(struct freezing *freezing)
{
    DL_DELETE(freezing->owner->waiting, freezing);
    free(freezing->name);
    free(freezing);
}

void freezes_free(struct freezes *freezes)
{
    struct freezing *freezing, *next;
    struct err err;

    if (!freezes)
        return;
    err_set(&err, ERR_UNREACHABLE, "xenmemd is stopping: `xenmemctl list` shows who is frozen");
    DL_FOREACH_SAFE(freezes->waiting, freezing, next)
    {
        call_fail(freezing->call, &err);
        freezing_free(freezing);
    }
    free(freezes);
}

void freezes_load(struct freezes *freezes, const struct db_freeze *row)
{
    struct daemon *daemon = freezes->daemon;
    struct vm_entry *vm = registry_get(daemon->registry, daemon->layers, row->name);

    vm->frozen = true;
    vm->frozen_until_ms = row->until_ms;
}

/* --- setting and clearing -------------------------------------------------------------------- */

static void fail(struct freezing *freezing, const struct err *err)
{
    call_fail(freezing->call, err);
    freezing_free(freezing);
}

static void put(struct vm_entry *vm, bool frozen, int64_t until_ms)
{
    vm->frozen = frozen;
    vm->frozen_until_ms = until_ms;
}

static void on_saved(void *arg, int rc, const struct err *err)
{
    struct freezing *freezing = arg;
    struct daemon *daemon = freezing->owner->daemon;
    struct vm_entry *vm = registry_find(daemon->registry, freezing->name);

    freezing->saved = true;
    if (rc == 0 && vm)
        put(vm, !freezing->thaws, freezing->until_ms);
    else if (vm && !freezing->thaws)
        put(vm, freezing->was_frozen, freezing->was_until_ms);
    if (rc == 0)
        events_settled(daemon->events, &freezing->event, &freezing->row);
    loop_look_soon(daemon->loop, 0);
    if (rc) {
        fail(freezing, err);
    } else if (freezing->thaws) {
        call_answer_done(freezing->call, 0, NULL);
        freezing_free(freezing);
    }
}

static struct event event_of(const struct vm_entry *vm, enum event_kind kind, int64_t until_ms,
                             int64_t uid, const char *why)
{
    struct event event = {.kind = kind,
                          .vm = vm->name,
                          .domid = vm->domain ? (int64_t)vm->domain->now.ref.domid : -1,
                          .uid = uid};

    snprintf(event.detail, sizeof(event.detail), "until_ms=%" PRId64 "%s", until_ms, why);
    return event;
}

/* In force, told and answered when it is on disk; a freeze is in force at once, so that nothing is
 * written meanwhile. */
static void change(struct freezes *freezes, struct call *call, struct vm_entry *vm, bool freezes_it,
                   int64_t until_ms, const char *why)
{
    struct freezing *freezing = memory_new(1, sizeof(*freezing));
    struct db_change changes[] = {
        {.kind = freezes_it ? DB_PUT_FREEZE : DB_DROP_FREEZE, .freeze = {vm->name, until_ms}},
        {.kind = DB_ADD_EVENT}};
    struct err err;

    *freezing = (struct freezing){.owner = freezes,
                                  .call = call,
                                  .name = memory_copy_text(vm->name),
                                  .thaws = !freezes_it,
                                  .until_ms = until_ms,
                                  .was_frozen = vm->frozen,
                                  .was_until_ms = vm->frozen_until_ms,
                                  .since_ms = -1};
    if (freezes_it)
        put(vm, true, until_ms);
    freezing->event = event_of(vm, freezes_it ? EVENT_FREEZE_SET : EVENT_FREEZE_CLEARED, until_ms,
                               call_uid(call), why);
    freezing->event.vm = freezing->name;
    events_prepare(freezes->daemon->events, &freezing->event, &freezing->row);
    changes[1].event = freezing->row;
    DL_APPEND(freezes->waiting, freezing);
    if (db_post(freezes->daemon->db, changes, 2, on_saved, freezing, &err))
        on_saved(freezing, -1, &err);
}

void freezes_set(struct freezes *freezes, struct call *call, struct vm_entry *vm, int64_t for_ms)
{
    int64_t until_ms = for_ms > 0 ? wall_clock_ms(freezes->daemon) + for_ms : 0;

    change(freezes, call, vm, true, until_ms, " command=vm.freeze");
}

void freezes_clear(struct freezes *freezes, struct call *call, struct vm_entry *vm)
{
    change(freezes, call, vm, false, 0, " reason=request command=vm.thaw");
}

/* --- a pass ---------------------------------------------------------------------------------- */

static void expire(struct freezes *freezes)
{
    int64_t now = wall_clock_ms(freezes->daemon);

    for (struct vm_entry *vm = freezes->daemon->registry->vms; vm; vm = vm->hh.next) {
        const struct db_change change = {.kind = DB_DROP_FREEZE, .freeze = {.name = vm->name}};
        struct event event;

        if (!vm->frozen || vm->frozen_until_ms == 0 || now < vm->frozen_until_ms)
            continue;
        put(vm, false, 0);
        event = event_of(vm, EVENT_FREEZE_CLEARED, 0, -1, " reason=expired");
        events_raise(freezes->daemon->events, &event);
        (void)db_post(freezes->daemon->db, &change, 1, NULL, NULL, NULL);
    }
}

static bool is_at_rest(struct freezing *freezing, const struct domain *domain, int64_t now_ms)
{
    struct vm vm;

    if (!domain)
        return true;
    vm = snapshot_vm(domain, now_ms);
    if (vm.assigned.v != freezing->seen.v || freezing->changed_ms == 0)
        freezing->changed_ms = now_ms;
    freezing->seen = vm.assigned;
    return settle_arrived(&vm) || now_ms - freezing->changed_ms >= FREEZE_REST_MS;
}

static void answer_rest(struct freezing *freezing, const struct vm_entry *vm)
{
    struct proto_writer *answer = call_answer_begin(freezing->call);

    proto_object_begin(answer, NULL);
    proto_put_text(answer, "name", vm->name);
    if (vm->domain)
        proto_put_integer(answer, "assigned_kib", vm->domain->now.assigned.v);
    else
        proto_put_null(answer, "assigned_kib");
    if (vm->frozen_until_ms > 0)
        proto_put_integer(answer, "until_ms", vm->frozen_until_ms);
    else
        proto_put_null(answer, "until_ms");
    proto_object_end(answer);
    call_answer_end(freezing->call);
    freezing_free(freezing);
}

static void follow_one(struct freezing *freezing, const struct vm_entry *vm, int64_t now_ms)
{
    struct err err;

    if (freezing->since_ms < 0)
        freezing->since_ms = now_ms;
    if (!vm || !vm->frozen) {
        err_set(&err, ERR_NOT_FOUND, "%s was thawed meanwhile", freezing->name);
        fail(freezing, &err);
    } else if (is_at_rest(freezing, vm->domain, now_ms)) {
        answer_rest(freezing, vm);
    } else if (now_ms - freezing->since_ms >= FREEZE_LIMIT_MS) {
        err_set(&err, ERR_TIMEOUT,
                "%s is frozen, but its balloon still moves: its target was not reached yet",
                freezing->name);
        fail(freezing, &err);
    }
}

void freezes_follow(struct freezes *freezes, int64_t now_ms)
{
    struct freezing *freezing, *next;

    expire(freezes);
    if (freezes->waiting)
        loop_look_soon(freezes->daemon->loop, REST_LOOK_MS);
    DL_FOREACH_SAFE(freezes->waiting, freezing, next)
    {
        if (freezing->saved && !freezing->thaws)
            follow_one(freezing, registry_find(freezes->daemon->registry, freezing->name), now_ms);
    }
}
