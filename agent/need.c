/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/need.h"

#include "agent/kernel.h"
#include "core/report.h"

/* Without a file behind it, memory can only go to swap. */
static struct kib stuck(const struct meminfo *memory)
{
    struct kib homeless = kib_add(memory->anonymous, memory->shmem);

    return kib_max(memory->unevictable, kib_excess(homeless, memory->swap_free));
}

static struct kib floor_of(const struct kernel_view *view)
{
    const struct meminfo *memory = &view->memory;
    const struct kib parts[] = {
        kib_excess(view->held, memory->total),
        memory->unreclaimable,
        memory->kernel_stack,
        memory->page_tables,
        memory->second_page_tables,
        memory->per_cpu,
        memory->huge,
        stuck(memory),
    };
    struct kib sum = kib(0);

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        sum = kib_add(sum, parts[i]);
    return kib_min(sum, view->held);
}

static struct kib cache_of(const struct meminfo *memory)
{
    return kib_add(kib_add(memory->buffers, kib_excess(memory->cached, memory->shmem)),
                   memory->reclaimable);
}

/* KiB a second; counters that went back (they never should) give 0. */
static int32_t rate(uint64_t now, uint64_t before, int64_t elapsed_ms, int64_t page_kib)
{
    struct kib moved, a_second;

    if (now <= before || elapsed_ms <= 0)
        return 0;
    now -= before;
    if (now > (uint64_t)(KIB_LIMIT / page_kib))
        return INT32_MAX;
    moved = kib((int64_t)now * page_kib);
    a_second = kib_scale(moved, 1000, elapsed_ms);
    return a_second.v > INT32_MAX ? INT32_MAX : (int32_t)a_second.v;
}

static struct kib swap_used(const struct meminfo *memory)
{
    return kib_excess(memory->swap_total, memory->swap_free);
}

static struct kib need_of(const struct kernel_view *view)
{
    return kib_add(kib_excess(view->held, view->memory.available), swap_used(&view->memory));
}

void need_report(const struct kernel_view *now, const struct kernel_view *before,
                 int64_t elapsed_ms, int64_t page_kib, struct guest_report *out)
{
    const struct vmstat *was = before ? &before->counters : &now->counters;

    *out = (struct guest_report){
        .source = NEED_AGENT,
        .need = need_of(now),
        .floor = floor_of(now),
        .total = now->memory.total,
        .available = now->memory.available,
        .swap_used = swap_used(&now->memory),
        .cache = cache_of(&now->memory),
        .swap_in_kib_s = rate(now->counters.swapped_in, was->swapped_in, elapsed_ms, page_kib),
        .swap_out_kib_s = rate(now->counters.swapped_out, was->swapped_out, elapsed_ms, page_kib),
        .psi_some = now->pressure.some,
        .psi_full = now->pressure.full,
        .oom_kills = now->counters.oom_kills,
        .balloon = now->balloon,
    };
}

static bool is_pressing(const struct need_watch *watch, const struct kernel_view *now,
                        int64_t now_ms)
{
    struct kib available = now->memory.available;
    struct kib grown = kib_excess(need_of(now), watch->need);
    int64_t elapsed_ms = now_ms - watch->looked_ms;

    if (available.v < now->held.v / 8)
        return true;
    return watch->has_looked && elapsed_ms > 0 &&
           kib_scale(grown, NEED_AHEAD_MS, elapsed_ms).v > available.v;
}

bool need_watch_look(struct need_watch *watch, const struct kernel_view *now, int64_t now_ms)
{
    if (is_pressing(watch, now, now_ms))
        watch->calm_ms = now_ms + NEED_CALM_MS;
    watch->need = need_of(now);
    watch->looked_ms = now_ms;
    watch->has_looked = true;
    return now_ms < watch->calm_ms;
}

/* Amounts are held against the need that was last said, so that small ones do not chatter. */
static bool moved(struct kib now, struct kib last, struct kib need)
{
    struct kib change = kib_max(kib_sub(now, last), kib_sub(last, now));

    return kib_scale(change, 100, NEED_CHANGE_PERCENT).v > need.v;
}

static bool pressure_moved(int32_t now, int32_t last)
{
    int32_t change = now > last ? now - last : last - now;

    return change > NEED_CHANGE_PERCENT * 100;
}

bool need_worth_saying(const struct guest_report *now, const struct guest_report *last,
                       int64_t elapsed_ms)
{
    return elapsed_ms >= NEED_HEARTBEAT_MS || now->balloon != last->balloon ||
           now->oom_kills != last->oom_kills || now->total.v != last->total.v ||
           moved(now->need, last->need, last->need) || moved(now->floor, last->floor, last->need) ||
           moved(now->swap_used, last->swap_used, last->need) ||
           pressure_moved(now->psi_some, last->psi_some) ||
           pressure_moved(now->psi_full, last->psi_full);
}
