/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/plan.h"

#include "core/share.h"

/* A raise that cannot be whole yet waits until it is worth a write. */
#define RAISE_STEP (4 * KIB_GRANULE)

/* How badly a VM waits for memory; the worst first. */
enum urgency { BELOW_LOW, BELOW_OVERRIDE, BELOW_DEMAND, BELOW_GOAL, URGENCY_COUNT };

/* A plan in the making. */
struct plan {
    const struct snapshot *snapshot;
    struct vm_track *tracks;
    struct decision *decision;
    struct kib left;   /* what is left to promise once everything so far is done */
    struct kib budget; /* what raises may take now */
};

/* Who waits, by urgency and priority: lists through the working space's next. */
struct queue {
    uint32_t first[URGENCY_COUNT][101]; /* index + 1; 0 none */
};

/* By how much less a VM is counted with when its cap becomes this; negative: by how much more. */
static struct kib released(const struct vm *vm, struct kib cap)
{
    return kib_sub(model_counted(vm), model_commitment(vm, cap));
}

/* --- what gives back ------------------------------------------------------------------------- */

/* Until a later moment nobody spends what this cap gives back: it has to be seen first. */
static void remember_cut(struct plan *plan, size_t i)
{
    struct vm_track *track = &plan->tracks[i];
    struct kib counted = model_counted(&plan->snapshot->vms[i]);

    if (!track->cut || track->cut_ms != plan->snapshot->now_ms || track->promised.v < counted.v)
        track->promised = counted;
    track->cut = true;
    track->cut_ms = plan->snapshot->now_ms;
}

static void add_lowering(struct plan *plan, struct action action)
{
    struct decision *decision = plan->decision;

    action.releases = true;
    plan->left = kib_add(plan->left, released(&plan->snapshot->vms[action.vm], action.cap));
    remember_cut(plan, action.vm);
    decision->actions[decision->n_actions++] = action;
    decision->work[action.vm].next = (uint32_t)decision->n_actions;
}

/* The cap that goes with its goal is covered by what it is counted with anyway. */
static bool is_covered(const struct vm *vm, struct kib goal)
{
    return model_cap(vm, goal).v <= model_counted(vm).v;
}

static void lower_target(struct plan *plan, size_t i)
{
    const struct vm *vm = &plan->snapshot->vms[i];
    const struct verdict *verdict = &plan->decision->verdicts[i];

    add_lowering(plan, (struct action){
                           .vm = (uint32_t)i,
                           .kind = ACTION_TARGET,
                           .from = vm->target,
                           .target = verdict->goal,
                           .cap = kib_min(model_cap(vm, verdict->goal), model_counted(vm)),
                           .reason = verdict->reason,
                       });
}

static void lower_cap(struct plan *plan, size_t i, struct kib cap, enum reason reason)
{
    const struct vm *vm = &plan->snapshot->vms[i];

    add_lowering(plan, (struct action){
                           .vm = (uint32_t)i,
                           .kind = ACTION_CAP,
                           .from = vm->cap,
                           .target = vm->target,
                           .cap = cap,
                           .reason = reason,
                       });
}

static void plan_lowerings(struct plan *plan)
{
    bool is_broken = plan->left.v < 0;

    for (size_t i = 0; i < plan->snapshot->n_vms; i++) {
        struct decide_work *work = &plan->decision->work[i];
        struct kib goal = plan->decision->work[i].goal;

        work->next = 0;
        if (work->role == ROLE_NONE)
            continue;
        if (goal.v < work->target.v) {
            if (plan->budget.v < 0 || is_covered(&plan->snapshot->vms[i], goal))
                lower_target(plan, i);
        } else if (work->cap_off > 0 && (goal.v == work->target.v || is_broken)) {
            lower_cap(plan, i, model_cap(&plan->snapshot->vms[i], work->target), REASON_CAP_EXCESS);
        }
    }
}

/* Cuts one cap to what the VM has, or as far as it takes; within its action where it has one.
 */
static void cut_to_restore(struct plan *plan, size_t i)
{
    const struct vm *vm = &plan->snapshot->vms[i];
    uint32_t index = plan->decision->work[i].next;
    struct action *action = index > 0 ? &plan->decision->actions[index - 1] : NULL;
    struct kib before = action ? action->cap : vm->cap;
    struct kib cap = kib_max(vm->assigned, kib_add(before, plan->left));

    if (vm->cap_unlimited && !action)
        return;
    if (model_commitment(vm, cap).v >= model_commitment(vm, before).v)
        return; /* it would give nothing back */
    if (!action) {
        lower_cap(plan, i, cap, REASON_RESTORE);
        return;
    }
    plan->left =
        kib_add(plan->left, kib_sub(model_commitment(vm, before), model_commitment(vm, cap)));
    action->cap = cap;
}

/* More is promised than there is, and lowering targets does not mend it: caps come down to what
 * the guests have. The operator's own targets, which nobody checked against the host, go first.
 */
static void plan_restoring(struct plan *plan)
{
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < plan->snapshot->n_vms && plan->left.v < 0; i++) {
            uint8_t role = plan->decision->work[i].role;

            if (role != ROLE_NONE && (role == ROLE_OVERRIDDEN) == (round == 0))
                cut_to_restore(plan, i);
        }
}

/* --- who waits -------------------------------------------------------------------------------
 */

