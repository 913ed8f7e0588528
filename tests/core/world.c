/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/core/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *guest_kind_name(enum guest_kind kind)
{
    static const char *const names[GUEST_KIND_COUNT] = {"follows", "stuck", "floor", "ceiling",
                                                        "greedy"};

    return names[kind];
}

void world_copy(struct world *to, const struct world *from)
{
    size_t n = from->paper.snapshot.n_vms;

    to->seed = from->seed;
    to->paper.faults = from->paper.faults;
    to->paper.snapshot = from->paper.snapshot;
    to->paper.snapshot.vms = to->paper.vms;
    to->paper.decision = (struct decision){
        .verdicts = to->paper.verdicts,
        .actions = to->paper.actions,
        .work = to->paper.work,
        .parts = to->paper.parts,
        .waiting = to->paper.waiting,
    };
    memcpy(to->paper.vms, from->paper.vms, n * sizeof(*to->paper.vms));
    memcpy(to->paper.tracks, from->paper.tracks, n * sizeof(*to->paper.tracks));
    memcpy(to->guests, from->guests, n * sizeof(*to->guests));
}

static void move_to(struct world *world, size_t i, struct kib assigned)
{
    struct vm *vm = &world->paper.vms[i];
    struct kib *free = &world->paper.snapshot.host.free;
    struct kib more = kib_sub(assigned, vm->assigned);

    if (more.v > free->v)
        more = kib_max(*free, kib(0)); /* Xen has no more */
    *free = kib_sub(*free, more);
    vm->assigned = kib_add(vm->assigned, more);
    vm->claim = kib_excess(vm->claim, kib_max(more, kib(0)));
}

void world_take_all(struct world *world, size_t i)
{
    const struct vm *vm = &world->paper.vms[i];

    if (!vm->cap_unlimited && vm->cap.v > vm->assigned.v)
        move_to(world, i, vm->cap);
}

static void pass_one(struct world *world, size_t i, int64_t ms)
{
    const struct vm *vm = &world->paper.vms[i];
    const struct guest *guest = &world->guests[i];
    struct kib most = kib_scale(guest->rate, ms, 1000);
    struct kib there = kib_max(kib_add(vm->target, vm->offset), kib(0));

    if (vm->state != VM_RUNNING || vm->target.v == 0 || guest->kind == GUEST_STUCK)
        return;
    if (guest->kind == GUEST_GREEDY) {
        world_take_all(world, i);
        return;
    }
    if (guest->kind == GUEST_FLOOR)
        there = kib_max(there, kib_min(guest->limit, vm->assigned));
    if (guest->kind == GUEST_CEILING)
        there = kib_min(there, kib_max(guest->limit, vm->assigned));
    if (!vm->cap_unlimited && there.v > vm->assigned.v)
        there = kib_max(vm->assigned, kib_min(there, vm->cap));
    move_to(world, i, kib_clamp(there, kib_sub(vm->assigned, most), kib_add(vm->assigned, most)));
}

void world_pass(struct world *world, int64_t ms)
{
    for (size_t i = 0; i < world->paper.snapshot.n_vms; i++)
        pass_one(world, i, ms);
    world->paper.snapshot.now_ms += ms;
}

void world_remove(struct world *world, size_t vm)
{
    struct paper *paper = &world->paper;
    size_t after = --paper->snapshot.n_vms - vm;

    memmove(&paper->vms[vm], &paper->vms[vm + 1], after * sizeof(*paper->vms));
    memmove(&paper->tracks[vm], &paper->tracks[vm + 1], after * sizeof(*paper->tracks));
    memmove(&world->guests[vm], &world->guests[vm + 1], after * sizeof(*world->guests));
}

/* --- for people ------------------------------------------------------------------------------ */

static void print_size(const char *name, struct kib size)
{
    char text[UNITS_TEXT];

    if (size.v < 0)
        printf(" %s=-%s", name, kib_format_exact(kib(-size.v), text));
    else
        printf(" %s=%s", name, kib_format_exact(size, text));
}

static void print_flag(const char *name, bool is_set)
{
    if (is_set)
        printf(" %s", name);
}

static void print_track(const struct vm_track *track, int64_t now_ms)
{
    print_flag("mobile", track->mobile);
    if (track->has_demand)
        print_size("was-demand", track->demand);
    if (track->target.v != 0)
        print_size("watched", track->target);
    if (track->low.v != 0)
        print_size("found-low", track->low);
    if (track->high.v != 0)
        print_size("found-high", track->high);
    if (track->retry_ms != 0)
        printf(" retry-in=%" PRId64 "ms", track->retry_ms - now_ms);
    if (track->failures != 0)
        printf(" failures=%d", (int)track->failures);
    if (track->changed)
        printf(" changed-ago=%" PRId64 "ms", now_ms - track->changed_ms);
}

static void print_vm(const struct world *world, size_t i)
{
    static const char *const modes[] = {"ignored", "static", "dynamic"};
    const struct vm *vm = &world->paper.vms[i];
    const struct guest *guest = &world->guests[i];

    printf("vm %zu: %s %s", i, vm_state_name(vm->state), modes[vm->settings.mode]);
    print_flag("dom0", vm->dom0);
    print_flag("overridden", vm->overridden);
    print_flag("trust", vm->settings.trust);
    print_size("minimum", vm->settings.minimum);
    print_size("startup", vm->settings.startup);
    print_size("maximum", vm->settings.maximum);
    printf(" buffer=%d priority=%d\n     ", (int)vm->settings.buffer_percent,
           (int)vm->settings.priority);
    print_size("assigned", vm->assigned);
    print_size("target", vm->target);
    if (vm->cap_unlimited)
        printf(" cap=unlimited");
    else
        print_size("cap", vm->cap);
    print_size("offset", vm->offset);
    print_size("claim", vm->claim);
    print_size("bound", vm->bound);
    printf("\n     ");
    print_flag("fresh", vm->fresh);
    print_flag("balloon", vm->report.balloon);
    print_size("need", vm->report.need);
    print_size("floor", vm->report.floor);
    printf(" guest=%s", guest_kind_name(guest->kind));
    print_size("rate", guest->rate);
    print_size("limit", guest->limit);
    print_track(&world->paper.tracks[i], world->paper.snapshot.now_ms);
    printf("\n");
}

void world_print(const struct world *world)
{
    static const char *const surpluses[] = {"keep", "hold", "share"};
    const struct snapshot *snapshot = &world->paper.snapshot;

    printf("host:");
    print_size("free", snapshot->host.free);
    print_size("unbound", snapshot->host.unbound);
    print_size("reserve", snapshot->settings.reserve);
    print_size("headroom", snapshot->settings.headroom);
    printf(" surplus=%s", surpluses[snapshot->settings.surplus]);
    print_flag("blind", snapshot->settings.blind);
    print_size("uncommitted", model_uncommitted(snapshot));
    printf("\n");
    for (size_t i = 0; i < snapshot->n_vms; i++)
        print_vm(world, i);
}
