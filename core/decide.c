/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/decide.h"

#include "core/demand.h"
#include "core/plan.h"
#include "core/settle.h"
#include "core/share.h"
#include "core/steady.h"

const char *vm_status_name(enum vm_status status)
{
    static const char *const names[] = {"unknown", "ok", "low", "warning"};

    return names[status];
}

/* Why this VM may not be written at all, or why its target does not come from sharing; REASON_KEEP
 * where it does. */
static enum reason judge_role(const struct vm *vm, const struct decide_faults *faults)
{
    if (vm->dom0 || vm->settings.mode == VM_MODE_IGNORED)
        return REASON_NOT_MANAGED;
    if ((vm->state != VM_RUNNING && !faults->no_gate) || vm->target.v == 0)
        return REASON_STATE;
    if (vm->overridden)
        return REASON_OVERRIDE;
    if (vm->settings.mode == VM_MODE_STATIC)
        return REASON_STATIC;
    return vm->fresh ? REASON_KEEP : REASON_NO_DATA;
}

static enum role role_of(enum reason reason)
{
    switch (reason) {
    case REASON_NOT_MANAGED:
    case REASON_STATE:
        return ROLE_NONE;
    case REASON_OVERRIDE:
        return ROLE_OVERRIDDEN;
    case REASON_STATIC:
    case REASON_NO_DATA:
        return ROLE_FIXED;
    default:
        return ROLE_SHARES;
    }
}

/* Nothing fresh is known of its need: it keeps what it has, within its bounds. Only a start may
 * shrink it, if the host's settings allow that, and only if it can move. */
static void keep_blind(const struct vm *vm, const struct vm_track *track, bool may_shrink,
                       struct verdict *verdict)
{
    struct kib least = kib_min(vm->settings.minimum, verdict->high);

    verdict->goal = kib_clamp(vm->target, least, kib_max(verdict->high, verdict->low));
    if (!may_shrink || !track->mobile || track->failures > 0)
        verdict->low = verdict->goal;
}

/* A limit that the guest was found to have is in the way of less: is it time to try it again? */
static struct kib trial_of(const struct vm *vm, const struct vm_track *track,
                           const struct verdict *verdict, struct kib low)
{
    struct kib less = verdict->wanted;

    if (verdict->reason == REASON_STATIC)
        less = vm->settings.startup;
    else if (verdict->reason != REASON_KEEP)
        return kib(0);
    return less.v < verdict->low.v ? settle_trial(vm, track, low) : kib(0);
}

static enum role judge(const struct snapshot *snapshot, const struct vm *vm, struct vm_track *track,
                       struct verdict *verdict, struct kib *trial,
                       const struct decide_faults *faults)
{
    struct kib low;

    demand_follow(vm, snapshot->now_ms, track);
    demand_judge(vm, track, verdict);
    if (faults->no_floors)
        verdict->low = kib(0);
    verdict->state = vm->state;
    verdict->share = verdict->goal = vm->target;
    verdict->reason = judge_role(vm, faults);
    if (role_of(verdict->reason) == ROLE_NONE) {
        settle_wait(vm, snapshot->now_ms, track);
        return ROLE_NONE;
    }
    low = verdict->low;
    settle_follow(vm, snapshot->now_ms, track);
    if (!faults->no_settle)
        settle_judge(vm, track, verdict);
    if (verdict->reason == REASON_STATIC)
        verdict->low = verdict->goal = kib_clamp(vm->settings.startup, verdict->low, verdict->high);
    else if (verdict->reason == REASON_NO_DATA)
        keep_blind(vm, track, snapshot->settings.blind, verdict);
    *trial = trial_of(vm, track, verdict, low);
    return role_of(verdict->reason);
}

static int8_t cap_off(const struct vm *vm)
{
    struct kib due = model_cap(vm, vm->target);

    if (vm->cap_unlimited)
        return 0;
    return vm->cap.v < due.v ? -1 : vm->cap.v > due.v;
}

