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

/* As it would be without the measures that tests switch off. */
static void misjudge(const struct vm *vm, const struct decide_faults *faults,
                     struct verdict *verdict)
{
    if (faults->no_floors)
        verdict->low = kib(0);
    if (faults->trust_all)
        verdict->low = kib_max(verdict->low, vm->report.floor);
    if (faults->believe_all)
        verdict->demand = verdict->wanted = verdict->high = vm->report.need;
}

static enum role judge(const struct snapshot *snapshot, const struct vm *vm, struct vm_track *track,
                       struct verdict *verdict, struct kib *trial,
                       const struct decide_faults *faults)
{
    struct kib low;

    demand_follow(vm, &snapshot->settings, snapshot->now_ms, track);
    demand_judge(vm, track, verdict);
    misjudge(vm, faults, verdict);
    verdict->state = vm->state;
    verdict->share = verdict->goal = vm->target;
    verdict->reason = judge_role(vm, faults);
    if (role_of(verdict->reason) == ROLE_NONE) {
        settle_wait(vm, snapshot->now_ms, track);
        return ROLE_NONE;
    }
    low = verdict->low;
    settle_follow(vm, snapshot->now_ms, track);
    if (faults->no_probe)
        track->mobile = true;
    if (!faults->no_settle)
        settle_judge(vm, track, verdict);
    if (verdict->reason == REASON_STATIC)
        verdict->low = verdict->goal = kib_clamp(vm->settings.startup, verdict->low, verdict->high);
    else if (verdict->reason == REASON_NO_DATA)
        keep_blind(vm, track, snapshot->settings.blind, verdict);
    *trial = trial_of(vm, track, verdict, low);
    return role_of(verdict->reason);
}

static enum cap_standing cap_standing_of(const struct vm *vm)
{
    struct kib due = model_cap(vm, vm->target);

    if (vm->cap_unlimited || vm->cap.v == due.v)
        return CAP_FITS;
    return vm->cap.v < due.v ? CAP_SHORT : CAP_EXCESS;
}

static enum limit limit_of(const struct vm_track *track, const struct verdict *verdict,
                           const struct decide_work *work)
{
    if (track->failures == 0)
        return LIMIT_NONE;
    if (track->low.v > 0 && track->low.v >= share_wanted(work).v)
        return LIMIT_LOW;
    return track->high.v > 0 && verdict->wanted.v > verdict->high.v ? LIMIT_HIGH : LIMIT_NONE;
}

/* What the middle of the decision has to know of one VM, without looking at all of it again. */
static void prepare(const struct vm *vm, const struct vm_track *track,
                    const struct verdict *verdict, struct kib trial, struct decide_work *work)
{
    work->overhead = (int32_t)model_cap(vm, kib(0)).v;
    work->trial = trial.v > 0 ? (uint32_t)kib_excess(work->base, trial).v : 0;
    work->reason = verdict->reason;
    work->cap = cap_standing_of(vm);
    work->rested = !track->changed;
    work->limit = limit_of(track, verdict, work);
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

/* What the look at all VMs comes to. */
struct look {
    struct pool pool;
    struct asked asked;
    struct kib unseen; /* given back at this very moment */
    bool is_at_rest;   /* nobody is on the way */
};

static void look_at(const struct snapshot *snapshot, size_t i, struct vm_track *track,
                    struct decision *decision, const struct decide_faults *faults,
                    struct look *look)
{
    const struct vm *vm = &snapshot->vms[i];
    struct decide_work *work = &decision->work[i];
    struct verdict *verdict = &decision->verdicts[i];
    struct kib trial = kib(0);

    if (snapshot->n_wants == 0 && !snapshot->returns)
        track->lent = kib(0);
    work->counted = model_counted(vm);
    work->role = judge(snapshot, vm, track, verdict, &trial, faults);
    share_prepare(vm, verdict, work, &look->asked);
    prepare(vm, track, verdict, trial, work);
    add_to_pool(vm, work, &look->pool);
    look->unseen = kib_add(look->unseen, unseen_of(track, work->counted, snapshot->now_ms));
    decision->uncommitted = kib_sub(decision->uncommitted, kib_sub(work->counted, vm->assigned));
    if (work->role != ROLE_NONE && verdict->state != VM_UNRESPONSIVE && !settle_arrived(vm))
        look->is_at_rest = false;
}

/* Once over all of the dense working space: what came of it, and what is to be done. */
static void conclude(const struct snapshot *snapshot, const struct look *look,
                     const struct place *place, struct decision *decision,
                     const struct decide_faults *faults)
{
    struct plan plan;

    plan_begin(&plan, snapshot, look->unseen, faults, decision);
    for (size_t i = 0; i < snapshot->n_vms; i++) {
        struct decide_work *work = &decision->work[i];

        if (share_takes_part(work))
            steady_tell(place, snapshot->settings.surplus, work, &decision->verdicts[i]);
        plan_vm(&plan, i);
    }
    plan_end(&plan);
}

void decide(const struct snapshot *snapshot, struct vm_track *tracks, struct decision *decision,
            const struct decide_faults *faults)
{
    struct look look = {.is_at_rest = true};
    struct place place;

    /* Once over all that is known; what comes after looks at the dense working space. */
    decision->uncommitted = model_unpromised(snapshot);
    share_begin(snapshot, &look.asked);
    for (size_t i = 0; i < snapshot->n_vms; i++)
        look_at(snapshot, i, &tracks[i], decision, faults, &look);
    look.pool.all = kib_add(look.pool.all, decision->uncommitted);
    place = share_divide(snapshot, &look.pool, &look.asked, decision);
    steady_goals(snapshot, tracks, &look.pool, &place, decision);
    conclude(snapshot, &look, &place, decision, faults);
    decision->settled = look.is_at_rest && decision->n_actions == 0;
}
