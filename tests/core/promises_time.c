/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of it: promises 1, 4, 6, 11 over time, with guests that follow and guests that do
 * not. */
#include <inttypes.h>

#include "core/settle.h"
#include "core/share.h"
#include "tests/core/promises.h"

#define ARRIVE_ROUNDS 60

static bool is_at_rest(const struct vm *vm)
{
    return settle_arrived(vm);
}

/* No demand is still on its way down. */
static void calm_demand(struct world *world)
{
    for (size_t i = 0; i < world->paper.snapshot.n_vms; i++)
        world->paper.tracks[i].has_demand = false;
}

/* All follow, at once; but who is not ours, and may have no cap, does not take what others gave. */
static void make_obedient(struct world *world)
{
    for (size_t i = 0; i < world->paper.snapshot.n_vms; i++) {
        const struct vm *vm = &world->paper.vms[i];
        bool is_ours = !vm->dom0 && vm->settings.mode != VM_MODE_IGNORED;

        world->guests[i].kind = is_ours ? GUEST_FOLLOWS : GUEST_STUCK;
        world->guests[i].rate = kib(KIB_LIMIT);
    }
}

/* Decides and carries out, once; returns how much was done. */
static size_t one_pass(struct world *world, int64_t ms)
{
    paper_decide(&world->paper);
    paper_apply(&world->paper);
    world_pass(world, ms);
    return world->paper.decision.n_actions;
}

/* Promise 4, and the end of promise 6: with guests that follow, a host comes to rest soon, stays
 * there, and nobody lacks what lies idle. */
bool promise_arrives(struct world *world, struct complaint *complaint)
{
    struct paper *paper = &world->paper;
    struct kib idle;
    int quiet = 0;

    calm_demand(world);
    make_obedient(world);
    for (int round = 0; round < ARRIVE_ROUNDS && quiet < 3; round++)
        quiet = one_pass(world, 70000) > 0 ? 0 : quiet + 1;
    paper_decide(paper);
    if (paper->decision.n_actions > 0)
        return broken(complaint,
                      "it does not come to rest: vm %u from %" PRId64 " to %" PRId64 " (%s)",
                      paper->actions[0].vm, paper->actions[0].from.v, paper->actions[0].target.v,
                      reason_name(paper->actions[0].reason));
    if (!paper->decision.settled)
        return broken(complaint, "nothing is left to do, and it says that it has not settled");
    idle = paper->decision.uncommitted;
    for (size_t i = 0; i < paper->snapshot.n_vms; i++) {
        const struct vm *vm = &paper->vms[i];
        struct kib due = kib_min(paper->verdicts[i].share, share_wanted(&paper->work[i]));
        struct kib costs = kib_sub(model_cap(vm, due), model_counted(vm));

        if (paper->work[i].role == ROLE_SHARES && paper->work[i].trial == 0 &&
            due.v > vm->target.v && idle.v >= kib_max(costs, kib(0)).v)
            return broken(complaint,
                          "vm %zu lacks %" PRId64 " KiB of its share while %" PRId64 " lie idle", i,
                          due.v - vm->target.v, idle.v);
    }
    return true;
}

/* Something happens on the host. */
static void happen(struct world *world, struct random *random)
{
    struct paper *paper = &world->paper;
    size_t n = paper->snapshot.n_vms;
    size_t i;
    struct vm *vm;

    if (n == 0 || !random_chance(random, 40))
        return;
    i = random_next(random) % n;
    vm = &paper->vms[i];
    switch (random_between(random, 0, 9)) {
    case 0:
        vm->state = vm->state == VM_RUNNING ? VM_PAUSED : VM_RUNNING;
        break;
    case 1: /* it dies */
        paper->snapshot.host.free = kib_add(paper->snapshot.host.free, vm->assigned);
        world_remove(world, i);
        break;
    case 2: /* the operator sets its memory by hand, as far as there is some */
        vm->overridden = !vm->overridden;
        break;
    case 3:
        world->guests[i].kind = (enum guest_kind)random_between(random, 0, GUEST_KIND_COUNT - 1);
        break;
    default:
        vm->fresh = random_chance(random, 90);
        vm->report.need = kib(random_between(random, 0, vm->settings.maximum.v));
    }
}

