/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/apply.h"
#include "daemon/daemon.h"
#include "daemon/edges.h"
#include "daemon/events.h"
#include "daemon/freezes.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/metrics/meter.h"
#include "daemon/overrides.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"
#include "daemon/settings/layers.h"
#include "daemon/snapshot.h"
#include "db/db.h"

/* A hypervisor that said once that it is running low is taken at its word for so long. */
#define LOW_MEMORY_MS INT64_C(30000)

/* Somebody who waits for the host to settle. */
struct waiter {
    struct waiter *next;
    int64_t limit_ms;
    int64_t since_ms; /* of the first pass that it saw; −1 before */
    int64_t actions;  /* carried out meanwhile */
    void (*done)(void *arg, bool settled, int64_t actions);
    void *arg;
};

struct engine {
    struct daemon *daemon;
    struct engine_status status;
    struct snapshot snapshot; /* of the last pass */
    struct decision decision;
    struct vm *vms; /* room members each, as all of decision's arrays */
    struct vm_track *tracks;
    size_t room;
    struct waiter *waiters;
    struct edge scarce, broken;
    bool low_memory;             /* the hypervisor said so since the last pass … */
    int64_t low_until_ms;        /* … and then it counts as scarce until this pass */
    struct decide_faults faults; /* tests only */
};

struct engine *engine_new(struct daemon *daemon)
{
    struct engine *engine = memory_new(1, sizeof(*engine));

    engine->daemon = daemon;
    return engine;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    for (struct waiter *waiter = engine->waiters, *next; waiter; waiter = next) {
        next = waiter->next;
        waiter->done(waiter->arg, false, waiter->actions);
        free(waiter);
    }
    free(engine->vms);
    free(engine->tracks);
    free(engine->decision.verdicts);
    free(engine->decision.actions);
    free(engine->decision.work);
    free(engine->decision.parts);
    free(engine->decision.waiting);
    free(engine);
}

static void make_room(struct engine *engine, size_t count)
{
    struct decision *decision = &engine->decision;

    if (count <= engine->room)
        return;
    engine->room = count + count / 2;
    engine->vms = memory_grow(engine->vms, engine->room, sizeof(*engine->vms));
    engine->tracks = memory_grow(engine->tracks, engine->room, sizeof(*engine->tracks));
    decision->verdicts = memory_grow(decision->verdicts, engine->room, sizeof(*decision->verdicts));
    decision->actions = memory_grow(decision->actions, engine->room, sizeof(*decision->actions));
    decision->work = memory_grow(decision->work, engine->room, sizeof(*decision->work));
    decision->parts = memory_grow(decision->parts, engine->room, sizeof(*decision->parts));
    decision->waiting = memory_grow(decision->waiting, engine->room, sizeof(*decision->waiting));
}

/* --- look ------------------------------------------------------------------------------------ */

static void save_vm(struct daemon *daemon, struct vm_entry *vm)
{
    struct db_change change = {.kind = DB_PUT_VM,
                               .vm = {.name = vm->name,
                                      .target_kib = vm->natural.target.v,
                                      .static_max_kib = vm->natural.static_max.v}};

    memcpy(change.vm.uuid, vm->uuid, sizeof(change.vm.uuid));
    if (db_post(daemon->db, &change, 1, NULL, NULL, NULL) == 0)
        vm->unsaved = false;
}

/* What was learnt of a VM must outlive us: the memory it was built with shows nowhere else once it
 * was ballooned. */
static void save_vms(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->registry->n_domains; i++) {
        struct vm_entry *vm = daemon->registry->domains[i].vm;

        if (vm && vm->unsaved)
            save_vm(daemon, vm);
    }
}

static int look(struct engine *engine, int64_t now_ms, struct err *err)
{
    struct daemon *daemon = engine->daemon;
    const struct registry_watcher watcher = edges_watcher(daemon);
    struct hv_view view = {0};

    if (hv_read(daemon->hv, now_ms, &view, err))
        return -1;
    registry_update(daemon->registry, daemon->layers, &view, now_ms, &watcher);
    save_vms(daemon);
    engine->status.host = view.host;
    engine->status.n_reads = view.n_reads;
    return 0;
}

