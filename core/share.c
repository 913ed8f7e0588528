/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/share.h"

#define PRIORITIES 101

/* What is handed out one after the other. */
enum phase { PHASE_BASE, PHASE_DEMAND, PHASE_BUFFER, PHASE_COUNT };

/* All sums in granules. */
struct asked {
    uint64_t sum[PHASE_COUNT][PRIORITIES];
};

/* Whoever comes before this place gets all that it asks for; those in it share left; whoever comes
 * behind it gets nothing. */
struct place {
    int phase, priority;
    uint64_t left;
};

static uint32_t granules_between(struct kib from, struct kib to)
{
    return (uint32_t)(kib_excess(to, from).v / KIB_GRANULE);
}

static struct kib granules_above(struct kib base, uint64_t granules)
{
    return kib_add(base, kib((int64_t)granules * KIB_GRANULE));
}

void share_prepare(const struct vm *vm, const struct verdict *verdict, struct decide_work *work)
{
    struct kib low = verdict->low;
    struct kib high = verdict->high;
    struct kib need, want;

    work->target = vm->target;
    work->priority = (uint8_t)vm->settings.priority;
    work->given = 0;
    work->goal = vm->target;
    work->is_short = false;
    work->lacks_need = vm->target.v < verdict->demand.v;
    work->is_below = vm->target.v < low.v;
    work->is_above = vm->target.v > high.v;
    if (work->role == ROLE_FIXED)
        low = high = verdict->goal;
    /* Targets are multiples of the granule, unless none lies between low and high. */
    work->base = kib_ceil(low, KIB_GRANULE);
    high = kib_floor(high, KIB_GRANULE);
    if (work->base.v > high.v)
        work->base = high = low;
    need = kib_clamp(kib_ceil(kib_max(verdict->demand, kib(0)), KIB_GRANULE), work->base, high);
    want = kib_clamp(kib_ceil(verdict->wanted, KIB_GRANULE), need, high);
    work->demand = granules_between(work->base, need);
    work->buffer = granules_between(need, want);
    work->room = granules_between(want, high);
    if (verdict->state == VM_UNRESPONSIVE)
        work->room = 0; /* what is left over is better off with those who follow */
}

static uint64_t base_granules(const struct decide_work *work)
{
    return (uint64_t)(kib_ceil(work->base, KIB_GRANULE).v / KIB_GRANULE);
}

static uint64_t ask_of(const struct decide_work *work, int phase)
{
    if (phase == PHASE_BASE)
        return base_granules(work);
    return phase == PHASE_DEMAND ? work->demand : work->buffer;
}

static bool takes_part(const struct decide_work *work)
{
    return work->role == ROLE_SHARES || work->role == ROLE_FIXED;
}

/* Sums what is asked for; returns the sum of all bases to the KiB. */
static struct kib sum_up(const struct decide_work *work, size_t n, struct asked *asked)
{
    struct kib bases = kib(0);

    for (size_t i = 0; i < n; i++) {
        if (!takes_part(&work[i]))
            continue;
        bases = kib_add(bases, work[i].base);
        asked->sum[PHASE_DEMAND][work[i].priority] += work[i].demand;
        asked->sum[PHASE_BUFFER][work[i].priority] += work[i].buffer;
    }
    return bases;
}

static void sum_up_bases(const struct decide_work *work, size_t n, struct asked *asked)
{
    for (size_t i = 0; i < n; i++)
        if (takes_part(&work[i]))
            asked->sum[PHASE_BASE][work[i].priority] += base_granules(&work[i]);
}

static struct place find_place(const struct asked *asked, int first, int end, uint64_t granules)
{
    for (int phase = first; phase < end; phase++) {
        for (int priority = PRIORITIES - 1; priority >= 0; priority--) {
            if (asked->sum[phase][priority] > granules)
                return (struct place){phase, priority, granules};
            granules -= asked->sum[phase][priority];
        }
    }
    return (struct place){end, 0, granules};
}

static bool is_served(const struct decide_work *work, const struct place *place, int phase)
{
    return phase < place->phase || (phase == place->phase && work->priority > place->priority);
}

/* The same fraction of what they ask for, to all of the place that the memory ends in. */
static void divide_place(const struct place *place, struct decision *decision, size_t n)
{
    struct part *parts = decision->parts;
    size_t n_parts = 0;

    for (size_t i = 0; i < n; i++) {
        const struct decide_work *work = &decision->work[i];
        uint64_t ask = 0;

        if (takes_part(work) && work->priority == place->priority)
            ask = ask_of(work, place->phase);
        if (ask > 0)
            parts[n_parts++] = (struct part){(uint32_t)i, (uint32_t)ask, (uint32_t)ask, 0};
    }
    divide(parts, n_parts, place->left);
    for (size_t i = 0; i < n_parts; i++)
        decision->work[parts[i].vm].given += parts[i].given;
}

/* Not even the minimums fit: the highest priority first. given counts from nothing here. */
static void divide_bases(struct decision *decision, size_t n, uint64_t granules)
{
    struct asked asked = {0};
    struct place place;

    sum_up_bases(decision->work, n, &asked);
    place = find_place(&asked, PHASE_BASE, PHASE_DEMAND, granules);
    for (size_t i = 0; i < n; i++)
        if (takes_part(&decision->work[i]) && is_served(&decision->work[i], &place, PHASE_BASE))
            decision->work[i].given = (uint32_t)base_granules(&decision->work[i]);
    if (place.phase == PHASE_BASE)
        divide_place(&place, decision, n);
    for (size_t i = 0; i < n; i++)
        decision->work[i].is_short = true;
}

/* What is left when everybody has what it wants goes to all, by the room that they have. */
static void spread(struct decision *decision, size_t n, uint64_t granules)
{
    struct part *parts = decision->parts;
    size_t n_parts = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t room = decision->work[i].room;

        if (takes_part(&decision->work[i]) && room > 0)
            parts[n_parts++] = (struct part){(uint32_t)i, room, room, 0};
    }
    divide(parts, n_parts, granules);
    for (size_t i = 0; i < n_parts; i++)
        decision->work[parts[i].vm].given += parts[i].given;
}

bool share_divide(const struct snapshot *snapshot, const struct pool *pool,
                  struct decision *decision)
{
    struct decide_work *work = decision->work;
    size_t n = snapshot->n_vms;
    struct asked asked = {0};
    struct kib rest = kib_sub(pool->all, sum_up(work, n, &asked));
    struct kib keep_free = snapshot->settings.headroom;
    struct place place;

    if (rest.v < 0) {
        divide_bases(decision, n, (uint64_t)(kib_max(pool->all, kib(0)).v / KIB_GRANULE));
        return false;
    }
    rest = kib_excess(rest, pool->owed);
    place = find_place(&asked, PHASE_DEMAND, PHASE_COUNT, (uint64_t)(rest.v / KIB_GRANULE));
    for (size_t i = 0; i < n; i++) {
        if (takes_part(&work[i]) && is_served(&work[i], &place, PHASE_DEMAND))
            work[i].given += work[i].demand;
        if (takes_part(&work[i]) && is_served(&work[i], &place, PHASE_BUFFER))
            work[i].given += work[i].buffer;
    }
    if (place.phase < PHASE_COUNT)
        divide_place(&place, decision, n);
    else if (snapshot->settings.surplus == SURPLUS_SHARE)
        spread(decision, n,
               kib_excess(granules_above(kib(0), place.left), keep_free).v / KIB_GRANULE);
    return true;
}
