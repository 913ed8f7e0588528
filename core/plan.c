/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/plan.h"

#include "core/settle.h"

/* A raise that cannot be whole yet waits until it is worth a write. */
#define RAISE_STEP (4 * KIB_GRANULE)

/* How badly a VM waits for memory; the worst first. */
enum urgency { BELOW_LOW, BELOW_DEMAND, BELOW_GOAL, URGENCY_COUNT };

struct kib plan_cap(const struct vm *vm, struct kib target)
{
    return kib_add(target, kib_add(vm->offset, CAP_SLACK));
}

struct kib plan_commitment(const struct vm *vm, struct kib cap)
{
    struct kib most = kib_add(vm->assigned, vm->claim);

    most = kib_max(most, vm->bound);
    return vm->cap_unlimited ? most : kib_max(most, cap);
}

static void add_action(struct decision *decision, const struct action *action)
{
    decision->actions[decision->n_actions++] = *action;
}

/* What the uncommitted memory grows by (or shrinks, if negative) when the cap of this VM changes.
 */
static struct kib released(const struct vm *vm, struct kib cap)
{
    return kib_sub(plan_commitment(vm, vm->cap), plan_commitment(vm, cap));
}

static struct kib plan_lowerings(const struct snapshot *snapshot, const bool *managed,
                                 const bool *movable, struct kib uncommitted,
                                 struct decision *decision)
{
    for (size_t i = 0; i < snapshot->n_vms; i++) {
        const struct vm *vm = &snapshot->vms[i];
        struct action action = {.vm = (uint32_t)i, .releases = true};

        if (!managed[i])
            continue;
        if (movable[i] && decision->verdicts[i].goal.v < vm->target.v) {
            action.kind = ACTION_TARGET;
            action.from = vm->target;
            action.target = decision->verdicts[i].goal;
            action.cap = plan_cap(vm, action.target);
            action.reason = decision->verdicts[i].reason;
        } else if (!vm->overridden &&
                   !(movable[i] && decision->verdicts[i].goal.v > vm->target.v) &&
                   vm->cap.v > plan_cap(vm, vm->target).v) {
            action.kind = ACTION_CAP;
            action.from = vm->cap;
            action.target = vm->target;
            action.cap = plan_cap(vm, vm->target);
            action.reason = REASON_CAP_EXCESS;
        } else {
            continue;
        }
        uncommitted = kib_add(uncommitted, released(vm, action.cap));
        add_action(decision, &action);
    }
    return uncommitted;
}

/* The operator's own targets are honoured, but a cap that would break promise 1 is not. */
static struct kib cut_overridden(const struct snapshot *snapshot, const bool *managed,
                                 struct kib uncommitted, struct decision *decision)
{
    for (size_t i = 0; i < snapshot->n_vms && uncommitted.v < 0; i++) {
        const struct vm *vm = &snapshot->vms[i];
        struct action action = {.vm = (uint32_t)i,
                                .kind = ACTION_CAP,
                                .from = vm->cap,
                                .target = vm->target,
                                .reason = REASON_RESTORE,
                                .releases = true};

        if (!managed[i] || !vm->overridden || vm->cap.v <= vm->assigned.v)
            continue;
        action.cap = kib_max(vm->assigned, kib_add(vm->cap, uncommitted));
        uncommitted = kib_add(uncommitted, released(vm, action.cap));
        add_action(decision, &action);
    }
    return uncommitted;
}

static enum urgency urgency_of(const struct vm *vm, const struct verdict *verdict)
{
    if (vm->target.v < verdict->low.v)
        return BELOW_LOW;
    return vm->target.v < verdict->demand.v ? BELOW_DEMAND : BELOW_GOAL;
}

/* The target that uncommitted pays for, in whole granules; the present one where it pays for too
 * little. */
static struct kib affordable(const struct vm *vm, struct kib goal, struct kib uncommitted)
{
    struct kib room =
        kib_add(uncommitted, kib_excess(plan_commitment(vm, vm->cap), plan_cap(vm, vm->target)));
    struct kib target = kib_min(goal, kib_add(vm->target, kib_max(room, kib(0))));

    if (target.v == goal.v)
        return goal;
    target = kib_floor(target, KIB_GRANULE);
    return target.v - vm->target.v >= RAISE_STEP ? target : vm->target;
}

static struct kib raise_one(const struct snapshot *snapshot, size_t i, bool movable,
                            struct kib uncommitted, bool unlimited, struct decision *decision)
{
    const struct vm *vm = &snapshot->vms[i];
    struct verdict *verdict = &decision->verdicts[i];
    struct action action = {.vm = (uint32_t)i, .kind = ACTION_TARGET, .from = vm->target};
    struct kib budget = unlimited ? kib(KIB_LIMIT) : uncommitted;

    action.target = movable && verdict->goal.v > vm->target.v
                        ? affordable(vm, verdict->goal, budget)
                        : vm->target;
    action.cap = plan_cap(vm, action.target);
    action.reason = verdict->reason;
    if (action.target.v == vm->target.v) {
        if (vm->cap.v >= action.cap.v || released(vm, action.cap).v + budget.v < 0)
            return uncommitted;
        action.kind = ACTION_CAP;
        action.from = vm->cap;
        action.reason = REASON_CAP_SHORT;
    }
    add_action(decision, &action);
    return kib_add(uncommitted, released(vm, action.cap));
}

/* Who waits for memory, in the order of urgency, then priority: lists through decision->links. */
struct queue {
    uint32_t first[URGENCY_COUNT][101]; /* index + 1; 0 none */
};

static void enqueue_all(const struct snapshot *snapshot, const bool *managed,
                        struct decision *decision, struct queue *queue)
{
    *queue = (struct queue){0};
    for (size_t i = snapshot->n_vms; i-- > 0;) {
        const struct vm *vm = &snapshot->vms[i];
        uint32_t *first =
            &queue->first[urgency_of(vm, &decision->verdicts[i])][vm->settings.priority];

        if (!managed[i])
            continue;
        decision->links[i] = *first;
        *first = (uint32_t)i + 1;
    }
}

static void plan_raises(const struct snapshot *snapshot, const bool *managed, const bool *movable,
                        struct kib uncommitted, bool unlimited, struct decision *decision)
{
    struct queue queue;

    enqueue_all(snapshot, managed, decision, &queue);
    for (int urgency = 0; urgency < URGENCY_COUNT; urgency++)
        for (int priority = 100; priority >= 0; priority--)
            for (uint32_t i = queue.first[urgency][priority]; i != 0; i = decision->links[i - 1])
                uncommitted =
                    raise_one(snapshot, i - 1, movable[i - 1], uncommitted, unlimited, decision);
}

void plan_actions(const struct snapshot *snapshot, const bool *managed, const bool *movable,
                  const struct decide_faults *faults, struct decision *decision)
{
    struct kib uncommitted = decision->uncommitted;

    decision->n_actions = 0;
    uncommitted = plan_lowerings(snapshot, managed, movable, uncommitted, decision);
    uncommitted = cut_overridden(snapshot, managed, uncommitted, decision);
    if (uncommitted.v >= 0 || faults->grow_unverified)
        plan_raises(snapshot, managed, movable, uncommitted, faults->grow_unverified, decision);
}
