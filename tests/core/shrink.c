/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/core/shrink.h"

#define MIB 1024

/* True where it still breaks the promise; complaint is then of this one. */
static bool still_breaks(const struct world *world, const struct promise *promise,
                         struct complaint *complaint)
{
    static struct world copy;
    struct complaint other;

    world_copy(&copy, world);
    if (promise->check(&copy, &other))
        return false;
    *complaint = other;
    return true;
}

/* --- simpler hosts --------------------------------------------------------------------------- */

typedef void simplify_host(struct snapshot *snapshot);

static void no_headroom(struct snapshot *snapshot)
{
    snapshot->settings.headroom = kib(0);
}

static void no_reserve(struct snapshot *snapshot)
{
    snapshot->settings.reserve = kib(0);
}

static void no_unbound(struct snapshot *snapshot)
{
    snapshot->host.unbound = kib(0);
}

static void keep_surplus(struct snapshot *snapshot)
{
    snapshot->settings.surplus = SURPLUS_KEEP;
    snapshot->settings.blind = false;
    snapshot->settings.demand_lead_percent = 0;
}

static void nothing_to_promise(struct snapshot *snapshot)
{
    snapshot->host.free = kib_sub(snapshot->host.free, model_uncommitted(snapshot));
}

static void round_free(struct snapshot *snapshot)
{
    if (snapshot->host.free.v > 0)
        snapshot->host.free = kib_ceil(snapshot->host.free, KIB_GRANULE);
}

static void early(struct snapshot *snapshot)
{
    snapshot->now_ms = 1000000;
}

static simplify_host *const host_steps[] = {
    no_headroom, no_reserve, no_unbound, keep_surplus, nothing_to_promise, round_free, early};

/* --- simpler VMs ----------------------------------------------------------------------------- */

typedef void simplify_vm(struct world *world, size_t i);

static void forget(struct world *world, size_t i)
{
    world->paper.tracks[i] = (struct vm_track){0};
}

static void plain(struct world *world, size_t i)
{
    struct vm *vm = &world->paper.vms[i];

    vm->claim = vm->bound = kib(0);
    vm->cap_unlimited = false;
}

static void not_overridden(struct world *world, size_t i)
{
    world->paper.vms[i].overridden = false;
}

static void no_offset(struct world *world, size_t i)
{
    struct vm *vm = &world->paper.vms[i];

    vm->assigned = kib_excess(vm->assigned, vm->offset);
    vm->cap = kib_excess(vm->cap, vm->offset);
    vm->offset = kib(0);
}

static void due_cap(struct world *world, size_t i)
{
    struct vm *vm = &world->paper.vms[i];

    vm->cap = kib_max(model_cap(vm, vm->target), kib(0));
}

static void at_rest(struct world *world, size_t i)
{
    struct vm *vm = &world->paper.vms[i];

    vm->assigned = kib_max(kib_add(vm->target, vm->offset), kib(0));
}

static void ordinary(struct world *world, size_t i)
{
    struct vm *vm = &world->paper.vms[i];

    vm->settings.priority = 50;
    vm->settings.buffer_percent = 20;
    vm->settings.trust = false;
}

static void dynamic(struct world *world, size_t i)
{
    world->paper.vms[i].settings.mode = VM_MODE_DYNAMIC;
    world->paper.vms[i].state = VM_RUNNING;
}

static void speaking(struct world *world, size_t i)
{
    world->paper.vms[i].fresh = true;
    world->paper.vms[i].report.balloon = true;
}

static void no_floor(struct world *world, size_t i)
{
    world->paper.vms[i].report.floor = kib(0);
}

static void no_need(struct world *world, size_t i)
{
    world->paper.vms[i].report.need = kib(0);
}

static void follows(struct world *world, size_t i)
{
    world->guests[i] = (struct guest){.kind = GUEST_FOLLOWS, .rate = kib(MIB)};
}