/* What the middle of the decision has to know of one VM, without looking at all of it again. */
static void prepare(const struct vm *vm, const struct vm_track *track,
                    const struct verdict *verdict, struct kib trial, int32_t squeezed_below,
                    struct decide_work *work)
{
    share_prepare(vm, verdict, squeezed_below, work);
    work->overhead = (int32_t)model_cap(vm, kib(0)).v;
    work->trial = trial.v > 0 ? (uint32_t)kib_excess(work->base, trial).v : 0;
    work->reason = (uint8_t)verdict->reason;
    work->cap_off = cap_off(vm);
    work->rested = !track->changed;
    work->arrived =
        work->role == ROLE_NONE || verdict->state == VM_UNRESPONSIVE || settle_arrived(vm);
    work->guest_low =
        track->failures > 0 && track->low.v > 0 && track->low.v >= share_wanted(work).v;
    work->guest_high =
        track->failures > 0 && track->high.v > 0 && verdict->wanted.v > verdict->high.v;
}

static void add_to_pool(const struct vm *vm, const struct decide_work *work, struct pool *pool)
{
    struct kib counted = work->counted;

    if (work->role == ROLE_OVERRIDDEN) {
        struct kib least = model_commitment(vm, vm->assigned);

        pool->all = kib_add(pool->all, kib_sub(counted, least));
        pool->owed = kib_add(pool->owed, kib_excess(model_cap(vm, vm->target), least));
    } else if (work->role != ROLE_NONE) {
        pool->all = kib_add(pool->all, kib_sub(counted, model_rest(vm, work->base)));
        pool->all = kib_add(pool->all, work->base);
    }
}

/* What was given back at this very moment has to be seen first. */
static struct kib unseen_of(struct vm_track *track, struct kib counted, int64_t now_ms)
{
    if (track->counted_ms != now_ms || track->counted.v < counted.v)
        track->counted = counted;
    track->counted_ms = now_ms;
    return kib_sub(track->counted, counted);
}

static int32_t highest_want(const struct snapshot *snapshot)
{
    int32_t highest = -1;

    for (size_t i = 0; i < snapshot->n_wants; i++)
        if (snapshot->wants[i].priority > highest)
            highest = snapshot->wants[i].priority;
    return highest;
}

/* One pass over all that the caller knows; what comes after looks at the dense working space. */
static struct pool judge_all(const struct snapshot *snapshot, struct vm_track *tracks,
                             struct decision *decision, const struct decide_faults *faults,
                             struct kib *unseen)
{
    struct pool pool = {kib(0), kib(0)};
    struct kib headrooms = kib(0);
    int32_t squeezed_below = highest_want(snapshot);

    *unseen = kib(0);
    for (size_t i = 0; i < snapshot->n_vms; i++) {
        const struct vm *vm = &snapshot->vms[i];
        struct decide_work *work = &decision->work[i];
        struct verdict *verdict = &decision->verdicts[i];
        struct kib counted = model_counted(vm);
        struct kib trial = kib(0);

        work->role = (uint8_t)judge(snapshot, vm, &tracks[i], verdict, &trial, faults);
        work->counted = counted;
        prepare(vm, &tracks[i], verdict, trial, squeezed_below, work);
        add_to_pool(vm, work, &pool);
        headrooms = kib_add(headrooms, kib_sub(counted, vm->assigned));
        *unseen = kib_add(*unseen, unseen_of(&tracks[i], counted, snapshot->now_ms));
    }
    decision->uncommitted = kib_sub(model_unpromised(snapshot), headrooms);
    pool.all = kib_add(pool.all, decision->uncommitted);
    return pool;
}

static bool has_settled(const struct snapshot *snapshot, const struct decision *decision)
{
    if (decision->n_actions > 0)
        return false;
    for (size_t i = 0; i < snapshot->n_vms; i++)
        if (!decision->work[i].arrived)
            return false;
    return true;
}

void decide(const struct snapshot *snapshot, struct vm_track *tracks, struct decision *decision,
            const struct decide_faults *faults)
{
    struct kib unseen;
    struct pool pool = judge_all(snapshot, tracks, decision, faults, &unseen);
    bool has_enough = share_divide(snapshot, &pool, decision);

    steady_goals(snapshot, &pool, has_enough, decision);
    plan_actions(snapshot, unseen, faults, decision);
    decision->settled = has_settled(snapshot, decision);
}
