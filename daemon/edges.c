/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/edges.h"

#include <inttypes.h>

#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"

bool edge_follow(struct edge *edge, bool now, int64_t now_ms, int64_t hold_ms)
{
    if (now == edge->told) {
        edge->pending = false;
        return false;
    }
    if (!edge->pending) {
        edge->pending = true;
        edge->pending_ms = now_ms;
    }
    if (now_ms - edge->pending_ms < hold_ms)
        return false;
    edge->told = now;
    edge->pending = false;
    return true;
}

/* --- who comes and goes ---------------------------------------------------------------------- */

static void on_appeared(void *arg, struct vm_entry *vm)
{
    struct daemon *daemon = arg;
    const struct hv_domain *now = &vm->domain->now;

    events_raise_about(daemon->events, EVENT_VM_APPEARED, vm->name,
                       "id=%" PRIu32 " state=%s assigned_kib=%" PRId64, now->ref.domid,
                       vm_state_name(now->state), now->assigned.v);
}

static void on_gone(void *arg, struct vm_entry *vm, const struct domain *last)
{
    struct daemon *daemon = arg;

    events_raise_about(daemon->events, EVENT_VM_GONE, vm->name,
                       "id=%" PRIu32 " assigned_kib=%" PRId64, last->now.ref.domid,
                       last->now.assigned.v);
    vm->raised = vm->pending = VM_STATUS_UNKNOWN;
    vm->raised_unresponsive = false;
    vm->suspicious = (struct edge){0};
    if (daemon->reservations)
        reservations_note_death(daemon->reservations, vm->name, last);
}

static void on_renamed(void *arg, const char *from, struct vm_entry *to)
{
    struct daemon *daemon = arg;

    events_raise_about(daemon->events, EVENT_VM_APPEARED, to->name,
                       "id=%" PRIu32 " renamed_from=\"%s\"", to->domain->now.ref.domid, from);
}

struct registry_watcher edges_watcher(struct daemon *daemon)
{
    return (struct registry_watcher){daemon, on_appeared, on_gone, on_renamed};
}

/* --- how one VM is --------------------------------------------------------------------------- */

static void raise_status(struct daemon *daemon, const struct domain *domain, enum vm_status status)
{
    static const enum event_kind kinds[] = {
        [VM_STATUS_UNKNOWN] = EVENT_VM_OK,
        [VM_STATUS_OK] = EVENT_VM_OK,
        [VM_STATUS_LOW] = EVENT_VM_LOW,
        [VM_STATUS_WARNING] = EVENT_VM_WARNING,
    };

    events_raise_about(daemon->events, kinds[status], domain->vm->name,
                       "assigned_kib=%" PRId64 " demand_kib=%" PRId64 " pressure=%" PRId32,
                       domain->now.assigned.v, domain->verdict.demand.v, domain->verdict.pressure);
}

/* Nothing was told yet: that reads as ok, which goes without saying. */
static enum vm_status told_status(const struct vm_entry *vm)
{
    return vm->raised == VM_STATUS_UNKNOWN ? VM_STATUS_OK : vm->raised;
}

static void follow_status(struct daemon *daemon, struct domain *domain, int64_t now_ms)
{
    struct vm_entry *vm = domain->vm;
    enum vm_status status = domain->verdict.status;

    if (status == VM_STATUS_UNKNOWN || status == told_status(vm)) {
        vm->pending = VM_STATUS_UNKNOWN;
        return;
    }
    if (vm->pending != status) {
        vm->pending = status;
        vm->pending_ms = now_ms;
    }
    if (now_ms - vm->pending_ms < EDGE_HOLD_MS)
        return;
    vm->raised = status;
    vm->pending = VM_STATUS_UNKNOWN;
    raise_status(daemon, domain, status);
}

static void follow_response(struct daemon *daemon, struct domain *domain)
{
    struct vm_entry *vm = domain->vm;
    bool unresponsive = domain->verdict.state == VM_UNRESPONSIVE;

    if (unresponsive == vm->raised_unresponsive)
        return;
    vm->raised_unresponsive = unresponsive;
    events_raise_about(daemon->events, unresponsive ? EVENT_VM_UNRESPONSIVE : EVENT_VM_RECOVERED,
                       vm->name, "assigned_kib=%" PRId64 " target_kib=%" PRId64,
                       domain->now.assigned.v, domain->now.target.v);
}

static void follow_suspicion(struct daemon *daemon, struct domain *domain, int64_t now_ms)
{
    const struct hv_domain *now = &domain->now;
    struct edge *edge = &domain->vm->suspicious;

    if (!edge_follow(edge, domain->verdict.suspicious || now->noisy, now_ms, EDGE_SUSPICION_MS))
        return;
    events_raise_about(
        daemon->events, edge->told ? EVENT_VM_SUSPICIOUS : EVENT_VM_PLAUSIBLE, domain->vm->name,
        "need_kib=%" PRId64 " swap_used_kib=%" PRId64 " assigned_kib=%" PRId64 " noisy=%d",
        now->report.need.v, now->report.swap_used.v, now->assigned.v, now->noisy);
}

static void follow_override(struct daemon *daemon, struct domain *domain)
{
    if (domain->overridden == domain->override_told)
        return;
    domain->override_told = domain->overridden;
    events_raise_about(daemon->events,
                       domain->overridden ? EVENT_OVERRIDE_SEEN : EVENT_OVERRIDE_CLEARED,
                       domain->vm->name, "target_kib=%" PRId64 " own_target_kib=%" PRId64,
                       domain->now.target.v, domain->now.own_target.v);
}

void edges_of_domain(struct daemon *daemon, struct domain *domain, int64_t now_ms)
{
    follow_override(daemon, domain);
    if (domain->vm->settings.mode == VM_MODE_IGNORED)
        return;
    follow_status(daemon, domain, now_ms);
    follow_response(daemon, domain);
    follow_suspicion(daemon, domain, now_ms);
}
