/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/steady.h"

/* Changes below this part of the buffer are small; so are those below this part of the whole. */
#define SMALL_PART_OF_BUFFER 8
#define SMALL_PART_OF_WANTED 32

/* Granules: beyond 16 TiB more between the bounds counts for no more (weights stay below 2^30). */
#define SPAN_MOST (UINT32_C(1) << 23)

/* Small: not much of the whole, nor of the buffer where that is what changes. */
static bool is_small(const struct decide_work *work, struct kib change)
{
    struct kib buffer = kib((int64_t)work->buffer * KIB_GRANULE);
    struct kib wanted = share_wanted(work);

    return change.v <= wanted.v / SMALL_PART_OF_WANTED &&
           (work->target.v >= wanted.v || change.v <= buffer.v / SMALL_PART_OF_BUFFER);
}

/* Where its target would be if nobody else needed anything. */
static struct kib kept(const struct decide_work *work, const struct verdict *verdict,
                       struct kib share, enum surplus surplus)
{
    bool is_above = work->standing == STANDING_ABOVE;
    bool is_in_bounds = !is_above && work->standing != STANDING_BELOW;
    struct kib target = work->target;
    struct kib least;

    if (is_above)
        target = kib_max(kib_floor(verdict->high, KIB_GRANULE), work->base);
    least = kib_max(share, kib_min(target, work->base));
    if (work->role == ROLE_FIXED)
        return least;
    if (target.v < share.v) {
        /* Under scarcity nothing waits: there the division itself is what is fair. */
        bool is_scarce = share.v < share_wanted(work).v;
        bool waits = !is_scarce && (!work->rested || target.v >= share_wanted(work).v);

        return waits && is_in_bounds && is_small(work, kib_sub(share, target)) ? target : share;
    }
    if (surplus == SURPLUS_KEEP || (is_in_bounds && is_small(work, kib_sub(target, least))))
        return target;
    return least;
}

/* While somebody waits for a start, what each had before it gave for it. */
static void note_lent(const struct decide_work *work, struct vm_track *track)
{
    if (share_takes_part(work) && work->goal.v < work->target.v && track->lent.v == 0)
        track->lent = work->target;
}

/* Under surplus = keep nobody's memory would go back by itself: others' divide it anew. */
static void give_back(const struct vm_track *track, const struct verdict *verdict,
                      struct decide_work *work)
{
    struct kib most = kib_max(kib_floor(verdict->high, KIB_GRANULE), work->goal);

    work->goal = kib_max(work->goal, kib_min(track->lent, most));
}

/* It is not taken from below this: its share; or, where not even the minimums fit, its own. */
static struct kib untouched(const struct place *place, const struct decide_work *work)
{
    return kib_min(work->goal, kib_max(share_due(place, work), work->base));
}

/* Who may keep more of what it has to spare: the more important; and the one with more between its
 * bounds, because its need can rise further at once, and faster than a balloon. */
static uint32_t weight_of(const struct decide_work *work)
{
    uint32_t span = work->demand + work->buffer + work->room;

    return (1u + work->priority) * (1u + (span < SPAN_MOST ? span : SPAN_MOST));
}

/* Leaves so much to those with more than their share, by their weight. */
static void take_spare(const struct place *place, struct decision *decision, size_t n,
                       uint64_t granules)
{
    struct part *parts = decision->parts;
    size_t n_parts = 0;

    for (size_t i = 0; i < n; i++) {
        const struct decide_work *work = &decision->work[i];
        struct kib spare = kib_sub(work->goal, untouched(place, work));

        if (share_takes_part(work) && spare.v > 0)
            parts[n_parts++] = (struct part){
                .vm = (uint32_t)i,
                .weight = weight_of(work),
                .most = (uint32_t)(kib_ceil(spare, KIB_GRANULE).v / KIB_GRANULE),
            };
    }
    divide(parts, n_parts, granules);
    for (size_t i = 0; i < n_parts; i++) {
        struct decide_work *work = &decision->work[parts[i].vm];

        if (parts[i].given < parts[i].most)
            work->goal =
                kib_add(untouched(place, work), kib((int64_t)parts[i].given * KIB_GRANULE));
    }
}

void steady_goals(const struct snapshot *snapshot, struct vm_track *tracks, const struct pool *pool,
                  const struct place *place, struct decision *decision)
{
    enum surplus surplus = snapshot->settings.surplus;
    bool returns = snapshot->returns && snapshot->n_wants == 0 && surplus == SURPLUS_KEEP;
    /* Memory that is kept free for the next start serves those that wait now. */
    struct kib keep_free = kib_max(snapshot->settings.headroom, model_wanted(snapshot));
    struct kib limit = kib_sub(kib_sub(pool->all, pool->owed), keep_free);
    struct kib held = kib(0);
    struct kib needed = kib(0);

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        struct decide_work *work = &decision->work[i];

        if (!share_takes_part(work))
            continue;
        share_serve(place, work);
        work->goal = kept(work, &decision->verdicts[i], share_due(place, work), surplus);
        if (returns)
            give_back(&tracks[i], &decision->verdicts[i], work);
        held = kib_add(held, work->goal);
        needed = kib_add(needed, untouched(place, work));
    }
    if (!share_has_bases(place))
        take_spare(place, decision, snapshot->n_vms, 0);
    else if (held.v > limit.v)
        take_spare(place, decision, snapshot->n_vms,
                   (uint64_t)(kib_excess(limit, needed).v / KIB_GRANULE));
    for (size_t i = 0; i < snapshot->n_vms && snapshot->n_wants > 0; i++)
        note_lent(&decision->work[i], &tracks[i]);
}

static enum reason reason_of_more(bool is_beyond_want, enum surplus surplus)
{
    if (!is_beyond_want)
        return REASON_GROW_DEMAND;
    return surplus == SURPLUS_KEEP ? REASON_RETURN : REASON_SHARE;
}

static enum reason reason_of(const struct decide_work *work, struct kib share, enum surplus surplus)
{
    struct kib wanted = share_wanted(work);

    if ((work->limit == LIMIT_LOW && work->goal.v == work->base.v) ||
        (work->limit == LIMIT_HIGH && work->goal.v >= wanted.v))
        return REASON_UNRESPONSIVE;
    if (work->standing == STANDING_ABOVE)
        return REASON_BOUND_HIGH;
    if (share.v < wanted.v && work->goal.v < wanted.v)
        return REASON_SCARCE;
    if (work->standing == STANDING_BELOW)
        return REASON_BOUND_LOW;
    if (work->goal.v > work->target.v)
        return reason_of_more(work->goal.v > wanted.v, surplus);
    if (work->goal.v == work->target.v)
        return REASON_KEEP;
    return surplus == SURPLUS_HOLD && work->goal.v == wanted.v ? REASON_HOLD : REASON_GIVE;
}

void steady_tell(const struct place *place, enum surplus surplus, struct decide_work *work,
                 struct verdict *verdict)
{
    struct kib share = share_due(place, work);

    if (work->role == ROLE_SHARES)
        work->reason = reason_of(work, share, surplus);
    if (work->goal.v == work->base.v)
        work->goal = kib_sub(work->goal, kib(work->trial));
    verdict->reason = work->reason;
    verdict->share = share;
    verdict->goal = work->goal;
}