/* All sizes to multiples of step. */
static void round_vm(struct vm *vm, int64_t step)
{
    struct vm_settings *settings = &vm->settings;

    settings->minimum = kib_ceil(settings->minimum, step);
    settings->startup = kib_max(kib_ceil(settings->startup, step), settings->minimum);
    settings->maximum = kib_max(kib_ceil(settings->maximum, step), settings->startup);
    vm->target = kib_ceil(vm->target, step);
    vm->assigned = kib_ceil(vm->assigned, step);
    vm->cap = kib_max(model_cap(vm, vm->target), kib(0));
    vm->report.need = kib_ceil(vm->report.need, step);
    vm->report.floor = kib_ceil(vm->report.floor, step);
}

static void round_to_granules(struct world *world, size_t i)
{
    round_vm(&world->paper.vms[i], KIB_GRANULE);
}

static void round_to_gib(struct world *world, size_t i)
{
    round_vm(&world->paper.vms[i], MIB * MIB);
}

static void one_size(struct world *world, size_t i)
{
    struct vm_settings *settings = &world->paper.vms[i].settings;

    settings->startup = settings->minimum;
}

static simplify_vm *const vm_steps[] = {forget,       plain,    not_overridden, no_offset,
                                        due_cap,      at_rest,  ordinary,       dynamic,
                                        speaking,     no_floor, no_need,        round_to_granules,
                                        round_to_gib, one_size, follows};

/* --- the search ------------------------------------------------------------------------------ */

/* The uncommitted memory stays what it is, whatever was changed about the VMs. */
static void keep_uncommitted(struct world *world, struct kib before)
{
    struct snapshot *snapshot = &world->paper.snapshot;
    struct kib change = kib_sub(before, model_uncommitted(snapshot));

    snapshot->host.free = kib_max(kib_add(snapshot->host.free, change), kib(0));
}

static bool try_without(struct world *world, size_t i, const struct promise *promise,
                        struct complaint *complaint)
{
    static struct world smaller;

    world_copy(&smaller, world);
    world_remove(&smaller, i);
    if (still_breaks(&smaller, promise, complaint)) {
        world_copy(world, &smaller);
        return true;
    }
    keep_uncommitted(&smaller, model_uncommitted(&world->paper.snapshot));
    if (!still_breaks(&smaller, promise, complaint))
        return false;
    world_copy(world, &smaller);
    return true;
}

static bool try_simpler_vm(struct world *world, size_t i, simplify_vm *simplify,
                           const struct promise *promise, struct complaint *complaint)
{
    static struct world simpler;

    world_copy(&simpler, world);
    simplify(&simpler, i);
    keep_uncommitted(&simpler, model_uncommitted(&world->paper.snapshot));
    if (!still_breaks(&simpler, promise, complaint))
        return false;
    world_copy(world, &simpler);
    return true;
}

static void simplify_all(struct world *world, const struct promise *promise,
                         struct complaint *complaint)
{
    for (size_t step = 0; step < sizeof(host_steps) / sizeof(*host_steps); step++) {
        static struct world simpler;

        world_copy(&simpler, world);
        host_steps[step](&simpler.paper.snapshot);
        if (still_breaks(&simpler, promise, complaint))
            world_copy(world, &simpler);
    }
    for (size_t i = 0; i < world->paper.snapshot.n_vms; i++)
        for (size_t step = 0; step < sizeof(vm_steps) / sizeof(*vm_steps); step++)
            (void)try_simpler_vm(world, i, vm_steps[step], promise, complaint);
}

void shrink(struct world *world, const struct promise *promise, struct complaint *complaint)
{
    for (int round = 0; round < 3; round++) {
        bool is_smaller = true;

        while (is_smaller) {
            is_smaller = false;
            for (size_t i = world->paper.snapshot.n_vms; i-- > 0;)
                is_smaller |= try_without(world, i, promise, complaint);
        }
        simplify_all(world, promise, complaint);
    }
}
