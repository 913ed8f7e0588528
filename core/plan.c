/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/plan.h"

#include "base/invariant.h"

/* A raise that cannot be whole yet waits until it is worth a write. */
#define RAISE_STEP (4 * KIB_GRANULE)

/* The even part is found in a few rounds, or nearly so; what is then left over is offered again. */
#define EVEN_ROUNDS 8

static struct kib due_cap(const struct decide_work *work, struct kib target)
{
    return kib_add(target, kib(work->overhead));
}

/* At most one a VM: what is lowered is not raised, and nothing is raised while a promise is broken.
 */
static void add_action(struct plan *plan, const struct action *action)
{
    invariant(plan->decision->n_actions < plan->snapshot->n_vms);
    plan->decision->actions[plan->decision->n_actions++] = *action;
}

/* --- who waits ------------------------------------------------------------------------------- */

/* The place in the queue: the less, the earlier. */
static size_t place_of(const struct decide_work *work)
{
    enum plan_urgency urgency =
        work->standing == STANDING_BELOW_NEED ? PLAN_BELOW_NEED : PLAN_BELOW_GOAL;

    if (work->role == ROLE_OVERRIDDEN)
        urgency = PLAN_BELOW_OVERRIDE;
    else if (work->standing == STANDING_BELOW)
        urgency = PLAN_BELOW_LOW;
    return (size_t)urgency * SHARE_PRIORITIES + (size_t)(SHARE_PRIORITIES - 1 - work->priority);
}

/* Its target is to rise, or the cap that goes with its goal is more than it is counted with. */
static void line_up(struct plan *plan, size_t i)
{
    size_t place = place_of(&plan->decision->work[i]);

    plan->decision->waiting[plan->n_waiting++] = (struct waiting){(uint32_t)i, (uint32_t)place};
    plan->n_in_place[place]++;
}

/* Lists those who wait in parts, by place, then order (a counting sort). */
static void sort_queue(struct plan *plan)
{
    size_t begin[PLAN_PLACES];
    size_t n = 0;

    for (size_t place = 0; place < PLAN_PLACES; place++) {
        begin[place] = n;
        n += plan->n_in_place[place];
    }
    for (size_t k = 0; k < n; k++) {
        const struct waiting *it = &plan->decision->waiting[k];

        plan->decision->parts[begin[it->place]++].vm = it->vm;
    }
}

/* --- what gives back ------------------------------------------------------------------------- */

/* The cap that goes with its goal is covered by what it is counted with anyway. */
static bool is_covered(const struct decide_work *work)
{
    return due_cap(work, work->goal).v <= work->counted.v;
}

static void lower_target(struct plan *plan, size_t i)
{
    const struct decide_work *work = &plan->decision->work[i];
    struct kib cap = kib_min(due_cap(work, work->goal), work->counted);

    add_action(plan, &(struct action){
                         .vm = (uint32_t)i,
                         .kind = ACTION_TARGET,
                         .from = work->target,
                         .target = work->goal,
                         .cap = plan->no_caps ? plan->snapshot->vms[i].cap : cap,
                         .reason = work->reason,
                         .releases = true,
                     });
}

static void lower_cap(struct plan *plan, size_t i, struct kib cap, enum reason reason)
{
    const struct vm *vm = &plan->snapshot->vms[i];

    add_action(plan, &(struct action){
                         .vm = (uint32_t)i,
                         .kind = ACTION_CAP,
                         .from = vm->cap,
                         .target = vm->target,
                         .cap = cap,
                         .reason = reason,
                         .releases = true,
                     });
}

void plan_vm(struct plan *plan, size_t i)
{
    const struct decide_work *work = &plan->decision->work[i];
    /* While more is promised than there is, nothing is raised, and nobody waits for it. */
    bool is_to_move = work->goal.v != work->target.v && plan->decision->uncommitted.v >= 0;

    if (work->role == ROLE_NONE)
        return;
    if (work->goal.v < work->target.v && (plan->budget.v < 0 || is_covered(work)))
        lower_target(plan, i);
    else if (is_to_move || work->cap == CAP_SHORT)
        line_up(plan, i);
    else if (work->cap == CAP_EXCESS && !plan->no_caps)
        lower_cap(plan, i, due_cap(work, work->target), REASON_CAP_EXCESS);
}

/* --- what restores promise 1 ----------------------------------------------------------------- */

/* What is left to promise once everything so far is done. */
static struct kib left_by(const struct plan *plan)
{
    const struct decision *decision = plan->decision;
    struct kib left = decision->uncommitted;

