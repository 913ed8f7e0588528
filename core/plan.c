/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/plan.h"

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
    return kib_sub(model_commitment(vm, vm->cap), model_commitment(vm, cap));
}

/* --- what gives back ------------------------------------------------------------------------- */

/* Until a later moment nobody spends what this cap gives back: it has to be seen first. */
static void remember_cut(struct plan *plan, size_t i)
{
    struct vm_track *track = &plan->tracks[i];
    struct kib counted = model_commitment(&plan->snapshot->vms[i], plan->snapshot->vms[i].cap);

    if (track->cut_ms != plan->snapshot->now_ms || track->promised.v < counted.v)
        track->promised = counted;
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

static void lower_target(struct plan *plan, size_t i)
{
    const struct vm *vm = &plan->snapshot->vms[i];
    const struct verdict *verdict = &plan->decision->verdicts[i];

    /* A cap that is short already is not raised on the way down. */
    add_lowering(plan,
                 (struct action){
                     .vm = (uint32_t)i,
                     .kind = ACTION_TARGET,
                     .from = vm->target,
                     .target = verdict->goal,
                     .cap = kib_min(model_cap(vm, verdict->goal), model_commitment(vm, vm->cap)),
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
        struct kib goal = plan->decision->verdicts[i].goal;

        work->next = 0;
        if (work->role == ROLE_NONE)
            continue;
        if (goal.v < work->target.v)
            lower_target(plan, i);
        else if (work->cap_off > 0 && (goal.v == work->target.v || is_broken))
            lower_cap(plan, i, model_cap(&plan->snapshot->vms[i], work->target), REASON_CAP_EXCESS);
    }
}

/* Cuts one cap to what the VM has, or as far as it takes; within its action where it has one. */
static void cut_to_restore(struct plan *plan, size_t i)
{
    const struct vm *vm = &plan->snapshot->vms[i];
    uint32_t index = plan->decision->work[i].next;
    struct action *action = index > 0 ? &plan->decision->actions[index - 1] : NULL;
    struct kib before = action ? action->cap : vm->cap;
    struct kib cap = kib_max(vm->assigned, kib_add(before, plan->left));

    if (cap.v >= before.v || (vm->cap_unlimited && !action))
        return;
    if (!action) {
        lower_cap(plan, i, cap, REASON_RESTORE);
        return;
    }
    plan->left =
        kib_add(plan->left, kib_sub(model_commitment(vm, before), model_commitment(vm, cap)));
    action->cap = cap;
}

/* More is promised than there is, and lowering targets does not mend it: caps come down to what the
 * guests have. The operator's own targets, which nobody checked against the host, go first. */
static void plan_restoring(struct plan *plan)
{
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < plan->snapshot->n_vms && plan->left.v < 0; i++) {
            uint8_t role = plan->decision->work[i].role;

            if (role != ROLE_NONE && (role == ROLE_OVERRIDDEN) == (round == 0))
                cut_to_restore(plan, i);
        }
}

/* --- who waits ------------------------------------------------------------------------------- */

static enum urgency urgency_of(const struct decide_work *work, const struct verdict *verdict)
{
    if (work->role == ROLE_OVERRIDDEN)
        return BELOW_OVERRIDE;
    if (work->target.v < verdict->low.v)
        return BELOW_LOW;
    return work->target.v < verdict->demand.v ? BELOW_DEMAND : BELOW_GOAL;
}

static void enqueue_waiting(struct plan *plan, struct queue *queue)
{
    *queue = (struct queue){0};
    for (size_t i = plan->snapshot->n_vms; i-- > 0;) {
        struct decide_work *work = &plan->decision->work[i];
        const struct verdict *verdict = &plan->decision->verdicts[i];
        uint32_t *first;

        if (work->role == ROLE_NONE || verdict->goal.v < work->target.v ||
            (verdict->goal.v == work->target.v && work->cap_off >= 0))
            continue;
        first = &queue->first[urgency_of(work, verdict)][work->priority];
        work->next = *first;
        *first = (uint32_t)i + 1;
    }
}

/* --- what takes ------------------------------------------------------------------------------ */

static void add_raise(struct plan *plan, struct action action)
{
    struct kib released_now = released(&plan->snapshot->vms[action.vm], action.cap);

    if (released_now.v > 0)
        remember_cut(plan, action.vm);
    plan->budget = kib_add(plan->budget, kib_min(released_now, kib(0)));
    plan->decision->actions[plan->decision->n_actions++] = action;
}

/* The target that the budget pays for, in whole granules; the present one where it pays for too
 * little. What the VM is counted with anyway costs nothing. */
static struct kib affordable(const struct plan *plan, const struct vm *vm, struct kib goal)
{
    struct kib most = kib_add(model_commitment(vm, vm->cap), plan->budget);
    struct kib target = kib_sub(most, model_cap(vm, kib(0)));

    if (target.v >= goal.v)
        return goal;
    target = kib_floor(kib_max(target, kib(0)), KIB_GRANULE);
    return kib_sub(target, vm->target).v >= RAISE_STEP ? target : vm->target;
}

/* A cap that is short of its target, by itself: in whole steps where it cannot be all. */
static void raise_cap(struct plan *plan, size_t i)
{
    const struct vm *vm = &plan->snapshot->vms[i];
    struct kib due = model_cap(vm, vm->target);
    struct kib cap = kib_min(due, kib_add(model_commitment(vm, vm->cap), plan->budget));

    if (cap.v < due.v && kib_sub(cap, vm->cap).v < RAISE_STEP)
        return;
    add_raise(plan, (struct action){
                        .vm = (uint32_t)i,
                        .kind = ACTION_CAP,
                        .from = vm->cap,
                        .target = vm->target,
                        .cap = cap,
                        .reason = REASON_CAP_SHORT,
                    });
}

static void raise_one(struct plan *plan, size_t i)
{
    const struct vm *vm = &plan->snapshot->vms[i];
    const struct verdict *verdict = &plan->decision->verdicts[i];
    struct kib target = vm->target;

    if (plan->decision->work[i].role != ROLE_OVERRIDDEN)
        target = affordable(plan, vm, verdict->goal);
    if (target.v > vm->target.v)
        add_raise(plan, (struct action){
                            .vm = (uint32_t)i,
                            .kind = ACTION_TARGET,
                            .from = vm->target,
                            .target = target,
                            .cap = model_cap(vm, target),
                            .reason = verdict->reason,
                        });
    else if (plan->decision->work[i].cap_off < 0)
        raise_cap(plan, i);
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
