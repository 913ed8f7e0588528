/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arbitrary hosts: mostly sane ones, and everything that a host may come to by hand, by accident or
 * by spite. */
#include <string.h>

#include "tests/core/world.h"

/* What all VMs of one host have in common. */
struct manner {
    struct kib largest; /* VM */
    int64_t step;       /* sizes are multiples of this many KiB */
    int priorities;     /* 0 all the same, 1 only 0 and 100, 2 few, 3 any */
    bool all_fixed;     /* minimum = maximum everywhere */
    bool all_calm;      /* running, dynamic, fresh, at rest */
    int with_memory;    /* percent of tracks that remember something */
};

static struct kib random_size(struct random *random, struct kib low, struct kib high, int64_t step)
{
    struct kib size = kib(random_between(random, low.v, kib_max(low, high).v));

    return kib_clamp(kib_floor(size, step), low, high);
}

static size_t random_count(struct random *random)
{
    int64_t choice = random_between(random, 0, 99);

    if (choice < 2)
        return 0;
    if (choice < 8)
        return 1;
    if (choice < 60)
        return (size_t)random_between(random, 2, 8);
    return (size_t)(choice < 92 ? random_between(random, 9, 40) : random_between(random, 41, 200));
}

static struct manner random_manner(struct random *random)
{
    static const int64_t largest[] = {
        KIB_GRANULE,       64 * 1024,         INT64_C(4) << 20,  INT64_C(4) << 20,
        INT64_C(64) << 20, INT64_C(64) << 20, INT64_C(64) << 20, KIB_LIMIT,
    };
    static const int64_t steps[] = {1, KIB_PAGE, 1024, KIB_GRANULE, KIB_GRANULE, KIB_GRANULE};

    return (struct manner){
        .largest = kib(largest[random_next(random) % 8]),
        .step = steps[random_next(random) % 6],
        .priorities = (int)random_between(random, 0, 3),
        .all_fixed = random_chance(random, 3),
        .all_calm = random_chance(random, 40),
        .with_memory = random_chance(random, 50) ? 30 : 0,
    };
}

static int32_t random_priority(struct random *random, int manner)
{
    static const int32_t few[] = {10, 50, 50, 90};

    switch (manner) {
    case 0:
        return 50;
    case 1:
        return random_chance(random, 50) ? 100 : 0;
    case 2:
        return few[random_next(random) % 4];
    default:
        return (int32_t)random_between(random, 0, 100);
    }
}

static struct vm_settings random_settings(struct random *random, const struct manner *manner)
{
    struct vm_settings settings = {
        .buffer_percent = 20,
        .priority = random_priority(random, manner->priorities),
        .mode = VM_MODE_DYNAMIC,
        .trust = random_chance(random, 10),
    };

    if (random_chance(random, 20))
        settings.buffer_percent =
            (int32_t)random_between(random, 5, random_chance(random, 50) ? 100 : 2000);
    settings.maximum = random_size(random, kib(1), manner->largest, manner->step);
    settings.minimum = random_size(random, kib(1), settings.maximum, manner->step);
    if (random_chance(random, 60))
        settings.minimum = kib_max(kib_scale(settings.minimum, 1, 8), kib(1));
    if (manner->all_fixed || random_chance(random, 3))
        settings.minimum = settings.maximum;
    settings.startup = random_size(random, settings.minimum, settings.maximum, manner->step);
    if (!manner->all_calm && random_chance(random, 15))
        settings.mode = random_chance(random, 50) ? VM_MODE_STATIC : VM_MODE_IGNORED;
    return settings;
}

static void generate_report(struct random *random, const struct manner *manner, struct vm *vm)
{
    struct kib most = kib_add(vm->settings.maximum, kib_scale(vm->settings.maximum, 1, 4));

    vm->fresh = manner->all_calm || random_chance(random, 85);
    if (!vm->fresh && random_chance(random, 50))
        return;
    vm->report.source = NEED_AGENT;
    vm->report.need = random_size(random, kib(0), most, 1);
    if (random_chance(random, 50))
        vm->report.need = kib_scale(vm->report.need, 1, 4);
    if (random_chance(random, 20))
        vm->report.floor = random_size(random, kib(0), most, 1);
    vm->report.balloon = random_chance(random, 80);
}

/* A domain that xl is building: it has little, and claims the rest. */
static void make_built(struct random *random, struct vm *vm)
{
    vm->state = VM_BUILDING;
    vm->assigned = random_size(random, kib(0), vm->target, KIB_PAGE);
    vm->claim = kib_sub(vm->target, vm->assigned);
    if (random_chance(random, 50))
        vm->target = kib(0);
}

static void disturb(struct random *random, const struct manner *manner, struct vm *vm)
{
    if (random_chance(random, 15))
        vm->target = random_size(random, kib(1), manner->largest, manner->step);
    if (random_chance(random, 25))
        vm->assigned = random_size(random, kib(0), vm->settings.maximum, KIB_PAGE);
    if (random_chance(random, 15))
        vm->cap = random_size(random, kib(0), kib_add(vm->settings.maximum, CAP_SLACK), KIB_PAGE);
    if (random_chance(random, 5))
        vm->cap = vm->assigned;
    vm->cap_unlimited = random_chance(random, 2);
    vm->overridden = random_chance(random, 6);
    if (random_chance(random, 3))
        vm->bound = random_size(random, kib(0), vm->settings.maximum, KIB_PAGE);
    if (random_chance(random, 4))
        make_built(random, vm);
    else if (random_chance(random, 8))
        vm->state = (enum vm_state)random_between(random, VM_BUILDING, VM_DYING);
    vm->dom0 = random_chance(random, 2);
}