static void take_snapshot(struct engine *engine, int64_t now_ms)
{
    const struct registry *registry = engine->daemon->registry;
    const struct setting_partial *said[LAYERS_MAX];
    size_t n_said = layers_of_host(engine->daemon->layers, said);

    make_room(engine, registry->n_domains);
    for (size_t i = 0; i < registry->n_domains; i++) {
        engine->vms[i] = snapshot_vm(&registry->domains[i], now_ms);
        engine->tracks[i] = registry->domains[i].track;
    }
    engine->snapshot = (struct snapshot){
        .now_ms = now_ms,
        .host = {.total = engine->status.host.total,
                 .free = engine->status.host.free,
                 .claimed = engine->status.host.claimed},
        .vms = engine->vms,
        .n_vms = registry->n_domains,
    };
    host_settings_resolve(said, n_said, &engine->snapshot.settings);
}

/* --- decide and act -------------------------------------------------------------------------- */

static void keep_outcome(struct engine *engine)
{
    struct registry *registry = engine->daemon->registry;

    for (size_t i = 0; i < registry->n_domains; i++) {
        registry->domains[i].track = engine->tracks[i];
        registry->domains[i].verdict = engine->decision.verdicts[i];
    }
}

static void act(struct engine *engine)
{
    const struct decision *decision = &engine->decision;

    if (engine->snapshot.settings.action == HOST_ACTION_OBSERVE) {
        apply_observe(engine->daemon, decision->actions, decision->n_actions);
        engine->status.n_actions = 0;
        return;
    }
    overrides_adopt_new(engine->daemon, decision);
    engine->status.n_actions = apply_actions(engine->daemon, decision->actions, decision->n_actions,
                                             engine->vms, &engine->status.least);
    engine->status.invariant_broken = engine->status.least.v < 0;
}

/* --- tell ------------------------------------------------------------------------------------ */

static void sum_up(struct engine *engine)
{
    struct engine_status *status = &engine->status;
    const struct snapshot *snapshot = &engine->snapshot;

    status->now_ms = snapshot->now_ms;
    status->settings = snapshot->settings;
    status->unbound = snapshot->host.unbound;
    status->uncommitted = engine->decision.uncommitted;
    status->assigned = status->demand = status->dom0 = kib(0);
    status->settled = engine->decision.settled;
    status->least = engine->decision.uncommitted;
    status->invariant_broken = status->least.v < 0;
    status->passes++;
    for (size_t i = 0; i < snapshot->n_vms; i++) {
        const struct vm *vm = &snapshot->vms[i];

        if (vm->dom0)
            status->dom0 = vm->assigned;
        if (vm->dom0 || vm->settings.mode == VM_MODE_IGNORED)
            continue;
        status->assigned = kib_add(status->assigned, vm->assigned);
        if (engine->decision.verdicts[i].demand.v > 0)
            status->demand = kib_add(status->demand, engine->decision.verdicts[i].demand);
    }
}

/* True where somebody's part is short of what it wants by more than rounding. */
static bool is_scarce(const struct engine *engine)
{
    const struct decision *decision = &engine->decision;

    for (size_t i = 0; i < engine->snapshot.n_vms; i++) {
        const struct verdict *verdict = &decision->verdicts[i];

        if (decision->work[i].role == ROLE_SHARES &&
            kib_excess(verdict->wanted, verdict->share).v > 2 * KIB_GRANULE)
            return true;
    }
    return false;
}