/* Promise 1 over a whole history: what is left to promise never becomes less than nothing by what
 * the daemon does, and comes back where it was. */
bool promise_history(struct world *world, struct complaint *complaint)
{
    struct paper *paper = &world->paper;
    struct random random = {world->seed};

    for (int step = 0; step < 40; step++) {
        struct kib before = model_uncommitted(&paper->snapshot);
        struct kib after;

        paper_decide(paper);
        if (random_chance(&random, 50) && paper->snapshot.n_vms > 0)
            world_take_all(world, random_next(&random) % paper->snapshot.n_vms);
        for (size_t i = 0; i < paper->decision.n_actions; i++)
            if (random_chance(&random, 5)) /* it fails */
                paper->actions[i--] = paper->actions[--paper->decision.n_actions];
        paper_apply(paper);
        after = model_uncommitted(&paper->snapshot);
        if (after.v < 0 && after.v < before.v)
            return broken(complaint, "step %d: %" PRId64 " KiB are left to promise, after %" PRId64,
                          step, after.v, before.v);
        world_pass(world, random_between(&random, 1, 3000));
        happen(world, &random);
    }
    return true;
}

/* Once everybody had the time to move, so often may a target turn round in an hour in which nothing
 * happens: those who do not follow are tried again, with waits that double. */
#define MOVING_STEPS       300
#define TURNS_OF_THE_STUCK 20
#define TURNS_OF_OTHERS    1

/* Who does not come nearer to its target for so long must have been found. */
#define FOUND_MS (SETTLE_STUCK_MS + 2000)

struct watched {
    int turns;
    bool was_raised;
    int64_t since_ms; /* when it last moved, arrived, or had a new target */
    struct kib assigned, target;
};

static bool watch_one(const struct world *world, size_t i, struct watched *watched,
                      struct complaint *complaint)
{
    const struct vm *vm = &world->paper.vms[i];
    bool follows = world->guests[i].kind == GUEST_FOLLOWS;
    int64_t now_ms = world->paper.snapshot.now_ms;

    if (vm->target.v != watched->target.v) {
        bool is_raised = vm->target.v > watched->target.v;

        watched->turns += is_raised != watched->was_raised;
        watched->was_raised = is_raised;
    }
    if (watched->turns > (follows ? TURNS_OF_OTHERS : TURNS_OF_THE_STUCK))
        return broken(complaint, "vm %zu (%s) is moved to and fro %d times while nothing happens",
                      i, guest_kind_name(world->guests[i].kind), watched->turns);
    if (vm->target.v != watched->target.v || vm->assigned.v != watched->assigned.v ||
        is_at_rest(vm) || world->paper.work[i].role == ROLE_NONE)
        watched->since_ms = now_ms;
    watched->target = vm->target;
    watched->assigned = vm->assigned;
    if (now_ms - watched->since_ms > FOUND_MS && world->paper.verdicts[i].state != VM_UNRESPONSIVE)
        return broken(complaint, "vm %zu does not follow, and nobody noticed", i);
    return true;
}

static void forget_turns(struct watched *watched, size_t n)
{
    for (size_t i = 0; i < n; i++)
        watched[i].turns = 0;
}

/* Promises 6 and 11: an hour in which nothing happens. Who does not follow is found; nobody
 * oscillates. */
bool promise_quiet(struct world *world, struct complaint *complaint)
{
    static struct watched watched[PAPER_MAX];
    struct paper *paper = &world->paper;

    if (paper->snapshot.n_vms > 12)
        return true;
    calm_demand(world);
    for (size_t i = 0; i < paper->snapshot.n_vms; i++) {
        watched[i] = (struct watched){0, false, paper->snapshot.now_ms, paper->vms[i].assigned,
                                      paper->vms[i].target};
        world->guests[i].rate =
            kib_max(world->guests[i].rate, kib_scale(paper->vms[i].settings.maximum, 1, 60));
    }
    for (int step = 0; step < 1200; step++) {
        one_pass(world, step < 600 ? 1000 : 5000);
        if (step < MOVING_STEPS)
            forget_turns(watched, paper->snapshot.n_vms);
        for (size_t i = 0; i < paper->snapshot.n_vms; i++)
            if (!watch_one(world, i, &watched[i], complaint))
                return false;
    }
    return true;
}