static void generate_vm(struct random *random, const struct manner *manner, struct vm *vm)
{
    struct kib high;

    *vm = (struct vm){.state = VM_RUNNING, .settings = random_settings(random, manner)};
    high = kib_max(vm->settings.maximum, kib(1));
    vm->target = random_size(random, vm->settings.minimum, high, manner->step);
    if (random_chance(random, 30))
        vm->offset = kib(random_between(random, -16, 5000) / KIB_PAGE * KIB_PAGE);
    vm->assigned = kib_max(kib_add(vm->target, vm->offset), kib(0));
    vm->cap = kib_max(model_cap(vm, vm->target), kib(0));
    generate_report(random, manner, vm);
    if (!manner->all_calm && random_chance(random, 60))
        disturb(random, manner, vm);
}

static void generate_track(struct random *random, const struct vm *vm, int64_t now_ms,
                           struct vm_track *track)
{
    *track = (struct vm_track){
        .has_demand = random_chance(random, 70),
        .demand = random_size(random, kib(0), vm->settings.maximum, 1),
        .demand_ms = now_ms - random_between(random, 0, 100000),
        .mobile = random_chance(random, 70),
        .target = vm->target,
        .unproved =
            kib_max(kib_floor(kib_excess(vm->target, kib(KIB_GRANULE)), KIB_GRANULE), kib(1)),
        .seen = kib_sub(vm->assigned, vm->offset),
        .start = kib_sub(vm->assigned, vm->offset),
        .progress_ms = now_ms - random_between(random, 0, 10000),
        .changed = random_chance(random, 60),
        .changed_ms = now_ms - random_between(random, 0, 200000),
    };
    if (random_chance(random, 20)) {
        struct kib found = random_size(
            random, kib(KIB_GRANULE), kib_max(vm->settings.maximum, kib(KIB_GRANULE)), KIB_GRANULE);

        if (random_chance(random, 60))
            track->low = found;
        else
            track->high = found;
        track->failures = (int32_t)random_between(random, 1, 5);
        track->retry_ms = now_ms + random_between(random, -1000, 60000);
    }
}

static void generate_guest(struct random *random, const struct vm *vm, struct guest *guest)
{
    static const enum guest_kind kinds[] = {GUEST_FOLLOWS, GUEST_FOLLOWS, GUEST_FOLLOWS,
                                            GUEST_FOLLOWS, GUEST_STUCK,   GUEST_FLOOR,
                                            GUEST_CEILING, GUEST_GREEDY};

    *guest = (struct guest){
        .kind = kinds[random_next(random) % 8],
        .rate = kib(INT64_C(1) << random_between(random, 8, 30)),
        .limit = random_size(random, kib(0), vm->settings.maximum, KIB_PAGE),
    };
}

/* How much is left to promise: nothing, a little, plenty, or less than nothing. */
static struct kib random_uncommitted(struct random *random, struct kib sum)
{
    switch (random_between(random, 0, 7)) {
    case 0:
        return kib(0);
    case 1:
        return kib(random_between(random, 0, 10000));
    case 2:
        return kib(-random_between(random, 1, sum.v / 8 + 2));
    case 3:
        return kib(random_between(random, 0, sum.v * 2 + 1));
    default:
        return kib(random_between(random, 0, sum.v / 4 + 1));
    }
}

static void generate_host(struct random *random, struct paper *paper)
{
    struct snapshot *snapshot = &paper->snapshot;
    struct kib sum = kib(0);

    for (size_t i = 0; i < snapshot->n_vms; i++)
        sum = kib_add(sum, kib_add(paper->vms[i].assigned, kib(1)));
    snapshot->settings.surplus = (enum surplus)random_between(random, SURPLUS_KEEP, SURPLUS_SHARE);
    if (random_chance(random, 50))
        snapshot->settings.surplus = SURPLUS_KEEP;
    if (random_chance(random, 50))
        snapshot->settings.reserve = kib(random_between(random, 0, 1 << 20));
    if (random_chance(random, 40))
        snapshot->settings.headroom = kib(random_between(random, 0, sum.v / 4 + 1));
    if (random_chance(random, 10))
        snapshot->host.unbound = kib(random_between(random, 0, sum.v / 4 + 1));
    snapshot->settings.blind = random_chance(random, 30);
    if (random_chance(random, 80))
        snapshot->settings.demand_half_life_ms = random_between(random, 1, 86400000);
    if (random_chance(random, 50))
        snapshot->settings.demand_lead_percent = (int32_t)random_between(random, 0, 25);
    snapshot->host.free = kib(0);
    snapshot->host.free = kib_excess(random_uncommitted(random, sum), model_uncommitted(snapshot));
    snapshot->host.total = kib_add(snapshot->host.free, sum);
}

void world_generate(struct world *world, uint64_t seed)
{
    struct random random = {seed};
    struct manner manner = random_manner(&random);
    struct paper *paper = &world->paper;
    size_t n = random_count(&random);

    world->seed = random_next(&random);
    paper_init(paper, 0);
    paper->snapshot.now_ms =
        random_chance(&random, 5) ? 0 : random_between(&random, 0, INT64_C(1) << 40);
    paper->snapshot.n_vms = n;
    for (size_t i = 0; i < n; i++) {
        bool is_twin = i > 0 && random_chance(&random, 15);

        generate_vm(&random, &manner, &paper->vms[i]);
        if (random_chance(&random, manner.with_memory))
            generate_track(&random, &paper->vms[i], paper->snapshot.now_ms, &paper->tracks[i]);
        generate_guest(&random, &paper->vms[i], &world->guests[i]);
        if (is_twin) {
            paper->vms[i] = paper->vms[i - 1];
            paper->tracks[i] = paper->tracks[i - 1];
        }
    }
    generate_host(&random, paper);
}
