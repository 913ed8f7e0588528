/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written, and to whom: promises 1, 2, 3, 6, 7, 10, 12, 13. */
#include <inttypes.h>
#include <string.h>

#include "core/demand.h"
#include "tests/core/promises.h"

/* Somebody takes all that it may, at any moment. */
static void disturb(struct world *world, struct random *random)
{
    for (size_t i = 0; i < world->paper.snapshot.n_vms; i++)
        if (random_chance(random, 30))
            world_take_all(world, i);
}

static void carry_out(struct vm *vm, const struct action *action)
{
    vm->cap = action->cap;
    vm->cap_unlimited = false;
    if (action->kind == ACTION_TARGET)
        vm->target = action->target;
}

/* Promise 1, after each action, whatever guests do between them and whichever actions fail. */
bool promise_each_action(struct world *world, struct complaint *complaint)
{
    struct paper *paper = &world->paper;
    struct random random = {world->seed};
    struct kib before;

    paper_decide(paper);
    before = model_uncommitted(&paper->snapshot);
    disturb(world, &random);
    for (size_t i = 0; i < paper->decision.n_actions; i++) {
        const struct action *action = &paper->actions[i];
        struct kib after;

        if (random_chance(&random, 5))
            continue;
        carry_out(&paper->vms[action->vm], action);
        if (random_chance(&random, 20))
            disturb(world, &random);
        after = model_uncommitted(&paper->snapshot);
        if (after.v < 0 && after.v < before.v)
            return broken(complaint,
                          "after action %zu (vm %u to target %" PRId64 " cap %" PRId64 ") %" PRId64
                          " KiB are left to promise, after %" PRId64,
                          i, action->vm, action->target.v, action->cap.v, after.v, before.v);
        before = after;
    }
    return true;
}

static struct kib lowest_allowed(const struct vm *vm)
{
    struct kib low = kib_max(vm->settings.minimum, demand_floor_curve(vm->settings.startup));

    low = kib_max(low, kib_scale(vm->settings.maximum, 1, 64));
    if (vm->settings.trust && vm->fresh)
        low = kib_max(low, vm->report.floor);
    return kib_min(low, vm->settings.maximum);
}

/* Promise 2. Who is outside its bounds may be brought nearer to them step by step. */
bool promise_bounds(struct world *world, struct complaint *complaint)
{
    struct paper *paper = &world->paper;

    paper_decide(paper);
    for (size_t i = 0; i < paper->decision.n_actions; i++) {
        const struct action *action = &paper->actions[i];
        const struct vm *vm = &paper->vms[action->vm];

        if (action->kind != ACTION_TARGET)
            continue;
        if (action->target.v < vm->target.v && action->target.v < lowest_allowed(vm).v)
            return broken(complaint, "vm %u is lowered to %" PRId64 ", below its %" PRId64,
                          action->vm, action->target.v, lowest_allowed(vm).v);
        if (action->target.v > vm->target.v && action->target.v > vm->settings.maximum.v)
            return broken(complaint, "vm %u is raised to %" PRId64 ", above its %" PRId64,
                          action->vm, action->target.v, vm->settings.maximum.v);
    }
    return true;
}

static bool is_a_bound(const struct vm *vm, const struct verdict *verdict, struct kib target)
{
    return target.v == lowest_allowed(vm).v || target.v == verdict->low.v ||
           target.v == verdict->high.v || target.v == vm->settings.startup.v ||
           target.v == vm->settings.minimum.v || target.v == vm->settings.maximum.v;
}

static const char *unsound(const struct paper *paper, const struct action *action)
{
    const struct vm *vm = &paper->vms[action->vm];
    const struct verdict *verdict = &paper->verdicts[action->vm];
    bool is_target = action->kind == ACTION_TARGET;
    struct kib counted = model_counted(vm);

    if (action->from.v != (is_target ? vm->target.v : vm->cap.v))
        return "starts from something else than it has";
    if (is_target && action->target.v == vm->target.v)
        return "writes the target that it has";
    if (!is_target && action->target.v != vm->target.v)
        return "says another target than it has";
    if (!is_target && action->cap.v == vm->cap.v && !vm->cap_unlimited)
        return "writes the cap that it has";
    if (action->reason == REASON_KEEP || action->reason >= REASON_COUNT)
        return "has no reason";
    if (is_target && action->target.v % KIB_GRANULE != 0 &&
        !is_a_bound(vm, verdict, action->target))
        return "has a target between large pages";
    if (action->releases && model_commitment(vm, action->cap).v > counted.v)
        return "takes, and says that it releases";
    if (action->releases && is_target && action->target.v > vm->target.v)
        return "raises, and says that it releases";
    if (action->cap.v > kib_max(model_cap(vm, action->target), counted).v)
        return "has a cap beyond its target";
    return NULL;
}

