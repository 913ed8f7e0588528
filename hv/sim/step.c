/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/sim/step.h"

#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "hv/sim/guest.h"
#include "hv/sim/tell.h"
#include "hv/sim/toolstack.h"
#include "hv/sim/world.h"
#include "hv/sim/xl.h"

/* What the header promises. */
static void check_pages(const struct world *world)
{
    struct kib free = kib_floor(kib_sub(world->host.size, world->host.heap), KIB_PAGE);
    struct kib claimed = kib(0);

    for (size_t i = 0; i < world->n_domains; i++) {
        const struct sim_domain *domain = world->domains[i];

        free = kib_sub(free, kib_add(domain->tot, domain->pool));
        claimed = kib_add(claimed, domain->claim);
    }
    invariant(free.v == world->free.v && claimed.v == world->claimed.v);
    invariant(world->free.v >= world->claimed.v && world->claimed.v >= 0);
}

/* Xen's own hysteresis: the threshold halves with each signal, and comes back by doubling. */
static void signal_low_memory(struct world *world)
{
    struct kib left = world_unclaimed(world);

    if (world->host.low_memory.v == 0)
        return;
    if (left.v <= world->low_threshold.v) {
        world->low_rearm = kib(world->low_threshold.v * 2);
        world->low_threshold = kib_max(kib(world->low_threshold.v / 2), kib(KIB_PAGE));
        world->low_signals++;
        world->changes |= HV_LOW_MEMORY;
    } else if (world->low_rearm.v > 0 && left.v >= world->low_rearm.v) {
        world->low_threshold = kib_min(kib(world->low_threshold.v * 2), world->host.low_memory);
        world->low_rearm = world->low_threshold.v == world->host.low_memory.v
                               ? kib(0)
                               : kib(world->low_threshold.v * 4);
    }
}

static void run_events(struct world *world)
{
    while (world->n_events > 0 && world->events[0].due_ms <= world->now_ms) {
        struct sim_event event = world->events[0];

        world->n_events--;
        memmove(world->events, world->events + 1, world->n_events * sizeof(*world->events));
        sim_xl_planned(world, event.line);
        if (event.every_ms > 0)
            world_plan(world, event.due_ms + event.every_ms, event.every_ms, event.line);
        free(event.line);
    }
}

void world_advance(struct world *world, int64_t now_ms)
{
    while (now_ms - world->now_ms >= world->host.step_ms) {
        world->now_ms += world->host.step_ms;
        run_events(world);
        toolstack_step(world);
        guest_step(world);
        guest_tell(world);
        signal_low_memory(world);
        check_pages(world);
    }
}
