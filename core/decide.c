/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/decide.h"

#include "core/demand.h"
#include "core/plan.h"
#include "core/settle.h"
#include "core/share.h"

const char *vm_status_name(enum vm_status status)
{
    static const char *const names[] = {"unknown", "ok", "low", "warning"};

    return names[status];
}

/* Why this VM may not be written at all; REASON_KEEP where it may. */
static enum reason gate(const struct vm *vm, const struct decide_faults *faults)
{
    if (vm->dom0 || vm->settings.mode == VM_MODE_IGNORED)
        return REASON_NOT_MANAGED;
    if ((vm->state != VM_RUNNING && !faults->no_gate) || vm->target.v == 0)
        return REASON_STATE;
    return REASON_KEEP;
}

/* Why this VM's target is not up for sharing; REASON_KEEP where it is. */
static enum reason fixed(const struct vm *vm)
{
    if (vm->overridden)
        return REASON_OVERRIDE;
    if (vm->settings.mode == VM_MODE_STATIC)
        return REASON_STATIC;
    return vm->fresh ? REASON_KEEP : REASON_NO_DATA;
}

/* Where a VM that takes no part in sharing is to be. */
static struct kib fixed_goal(const struct vm *vm, const struct verdict *verdict)
{
    switch (verdict->reason) {
    case REASON_STATIC:
        return kib_clamp(vm->settings.startup, kib(0), verdict->high);
    case REASON_NO_DATA:
        return kib_clamp(vm->target, kib_min(vm->settings.minimum, verdict->high), verdict->high);
    default:
        return vm->target;
    }
}

static void judge(const struct vm *vm, int64_t now_ms, struct vm_track *track,
                  struct verdict *verdict, const struct decide_faults *faults)
{
    demand_follow(vm, now_ms, track);
    demand_judge(vm, track, verdict);
    if (faults->no_floors)
        verdict->low = kib(0);
    verdict->state = vm->state;
    verdict->goal = vm->target;
    verdict->reason = gate(vm, faults);
    if (verdict->reason != REASON_KEEP)
        return;
    settle_follow(vm, now_ms, track);
    if (!faults->no_settle)
        settle_judge(vm, track, verdict);
    verdict->reason = fixed(vm);
    verdict->goal = fixed_goal(vm, verdict);
}

/* What the VMs that share may have together: what they are counted with now, and what is still
 * uncommitted. */
static struct kib shared_pool(const struct snapshot *snapshot, const struct decision *decision)
{
    struct kib pool = decision->uncommitted;

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        const struct vm *vm = &snapshot->vms[i];
        struct kib overhead = plan_cap(vm, kib(0));

        if (decision->movable[i])
            pool = kib_add(pool, kib_sub(plan_commitment(vm, vm->cap), overhead));
    }
    return pool;
}

static bool has_settled(const struct snapshot *snapshot, const struct decision *decision)
{
    if (decision->n_actions > 0)
        return false;
    for (size_t i = 0; i < snapshot->n_vms; i++)
        if (decision->managed[i] && decision->verdicts[i].state != VM_UNRESPONSIVE &&
            !settle_arrived(&snapshot->vms[i]))
            return false;
    return true;
}

void decide(const struct snapshot *snapshot, struct vm_track *tracks, struct decision *decision,
            const struct decide_faults *faults)
{
    decision->uncommitted = model_uncommitted(snapshot);
    for (size_t i = 0; i < snapshot->n_vms; i++) {
        const struct vm *vm = &snapshot->vms[i];
        struct verdict *verdict = &decision->verdicts[i];

        judge(vm, snapshot->now_ms, &tracks[i], verdict, faults);
        decision->managed[i] = gate(vm, faults) == REASON_KEEP;
        decision->movable[i] = decision->managed[i] && fixed(vm) == REASON_KEEP;
    }
    share_divide(snapshot, decision->movable, shared_pool(snapshot, decision), decision->verdicts);
    for (size_t i = 0; i < snapshot->n_vms; i++)
        decision->movable[i] = decision->managed[i] && !snapshot->vms[i].overridden;
    plan_actions(snapshot, decision->managed, decision->movable, faults, decision);
    decision->settled = has_settled(snapshot, decision);
}

struct admission admit(const struct snapshot *snapshot, const struct verdict *verdicts,
                       int32_t priority)
{
    struct admission out = {.now = kib_max(model_uncommitted(snapshot), kib(0))};

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        const struct vm *vm = &snapshot->vms[i];
        const struct verdict *verdict = &verdicts[i];
        struct kib keeps = verdict->wanted;

        if (gate(vm, &(struct decide_faults){0}) != REASON_KEEP || fixed(vm) != REASON_KEEP)
            continue;
        if (vm->settings.priority < priority)
            keeps = verdict->low;
        else if (vm->settings.priority == priority)
            keeps = kib_clamp(verdict->demand, verdict->low, verdict->high);
        out.freeable = kib_add(out.freeable, kib_floor(kib_excess(vm->target, keeps), KIB_GRANULE));
    }
    return out;
}