/* One action a VM at most, what gives first, each with a reason, and the same bytes every time. */
bool promise_sound_actions(struct world *world, struct complaint *complaint)
{
    static struct world again;
    struct paper *paper = &world->paper;
    bool is_written[PAPER_MAX] = {false};

    world_copy(&again, world);
    paper_decide(paper);
    paper_decide(&again.paper);
    if (paper->decision.n_actions != again.paper.decision.n_actions ||
        memcmp(paper->actions, again.paper.actions,
               paper->decision.n_actions * sizeof(struct action)) != 0)
        return broken(complaint, "the same input gave other actions");
    for (size_t i = 0; i < paper->decision.n_actions; i++) {
        const struct action *action = &paper->actions[i];
        const char *why = unsound(paper, action);

        if (why)
            return broken(complaint, "action %zu (vm %u, %s) %s", i, action->vm,
                          reason_name(action->reason), why);
        if (is_written[action->vm])
            return broken(complaint, "vm %u is written twice", action->vm);
        is_written[action->vm] = true;
        if (i > 0 && action->releases && !paper->actions[i - 1].releases)
            return broken(complaint, "action %zu releases after others took", i);
    }
    return true;
}

/* Promise 10. */
bool promise_untouchable(struct world *world, struct complaint *complaint)
{
    struct paper *paper = &world->paper;

    paper_decide(paper);
    for (size_t i = 0; i < paper->decision.n_actions; i++) {
        const struct vm *vm = &paper->vms[paper->actions[i].vm];

        if (vm->state != VM_RUNNING || vm->dom0 || vm->settings.mode == VM_MODE_IGNORED)
            return broken(complaint, "vm %u is written, which is not to be touched",
                          paper->actions[i].vm);
    }
    return true;
}

/* Promise 13: the operator's target stays, and its cap is cut only as far as promise 1 needs. */
bool promise_override(struct world *world, struct complaint *complaint)
{
    struct paper *paper = &world->paper;

    paper_decide(paper);
    for (size_t i = 0; i < paper->decision.n_actions; i++) {
        const struct action *action = &paper->actions[i];
        const struct vm *vm = &paper->vms[action->vm];
        struct kib due = model_cap(vm, vm->target);

        if (!vm->overridden)
            continue;
        if (action->kind == ACTION_TARGET)
            return broken(complaint, "vm %u loses the operator's target", action->vm);
        if (action->cap.v < kib_min(due, vm->cap).v && paper->decision.uncommitted.v >= 0)
            return broken(complaint, "vm %u's cap is cut below the operator's target without need",
                          action->vm);
        if (action->cap.v < vm->assigned.v && action->cap.v < due.v)
            return broken(complaint, "vm %u's cap is cut below what it has", action->vm);
    }
    return true;
}

/* Promise 7: who does not speak keeps what it has; who was never seen to move is only tried. */
bool promise_blind(struct world *world, struct complaint *complaint)
{
    struct paper *paper = &world->paper;

    paper_decide(paper);
    for (size_t i = 0; i < paper->decision.n_actions; i++) {
        const struct action *action = &paper->actions[i];
        const struct vm *vm = &paper->vms[action->vm];
        const struct verdict *verdict = &paper->verdicts[action->vm];
        struct kib has = kib_sub(vm->assigned, vm->offset);
        struct kib tried = kib_sub(kib_min(vm->target, has), kib(2 * KIB_GRANULE));

        if (action->kind != ACTION_TARGET)
            continue;
        if (!vm->fresh && vm->settings.mode == VM_MODE_DYNAMIC &&
            vm->target.v >= vm->settings.minimum.v && vm->target.v <= verdict->high.v)
            return broken(complaint, "vm %u does not speak and is moved", action->vm);
        if (!paper->tracks[action->vm].mobile && action->target.v < vm->target.v &&
            action->target.v < tried.v)
            return broken(complaint, "vm %u was never seen to move and is lowered to %" PRId64,
                          action->vm, action->target.v);
    }
    return true;
}

/* Promise 6: at the same moment, deciding on the result changes nothing. */
bool promise_stable(struct world *world, struct complaint *complaint)
{
    struct paper *paper = &world->paper;

    paper_decide(paper);
    paper_apply(paper);
    paper_decide(paper);
    if (paper->decision.n_actions > 0)
        return broken(complaint,
                      "deciding again: vm %u from %" PRId64 " to target %" PRId64 " cap %" PRId64
                      " (%s)",
                      paper->actions[0].vm, paper->actions[0].from.v, paper->actions[0].target.v,
                      paper->actions[0].cap.v, reason_name(paper->actions[0].reason));
    return true;
}
