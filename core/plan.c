/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/plan.h"

#include "base/invariant.h"
#include "core/share.h"

/* A raise that cannot be whole yet waits until it is worth a write. */
#define RAISE_STEP (4 * KIB_GRANULE)

/* The even part is found in a few rounds, or nearly so; what is then left over is offered again. */
#define EVEN_ROUNDS 8

/* How badly a VM waits for memory; the worst first. */
enum urgency { BELOW_LOW, BELOW_OVERRIDE, BELOW_NEED, BELOW_GOAL, URGENCY_COUNT };
#define PLACES (URGENCY_COUNT * SHARE_PRIORITIES)

/* A plan in the making. */
struct plan {
    const struct snapshot *snapshot;
    struct decision *decision;
    struct kib left;   /* what is left to promise once everything so far is done */
    struct kib budget; /* what raises may take now */
    bool no_caps;      /* in tests */
};

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

/* --- what gives back ------------------------------------------------------------------------- */

static void add_lowering(struct plan *plan, const struct action *action)
{
    const struct vm *vm = &plan->snapshot->vms[action->vm];
    struct kib before = plan->decision->work[action->vm].counted;

    plan->left = kib_add(plan->left, kib_sub(before, model_commitment(vm, action->cap)));
    add_action(plan, action);
}

/* The cap that goes with its goal is covered by what it is counted with anyway. */
static bool is_covered(const struct decide_work *work)
{
    return due_cap(work, work->goal).v <= work->counted.v;
}

static void lower_target(struct plan *plan, size_t i)
{
    const struct decide_work *work = &plan->decision->work[i];
    struct kib cap = kib_min(due_cap(work, work->goal), work->counted);

    add_lowering(plan, &(struct action){
                           .vm = (uint32_t)i,
                           .kind = ACTION_TARGET,
                           .from = work->target,
                           .target = work->goal,
                           .cap = plan->no_caps ? plan->snapshot->vms[i].cap : cap,
                           .reason = (enum reason)work->reason,
                           .releases = true,
                       });
}

static void lower_cap(struct plan *plan, size_t i, struct kib cap, enum reason reason)
{
    const struct vm *vm = &plan->snapshot->vms[i];

    add_lowering(plan, &(struct action){
                           .vm = (uint32_t)i,
                           .kind = ACTION_CAP,
                           .from = vm->cap,
                           .target = vm->target,
                           .cap = cap,
                           .reason = reason,
                           .releases = true,
                       });
}

/* Lower targets, and the end of promises beyond them. */
static void plan_lowerings(struct plan *plan)
{
    bool is_broken = plan->left.v < 0;

    for (size_t i = 0; i < plan->snapshot->n_vms; i++) {
        const struct decide_work *work = &plan->decision->work[i];

        if (work->role == ROLE_NONE)
            continue;
        if (work->goal.v < work->target.v) {
            if (plan->budget.v < 0 || is_covered(work))
                lower_target(plan, i);
        } else if (work->cap_off > 0 && !plan->no_caps &&
                   (work->goal.v == work->target.v || is_broken)) {
            lower_cap(plan, i, due_cap(work, work->target), REASON_CAP_EXCESS);
        }
    }
}

/* Cuts one cap to what the VM has, or as far as it takes; within its action where it has one. */
static void cut_to_restore(struct plan *plan, size_t i, struct action *action)
{
    const struct vm *vm = &plan->snapshot->vms[i];
    struct kib before = action ? action->cap : vm->cap;
    struct kib cap = kib_max(vm->assigned, kib_add(before, plan->left));
    struct kib given = kib_sub(model_commitment(vm, before), model_commitment(vm, cap));

    if (given.v <= 0 || (vm->cap_unlimited && !action))
        return;
    if (!action) {
        lower_cap(plan, i, cap, REASON_RESTORE);
        return;
    }
    plan->left = kib_add(plan->left, given);
    action->cap = cap;
}