    for (size_t k = 0; k < decision->n_actions; k++) {
        const struct action *action = &decision->actions[k];
        struct kib counted = model_commitment(&plan->snapshot->vms[action->vm], action->cap);

        left = kib_add(left, kib_sub(decision->work[action->vm].counted, counted));
    }
    return left;
}

/* Cuts one cap to what the VM has, or as far as it takes to give so much back; within its action
 * where it has one. Returns what it gives. */
static struct kib cut_to_restore(struct plan *plan, size_t i, struct kib missing,
                                 struct action *action)
{
    const struct vm *vm = &plan->snapshot->vms[i];
    struct kib before = action ? action->cap : vm->cap;
    struct kib cap = kib_max(vm->assigned, kib_sub(before, missing));
    struct kib given = kib_sub(model_commitment(vm, before), model_commitment(vm, cap));

    if (given.v <= 0 || (vm->cap_unlimited && !action))
        return kib(0);
    if (action)
        action->cap = cap;
    else
        lower_cap(plan, i, cap, REASON_RESTORE);
    return given;
}

/* More is promised than there is, and lowering targets does not mend it: caps come down to what the
 * guests have. The operator's own targets, which nobody checked against the host, go first. */
static void plan_restoring(struct plan *plan)
{
    struct action *actions = plan->decision->actions;
    size_t n_lowerings = plan->decision->n_actions;
    struct kib left = left_by(plan);

    for (int round = 0; round < 2; round++) {
        size_t next = 0; /* lowerings are in the order of VMs */

        for (size_t i = 0; i < plan->snapshot->n_vms && left.v < 0; i++) {
            enum role role = plan->decision->work[i].role;
            bool is_turn = role != ROLE_NONE && (role == ROLE_OVERRIDDEN) == (round == 0);
            struct action *action =
                next < n_lowerings && actions[next].vm == i ? &actions[next++] : NULL;

            if (is_turn)
                left = kib_add(left, cut_to_restore(plan, i, kib(-left.v), action));
        }
    }
}

/* --- what takes ------------------------------------------------------------------------------ */

/* The target that so much pays for, in whole granules; the present one where it pays for too
 * little. What the VM is counted with anyway costs nothing. */
static struct kib affordable(const struct decide_work *work, struct kib goal, struct kib budget)
{
    struct kib target = kib_sub(kib_add(work->counted, budget), kib(work->overhead));

    if (target.v >= goal.v)
        return goal;
    target = kib_floor(kib_max(target, kib(0)), KIB_GRANULE);
    return kib_sub(target, work->target).v >= RAISE_STEP ? target : work->target;
}

/* What it wants may cost the host's headroom; what it gets besides may not. */
static struct kib raised_target(const struct plan *plan, const struct decide_work *work,
                                struct kib part)
{
    struct kib wanted = kib_min(share_wanted(work), work->goal);
    struct kib besides = kib_excess(plan->budget, plan->snapshot->settings.headroom);

    besides = kib_min(besides, part);
    if (wanted.v < work->target.v)
        return affordable(work, work->goal, besides);
    return kib_max(affordable(work, wanted, part), affordable(work, work->goal, besides));
}

/* The cap for that target, as far as its part goes; in steps where it cannot be all. */
static struct kib affordable_cap(const struct plan *plan, size_t i, struct kib target,
                                 struct kib part)
{
    const struct vm *vm = &plan->snapshot->vms[i];
    const struct decide_work *work = &plan->decision->work[i];
    struct kib due = due_cap(work, target);
    struct kib cap = kib_min(due, kib_add(work->counted, part));
    struct kib now;

    if (cap.v == due.v)
        return due;
    now = vm->cap_unlimited ? work->counted : vm->cap;
    return kib_sub(cap, now).v >= RAISE_STEP ? cap : kib_min(now, due);
}

/* What the action takes out of the budget. */
static struct kib cost_of(const struct plan *plan, const struct action *action)
{
    return kib_excess(action->cap, plan->decision->work[action->vm].counted);
}

/* The action that raises it by no more than its part of the budget; false where there is none. */
static bool make_raise(const struct plan *plan, size_t i, struct kib part, struct action *out)
{
    const struct decide_work *work = &plan->decision->work[i];

    *out = (struct action){
        .vm = (uint32_t)i,
        .kind = ACTION_TARGET,
        .from = work->target,
        .target = work->goal,
        .reason = work->reason,
    };
    if (work->goal.v > work->target.v)
        out->target = raised_target(plan, work, part);
    if (out->target.v == work->target.v) {
        if (work->cap != CAP_SHORT)
            return false;
        out->kind = ACTION_CAP;
        out->from = plan->snapshot->vms[i].cap;
        out->reason = REASON_CAP_SHORT;
    }
    out->cap = affordable_cap(plan, i, out->target, part);
    return out->kind == ACTION_TARGET || out->cap.v > out->from.v;
}