static enum urgency urgency_of(const struct decide_work *work, const struct verdict *verdict)
{
    if (work->role == ROLE_OVERRIDDEN)
        return BELOW_OVERRIDE;
    if (work->target.v < verdict->low.v)
        return BELOW_LOW;
    return work->target.v < verdict->demand.v ? BELOW_DEMAND : BELOW_GOAL;
}

/* Its target is to rise, or the cap that goes with its goal is more than it is counted with. */
static bool waits(const struct plan *plan, size_t i)
{
    const struct decide_work *work = &plan->decision->work[i];
    struct kib goal = plan->decision->work[i].goal;

    if (work->role == ROLE_NONE || (goal.v == work->target.v && work->cap_off >= 0))
        return false;
    return goal.v >= work->target.v || !is_covered(&plan->snapshot->vms[i], goal);
}

static void enqueue_waiting(struct plan *plan, struct queue *queue)
{
    *queue = (struct queue){0};
    for (size_t i = plan->snapshot->n_vms; i-- > 0;) {
        struct decide_work *work = &plan->decision->work[i];
        uint32_t *first;

        if (!waits(plan, i))
            continue;
        first = &queue->first[urgency_of(work, &plan->decision->verdicts[i])][work->priority];
        work->next = *first;
        *first = (uint32_t)i + 1;
    }
}

/* --- what takes ------------------------------------------------------------------------------
 */

static void add_raise(struct plan *plan, struct action action)
{
    struct kib released_now = released(&plan->snapshot->vms[action.vm], action.cap);

    if (released_now.v > 0)
        remember_cut(plan, action.vm);
    plan->budget = kib_add(plan->budget, kib_min(released_now, kib(0)));
    plan->decision->actions[plan->decision->n_actions++] = action;
}

/* The target that so much pays for, in whole granules; the present one where it pays for too
 * little. What the VM is counted with anyway costs nothing. */
static struct kib affordable(const struct vm *vm, struct kib goal, struct kib budget)
{
    struct kib most = kib_add(model_counted(vm), budget);
    struct kib target = kib_sub(most, model_cap(vm, kib(0)));

    if (target.v >= goal.v)
        return goal;
    target = kib_floor(kib_max(target, kib(0)), KIB_GRANULE);
    return kib_sub(target, vm->target).v >= RAISE_STEP ? target : vm->target;
}

/* What it wants may cost the host's headroom; what it gets besides may not. */
static struct kib raised_target(const struct plan *plan, const struct vm *vm, size_t i)
{
    struct kib goal = plan->decision->work[i].goal;
    struct kib wanted = kib_min(share_wanted(&plan->decision->work[i]), goal);
    struct kib besides = kib_excess(plan->budget, plan->snapshot->settings.headroom);

    if (wanted.v < vm->target.v)
        return affordable(vm, goal, besides);
    return kib_max(affordable(vm, wanted, plan->budget), affordable(vm, goal, besides));
}

/* The cap for that target, as far as the budget goes; in steps where it cannot be all. */
static struct kib affordable_cap(const struct plan *plan, const struct vm *vm, struct kib target)
{
    struct kib due = model_cap(vm, target);
    struct kib counted = model_counted(vm);
    struct kib now = vm->cap_unlimited ? counted : vm->cap;
    struct kib cap = kib_min(due, kib_add(counted, plan->budget));

    return cap.v == due.v || kib_sub(cap, now).v >= RAISE_STEP ? cap : kib_min(now, due);
}

static void raise_one(struct plan *plan, size_t i)
{
    const struct vm *vm = &plan->snapshot->vms[i];
    const struct verdict *verdict = &plan->decision->verdicts[i];
    struct action action = {
        .vm = (uint32_t)i, .kind = ACTION_TARGET, .from = vm->target, .reason = verdict->reason};

    action.target = verdict->goal;
    if (verdict->goal.v > vm->target.v)
        action.target = raised_target(plan, vm, i);
    action.cap = affordable_cap(plan, vm, action.target);
    if (action.target.v == vm->target.v) {
        if (action.cap.v <= vm->cap.v)
            return;
        action.kind = ACTION_CAP;
        action.from = vm->cap;
        action.reason = REASON_CAP_SHORT;
    }
    add_raise(plan, action);
}

static void plan_raises(struct plan *plan, const struct queue *queue)
{
    for (int urgency = 0; urgency < URGENCY_COUNT; urgency++)
        for (int priority = 100; priority >= 0; priority--)
            for (uint32_t i = queue->first[urgency][priority]; i != 0;
                 i = plan->decision->work[i - 1].next)
                raise_one(plan, i - 1);
}

void plan_actions(const struct snapshot *snapshot, struct vm_track *tracks, struct kib unseen,
                  const struct decide_faults *faults, struct decision *decision)
{
    struct plan plan = {snapshot, tracks, decision, decision->uncommitted, kib(KIB_LIMIT)};
    struct queue queue;

    if (!faults->grow_unverified)
        plan.budget = kib_sub(decision->uncommitted, unseen);
    decision->n_actions = 0;
    plan_lowerings(&plan);
    if (decision->uncommitted.v < 0)
        plan_restoring(&plan);
    if (plan.budget.v < 0)
        return;
    enqueue_waiting(&plan, &queue);
    plan_raises(&plan, &queue);
}