/* More is promised than there is, and lowering targets does not mend it: caps come down to what the
 * guests have. The operator's own targets, which nobody checked against the host, go first. */
static void plan_restoring(struct plan *plan)
{
    struct action *actions = plan->decision->actions;
    size_t n_lowerings = plan->decision->n_actions;

    for (int round = 0; round < 2; round++) {
        size_t next = 0; /* lowerings are in the order of VMs */

        for (size_t i = 0; i < plan->snapshot->n_vms && plan->left.v < 0; i++) {
            uint8_t role = plan->decision->work[i].role;
            bool is_turn = role != ROLE_NONE && (role == ROLE_OVERRIDDEN) == (round == 0);
            bool has_action = next < n_lowerings && actions[next].vm == i;

            if (is_turn)
                cut_to_restore(plan, i, has_action ? &actions[next] : NULL);
            next += has_action;
        }
    }
}

/* --- who waits ------------------------------------------------------------------------------- */

/* Its target is to rise, or the cap that goes with its goal is more than it is counted with. */
static bool waits(const struct decide_work *work)
{
    if (work->role == ROLE_NONE || (work->goal.v == work->target.v && work->cap_off >= 0))
        return false;
    return work->goal.v >= work->target.v || !is_covered(work);
}

/* The place in the queue: the less, the earlier. */
static size_t place_of(const struct decide_work *work)
{
    enum urgency urgency = work->standing == STANDING_BELOW_NEED ? BELOW_NEED : BELOW_GOAL;

    if (work->role == ROLE_OVERRIDDEN)
        urgency = BELOW_OVERRIDE;
    else if (work->standing == STANDING_BELOW)
        urgency = BELOW_LOW;
    return (size_t)urgency * SHARE_PRIORITIES + (size_t)(SHARE_PRIORITIES - 1 - work->priority);
}

/* Lists those who wait in parts, by urgency, then priority, then order (a counting sort). */
static size_t line_up(struct plan *plan)
{
    const struct decide_work *work = plan->decision->work;
    uint32_t begin[PLACES + 1] = {0};

    for (size_t i = 0; i < plan->snapshot->n_vms; i++)
        if (waits(&work[i]))
            begin[place_of(&work[i]) + 1]++;
    for (size_t place = 0; place < PLACES; place++)
        begin[place + 1] += begin[place];
    for (size_t i = 0; i < plan->snapshot->n_vms; i++)
        if (waits(&work[i]))
            plan->decision->parts[begin[place_of(&work[i])]++].vm = (uint32_t)i;
    return begin[PLACES];
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
        .reason = (enum reason)work->reason,
    };
    if (work->goal.v > work->target.v)
        out->target = raised_target(plan, work, part);
    if (out->target.v == work->target.v) {
        if (work->cap_off >= 0)
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
    const struct decide_work *work = plan->decision->work;
    const struct part *parts = plan->decision->parts;
    size_t n_waiting = line_up(plan);
    size_t end;

    for (size_t k = 0; k < n_waiting; k = end) {
        size_t place = place_of(&work[parts[k].vm]);

        for (end = k + 1; end < n_waiting && place_of(&work[parts[end].vm]) == place; end++)
            ;
        raise_place(plan, &parts[k], end - k);
    }
}

void plan_actions(const struct snapshot *snapshot, struct kib unseen,
                  const struct decide_faults *faults, struct decision *decision)
{
    struct plan plan = {.snapshot = snapshot,
                        .decision = decision,
                        .left = decision->uncommitted,
                        .budget = kib(KIB_LIMIT),
                        .no_caps = faults->no_caps};

    if (!faults->grow_unverified)
        plan.budget = kib_sub(decision->uncommitted, unseen);
    decision->n_actions = 0;
    plan_lowerings(&plan);
    if (decision->uncommitted.v < 0)
        plan_restoring(&plan);
    else if (plan.budget.v >= 0)
        plan_raises(&plan);
}