/* The most that everybody may take, so that those who need less leave the rest to the others. */
static struct kib even_part(const struct plan *plan, const struct part *waiting, size_t n)
{
    struct kib part = kib(plan->budget.v / (int64_t)n);
    size_t n_before = 0; /* nobody needs less: the part stays as it is */

    for (int round = 0; round < EVEN_ROUNDS; round++) {
        struct kib less = kib(0);
        size_t n_less = 0;

        for (size_t k = 0; k < n; k++) {
            const struct decide_work *work = &plan->decision->work[waiting[k].vm];
            struct kib ask = kib_excess(due_cap(work, work->goal), work->counted);

            less = kib_add(less, ask.v <= part.v ? ask : kib(0));
            n_less += ask.v <= part.v;
        }
        if (n_less == n)
            return plan->budget;
        if (n_less == n_before)
            break;
        n_before = n_less;
        part = kib(kib_sub(plan->budget, less).v / (int64_t)(n - n_less));
    }
    return kib_max(part, kib(RAISE_STEP));
}

/* Raises it out of the whole budget. before: what it gets already, NULL nothing. */
static void raise_further(struct plan *plan, size_t i, struct action *before)
{
    struct kib cost = before ? cost_of(plan, before) : kib(0);
    struct action action;

    plan->budget = kib_add(plan->budget, cost);
    if (make_raise(plan, i, plan->budget, &action) && cost_of(plan, &action).v > cost.v) {
        cost = cost_of(plan, &action);
        if (before)
            *before = action;
        else
            add_action(plan, &action);
    }
    plan->budget = kib_sub(plan->budget, cost);
}

/* Offers what was left over, as steps and large pages have it, to all once more, one after the
 * other. Their actions so far, in the same order, begin at the first'th. */
static void offer_rest(struct plan *plan, const struct part *waiting, size_t n, size_t first)
{
    struct action *actions = plan->decision->actions;
    size_t end = plan->decision->n_actions;

    for (size_t k = 0; k < n && plan->budget.v > 0; k++) {
        bool is_raised = first < end && actions[first].vm == waiting[k].vm;

        raise_further(plan, waiting[k].vm, is_raised ? &actions[first] : NULL);
        first += is_raised;
    }
}

/*
 * Those in one place of the queue are raised side by side, by the same amount. One after the other,
 * the first would be promised all that is there, long before its balloon can take it, while the
 * balloons of the others stand still.
 */
static void raise_place(struct plan *plan, const struct part *waiting, size_t n)
{
    struct kib all = plan->budget;
    struct kib part = even_part(plan, waiting, n);
    size_t first = plan->decision->n_actions;

    for (size_t k = 0; k < n; k++) {
        struct action action;

        if (!make_raise(plan, waiting[k].vm, kib_min(part, plan->budget), &action))
            continue;
        add_action(plan, &action);
        plan->budget = kib_sub(plan->budget, cost_of(plan, &action));
    }
    if (part.v < all.v)
        offer_rest(plan, waiting, n, first);
}

static void plan_raises(struct plan *plan)
{
    const struct part *waiting = plan->decision->parts;

    sort_queue(plan);
    for (size_t place = 0; place < PLAN_PLACES; place++) {
        size_t n = plan->n_in_place[place];

        if (n > 0)
            raise_place(plan, waiting, n);
        waiting += n;
    }
}

/* --- the whole ------------------------------------------------------------------------------- */

void plan_begin(struct plan *plan, const struct snapshot *snapshot, struct kib unseen,
                const struct decide_faults *faults, struct decision *decision)
{
    *plan = (struct plan){.snapshot = snapshot,
                          .decision = decision,
                          .budget = kib(KIB_LIMIT),
                          .no_caps = faults->no_caps};
    if (!faults->grow_unverified)
        plan->budget = kib_sub(decision->uncommitted, unseen);
    decision->n_actions = 0;
}

void plan_end(struct plan *plan)
{
    if (plan->decision->uncommitted.v < 0)
        plan_restoring(plan);
    else if (plan->budget.v >= 0)
        plan_raises(plan);
}
