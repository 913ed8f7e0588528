/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/share.h"

static uint32_t granules_between(struct kib from, struct kib to)
{
    return (uint32_t)(kib_excess(to, from).v / KIB_GRANULE);
}

static uint64_t whole_granules(struct kib amount)
{
    return (uint64_t)(kib_max(amount, kib(0)).v / KIB_GRANULE);
}

static uint64_t base_granules(const struct decide_work *work)
{
    return (uint64_t)(kib_ceil(work->base, KIB_GRANULE).v / KIB_GRANULE);
}

static uint64_t ask_of(const struct decide_work *work, int phase)
{
    switch (phase) {
    case SHARE_BASE:
        return base_granules(work);
    case SHARE_NEED:
        return work->need;
    case SHARE_HELD:
        return work->demand - work->need;
    default:
        return work->buffer;
    }
}

void share_begin(const struct snapshot *snapshot, struct asked *asked)
{
    *asked = (struct asked){.highest_want = -1};
    for (size_t i = 0; i < snapshot->n_wants; i++) {
        const struct want *want = &snapshot->wants[i];

        asked->sum[SHARE_WANT][want->priority] +=
            (uint64_t)(kib_ceil(want->size, KIB_GRANULE).v / KIB_GRANULE);
        if (want->priority > asked->highest_want)
            asked->highest_want = want->priority;
    }
}

static void add_asked(const struct decide_work *work, struct asked *asked)
{
    if (!share_takes_part(work))
        return;
    asked->bases = kib_add(asked->bases, work->base);
    asked->sum[SHARE_BASE][work->priority] += base_granules(work);
    asked->sum[SHARE_NEED][work->priority] += work->need;
    asked->sum[SHARE_HELD][work->priority] += work->demand - work->need;
    asked->sum[SHARE_BUFFER][work->priority] += work->buffer;
}

static enum standing standing_of(struct kib target, const struct verdict *verdict)
{
    if (target.v > verdict->high.v)
        return STANDING_ABOVE;
    if (target.v < verdict->low.v)
        return STANDING_BELOW;
    return target.v < verdict->demand.v ? STANDING_BELOW_NEED : STANDING_WELL;
}

void share_prepare(const struct vm *vm, const struct verdict *verdict, struct decide_work *work,
                   struct asked *asked)
{
    struct kib low = verdict->low;
    struct kib high = verdict->high;
    struct kib need, demand, want;

    work->target = work->goal = vm->target;
    work->priority = (uint8_t)vm->settings.priority;
    work->given = 0;
    work->standing = standing_of(vm->target, verdict);
    if (work->role == ROLE_FIXED) {
        high = verdict->goal;
        low = vm->settings.priority < asked->highest_want ? kib_min(low, high) : high;
    }
    /* Targets are multiples of the granule, unless none lies between low and high. */
    work->base = kib_ceil(low, KIB_GRANULE);
    high = kib_floor(high, KIB_GRANULE);
    if (work->base.v > high.v)
        work->base = high = low;
    demand = kib_clamp(kib_ceil(kib_max(verdict->demand, kib(0)), KIB_GRANULE), work->base, high);
    need = kib_clamp(kib_ceil(kib_max(verdict->need, kib(0)), KIB_GRANULE), work->base, demand);
    if (work->role == ROLE_FIXED)
        need = demand = high; /* what it has is all that is known of its need */
    want = kib_clamp(kib_ceil(verdict->wanted, KIB_GRANULE), demand, high);
    work->need = granules_between(work->base, need);
    work->demand = granules_between(work->base, demand);
    work->buffer = granules_between(demand, want);
    /* What is left over is better off with those who follow. */
    work->room = verdict->state == VM_UNRESPONSIVE ? 0 : granules_between(want, high);
    add_asked(work, asked);
}

/* Goes on down to a priority of one phase; false where the memory ends before. */
static bool go_down(const struct asked *asked, enum share_phase phase, int down_to,
                    struct place *place)
{
    for (int priority = place->served[phase] - 1; priority >= down_to; priority--) {
        if (asked->sum[phase][priority] > place->left) {
            place->phase = phase;
            place->priority = priority;
            return false;
        }
        place->left -= asked->sum[phase][priority];
        place->served[phase] = priority;
    }
    return true;
}

