/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/share.h"

#define PRIORITIES 101

/* What is handed out one after the other. A start's want is set aside like what a VM asks for. */
enum phase { PHASE_BASE, PHASE_DEMAND, PHASE_BUFFER, PHASE_WANT, PHASE_COUNT };

/* All sums in granules. */
struct asked {
    uint64_t sum[PHASE_COUNT][PRIORITIES];
};

/* In which order it is handed out: each pair of phase and priority at most once. */
struct order {
    struct {
        uint8_t phase, priority;
    } steps[PHASE_COUNT * PRIORITIES];
    uint16_t rank[PHASE_COUNT][PRIORITIES];
    uint16_t count;
};

/* Whoever comes before this place gets all that it asks for; those in it share left; whoever comes
 * behind it gets nothing. */
struct place {
    uint16_t rank;
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

void share_prepare(const struct vm *vm, const struct verdict *verdict, int32_t squeezed_below,
                   struct decide_work *work)
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
    if (work->role == ROLE_FIXED) {
        high = verdict->goal;
        if (vm->settings.priority >= squeezed_below)
            low = high;
    }
    /* Targets are multiples of the granule, unless none lies between low and high. */
    work->base = kib_ceil(low, KIB_GRANULE);
    high = kib_floor(high, KIB_GRANULE);
    if (work->base.v > high.v)
        work->base = high = low;
    need = kib_clamp(kib_ceil(kib_max(verdict->demand, kib(0)), KIB_GRANULE), work->base, high);
    if (work->role == ROLE_FIXED)
        need = high; /* what it has is all that is known of its need */
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

static void add_steps(struct order *order, enum phase phase, int *from, int down_to)
{
    for (; *from >= down_to; (*from)--) {
        order->rank[phase][*from] = order->count;
        order->steps[order->count].phase = (uint8_t)phase;
        order->steps[order->count++].priority = (uint8_t)*from;
    }
}

/*
 * Demands, the highest priority first; then buffers. A want comes as soon as what it may not touch
 * was served: the demands of equals, and all that those of higher priority want.
 */
static void make_order(const struct asked *asked, struct order *order)
{
    int demand = PRIORITIES - 1, buffer = PRIORITIES - 1;

    order->count = 0;
    for (int priority = PRIORITIES - 1; priority >= 0; priority--) {
        int want = priority;

        if (asked->sum[PHASE_WANT][priority] == 0)
            continue;
        add_steps(order, PHASE_DEMAND, &demand, priority);
        add_steps(order, PHASE_BUFFER, &buffer, priority + 1);
        add_steps(order, PHASE_WANT, &want, priority);
    }
    add_steps(order, PHASE_DEMAND, &demand, 0);
    add_steps(order, PHASE_BUFFER, &buffer, 0);
}

static void make_order_of_bases(struct order *order)
{
    int base = PRIORITIES - 1;

    order->count = 0;
    add_steps(order, PHASE_BASE, &base, 0);
}

static struct place find_place(const struct asked *asked, const struct order *order,
                               uint64_t granules)
{
    struct place place = {0, granules};

    for (; place.rank < order->count; place.rank++) {
        uint64_t sum =
            asked->sum[order->steps[place.rank].phase][order->steps[place.rank].priority];

        if (sum > place.left)
            break;
        place.left -= sum;
    }
    return place;
}

static bool is_served(const struct decide_work *work, const struct order *order,
                      const struct place *place, enum phase phase)
{
    return order->rank[phase][work->priority] < place->rank;
}

/* The same fraction of what they ask for, to all of the place that the memory ends in. */
static void divide_place(const struct order *order, const struct place *place,
                         struct decision *decision, size_t n)
{
    struct part *parts = decision->parts;
    enum phase phase = (enum phase)order->steps[place->rank].phase;
    size_t n_parts = 0;

    if (phase == PHASE_WANT)
        return;

    for (size_t i = 0; i < n; i++) {
        const struct decide_work *work = &decision->work[i];
        uint64_t ask = 0;

        if (takes_part(work) && work->priority == order->steps[place->rank].priority)
            ask = ask_of(work, phase);
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
    struct order order;
    struct place place;

    sum_up_bases(decision->work, n, &asked);
    make_order_of_bases(&order);
    place = find_place(&asked, &order, granules);
    for (size_t i = 0; i < n; i++)
        if (takes_part(&decision->work[i]) &&
            is_served(&decision->work[i], &order, &place, PHASE_BASE))
            decision->work[i].given = (uint32_t)base_granules(&decision->work[i]);
    if (place.rank < order.count)
        divide_place(&order, &place, decision, n);
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

static void sum_up_wants(const struct snapshot *snapshot, struct asked *asked)
{
    for (size_t i = 0; i < snapshot->n_wants; i++) {
        const struct want *want = &snapshot->wants[i];

        asked->sum[PHASE_WANT][want->priority] +=
            (uint64_t)(kib_ceil(want->size, KIB_GRANULE).v / KIB_GRANULE);
    }
}

/* Bases are served: what comes after them, down to the last granule. */
static void divide_rest(const struct snapshot *snapshot, const struct asked *asked,
                        uint64_t granules, struct decision *decision)
{
    struct decide_work *work = decision->work;
    size_t n = snapshot->n_vms;
    struct order order;
    struct place place;

    make_order(asked, &order);
    place = find_place(asked, &order, granules);
    for (size_t i = 0; i < n; i++) {
        if (!takes_part(&work[i]))
            continue;
        if (is_served(&work[i], &order, &place, PHASE_DEMAND))
            work[i].given += work[i].demand;
        if (is_served(&work[i], &order, &place, PHASE_BUFFER))
            work[i].given += work[i].buffer;
    }
    if (place.rank < order.count)
        divide_place(&order, &place, decision, n);
    else if (snapshot->settings.surplus == SURPLUS_SHARE)
        spread(
            decision, n,
            (uint64_t)(kib_excess(granules_above(kib(0), place.left), snapshot->settings.headroom)
                           .v /
                       KIB_GRANULE));
}

bool share_divide(const struct snapshot *snapshot, const struct pool *pool,
                  struct decision *decision)
{
    struct decide_work *work = decision->work;
    size_t n = snapshot->n_vms;
    struct asked asked = {0};
    struct kib rest = kib_sub(pool->all, sum_up(work, n, &asked));

    if (rest.v < 0) {
        divide_bases(decision, n, (uint64_t)(kib_max(pool->all, kib(0)).v / KIB_GRANULE));
        return false;
    }
    rest = kib_excess(rest, pool->owed);
    sum_up_wants(snapshot, &asked);
    divide_rest(snapshot, &asked, (uint64_t)(rest.v / KIB_GRANULE), decision);
    return true;
}