static void tell_host(struct engine *engine, int64_t now_ms)
{
    struct events *events = engine->daemon->events;
    const struct engine_status *status = &engine->status;

    bool says_low = engine->low_memory;

    if (says_low)
        engine->low_until_ms = now_ms + LOW_MEMORY_MS;
    engine->low_memory = false;
    if (edge_follow(&engine->scarce, is_scarce(engine) || now_ms < engine->low_until_ms, now_ms,
                    says_low ? 0 : EDGE_HOLD_MS))
        events_raise_about(events, engine->scarce.told ? EVENT_HOST_LOW : EVENT_HOST_OK, NULL,
                           "%sfree_kib=%" PRId64 " claimed_kib=%" PRId64 " assigned_kib=%" PRId64
                           " demand_kib=%" PRId64,
                           says_low ? "hypervisor=low " : "", status->host.free.v,
                           status->host.claimed.v, status->assigned.v, status->demand.v);
    if (edge_follow(&engine->broken, status->invariant_broken, now_ms, 0))
        events_raise_about(
            events, engine->broken.told ? EVENT_INVARIANT_BROKEN : EVENT_INVARIANT_RESTORED, NULL,
            "uncommitted_kib=%" PRId64 " free_kib=%" PRId64, status->least.v, status->host.free.v);
}

static void tell_domains(struct engine *engine, int64_t now_ms)
{
    struct registry *registry = engine->daemon->registry;

    for (size_t i = 0; i < registry->n_domains; i++)
        if (registry->domains[i].vm)
            edges_of_domain(engine->daemon, &registry->domains[i], now_ms);
}

static void tell_waiters(struct engine *engine, int64_t now_ms)
{
    struct waiter **at = &engine->waiters;

    while (*at) {
        struct waiter *waiter = *at;

        if (waiter->since_ms < 0)
            waiter->since_ms = now_ms;
        waiter->actions += (int64_t)engine->status.n_actions;
        if (!engine->status.settled && now_ms - waiter->since_ms < waiter->limit_ms) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->done(waiter->arg, engine->status.settled, waiter->actions);
        free(waiter);
    }
}

int engine_tick(struct engine *engine, int64_t now_ms, struct err *err)
{
    if (look(engine, now_ms, err))
        return -1;
    if (engine->daemon->freezes)
        freezes_follow(engine->daemon->freezes, now_ms);
    take_snapshot(engine, now_ms);
    if (engine->daemon->reservations)
        reservations_prepare(engine->daemon->reservations, &engine->snapshot, engine->vms);
    decide(&engine->snapshot, engine->tracks, &engine->decision, &engine->faults);
    keep_outcome(engine);
    sum_up(engine);
    if (engine->daemon->reservations)
        reservations_judge(engine->daemon->reservations, &engine->snapshot, &engine->decision);
    act(engine);
    engine->status.actions += (int64_t)engine->status.n_actions;
    meter_read(engine->daemon->registry);
    tell_host(engine, now_ms);
    tell_domains(engine, now_ms);
    tell_waiters(engine, now_ms);
    log_debug("pass uncommitted_kib=%" PRId64 " store_reads=%zu actions=%zu settled=%d",
              engine->status.uncommitted.v, engine->status.n_reads, engine->status.n_actions,
              engine->status.settled);
    return 0;
}

void engine_note_low_memory(struct engine *engine)
{
    engine->low_memory = true;
    loop_look_soon(engine->daemon->loop, 0);
}

void engine_switch_off(struct engine *engine, const struct decide_faults *faults)
{
    engine->faults = *faults;
}

/* --- for others ------------------------------------------------------------------------------ */

const struct engine_status *engine_status(const struct engine *engine)
{
    return &engine->status;
}

void engine_last(const struct engine *engine, const struct snapshot **snapshot,
                 const struct decision **decision)
{
    *snapshot = &engine->snapshot;
    *decision = &engine->decision;
}

void engine_when_settled(struct engine *engine, int64_t limit_ms,
                         void (*done)(void *arg, bool settled, int64_t actions), void *arg)
{
    struct waiter *waiter = memory_new(1, sizeof(*waiter));

    *waiter = (struct waiter){engine->waiters, limit_ms, -1, 0, done, arg};
    engine->waiters = waiter;
    loop_look_soon(engine->daemon->loop, 0);
}