/* What is needed now, and then all of demand, of one priority after the other. */
static bool go_down_demand(const struct asked *asked, int down_to, struct place *place)
{
    for (int priority = place->served[SHARE_HELD] - 1; priority >= down_to; priority--)
        if (!go_down(asked, SHARE_NEED, priority, place) ||
            !go_down(asked, SHARE_HELD, priority, place))
            return false;
    return true;
}

static struct place start_place(struct kib amount)
{
    struct place place = {.phase = SHARE_PHASES, .left = whole_granules(amount)};

    for (int phase = 0; phase < SHARE_PHASES; phase++)
        place.served[phase] = SHARE_PRIORITIES;
    return place;
}

static void go_to_place(const struct asked *asked, struct place *place)
{
    for (int priority = asked->highest_want; priority >= 0; priority--)
        if (asked->sum[SHARE_WANT][priority] > 0 &&
            !(go_down_demand(asked, priority, place) &&
              go_down(asked, SHARE_BUFFER, priority + 1, place) &&
              go_down(asked, SHARE_WANT, priority, place)))
            return;
    if (go_down_demand(asked, 0, place))
        go_down(asked, SHARE_BUFFER, 0, place);
}

/* What it gets of a phase, in whole, if it comes before the place. */
static uint32_t served(const struct place *place, enum share_phase phase,
                       const struct decide_work *work, uint32_t ask)
{
    return work->priority >= place->served[phase] ? ask : 0;
}

void share_serve(const struct place *place, struct decide_work *work)
{
    if (!share_has_bases(place)) {
        work->given += served(place, SHARE_BASE, work, (uint32_t)base_granules(work));
        return;
    }
    work->given += served(place, SHARE_NEED, work, work->need) +
                   served(place, SHARE_HELD, work, work->demand - work->need) +
                   served(place, SHARE_BUFFER, work, work->buffer);
}

/* The same fraction of what they ask for, to all of the place that the memory ends in. */
static void divide_place(const struct place *place, struct decision *decision, size_t n)
{
    struct part *parts = decision->parts;
    size_t n_parts = 0;

    for (size_t i = 0; i < n; i++) {
        const struct decide_work *work = &decision->work[i];
        uint64_t ask = 0;

        if (share_takes_part(work) && work->priority == place->priority)
            ask = ask_of(work, place->phase);
        if (ask > 0)
            parts[n_parts++] = (struct part){(uint32_t)i, (uint32_t)ask, (uint32_t)ask, 0};
    }
    divide(parts, n_parts, place->left);
    for (size_t i = 0; i < n_parts; i++)
        decision->work[parts[i].vm].given += parts[i].given;
}

/* What is left when everybody has what it wants goes to all, by the room that they have. */
static void spread(struct decision *decision, size_t n, uint64_t granules)
{
    struct part *parts = decision->parts;
    size_t n_parts = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t room = decision->work[i].room;

        if (share_takes_part(&decision->work[i]) && room > 0)
            parts[n_parts++] = (struct part){(uint32_t)i, room, room, 0};
    }
    divide(parts, n_parts, granules);
    for (size_t i = 0; i < n_parts; i++)
        decision->work[parts[i].vm].given += parts[i].given;
}

struct place share_divide(const struct snapshot *snapshot, const struct pool *pool,
                          const struct asked *asked, struct decision *decision)
{
    struct kib rest = kib_sub(pool->all, asked->bases);
    struct place place;

    if (rest.v < 0) {
        place = start_place(pool->all);
        go_down(asked, SHARE_BASE, 0, &place);
    } else {
        place = start_place(kib_excess(rest, pool->owed));
        go_to_place(asked, &place);
    }
    if (place.phase < SHARE_WANT) {
        divide_place(&place, decision, snapshot->n_vms);
    } else if (place.phase == SHARE_PHASES && snapshot->settings.surplus == SURPLUS_SHARE) {
        rest = kib((int64_t)place.left * KIB_GRANULE);
        spread(decision, snapshot->n_vms,
               whole_granules(kib_sub(rest, snapshot->settings.headroom)));
    }
    return place;
}
