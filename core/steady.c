/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/steady.h"

/* Changes below this part of the buffer are small; so are those below this part of the whole. */
#define SMALL_PART_OF_BUFFER 8
#define SMALL_PART_OF_WANTED 32

static bool takes_part(const struct decide_work *work)
{
    return work->role == ROLE_SHARES || work->role == ROLE_FIXED;
}

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
                       enum surplus surplus)
{
    struct kib target = kib_min(work->target, kib_max(verdict->high, work->base));
    struct kib least = kib_max(verdict->share, kib_min(target, work->base));
    bool is_in_bounds = target.v == work->target.v && target.v >= verdict->low.v;

    if (work->role == ROLE_FIXED)
        return least;
    if (target.v < verdict->share.v) {
        /* Under scarcity nothing waits: there the division itself is what is fair. */
        bool is_scarce = verdict->share.v < share_wanted(work).v;
        bool waits = !is_scarce && (!work->rested || target.v >= share_wanted(work).v);

        return waits && is_in_bounds && is_small(work, kib_sub(verdict->share, target))
                   ? target
                   : verdict->share;
    }
    if (surplus == SURPLUS_KEEP || (is_in_bounds && is_small(work, kib_sub(target, least))))
        return target;
    return least;
}

/* It is not taken from below this: its share; or, where not even the minimums fit, its own. */
static struct kib untouched(const struct decide_work *work, const struct verdict *verdict)
{
    return kib_min(verdict->goal, kib_max(verdict->share, work->base));
}

static uint32_t spare_granules(const struct decide_work *work, const struct verdict *verdict)
{
    struct kib spare = kib_excess(verdict->goal, untouched(work, verdict));

    return (uint32_t)(kib_ceil(spare, KIB_GRANULE).v / KIB_GRANULE);
}

/* Leaves so much to those with more than their share: the more important may keep more of it. */
static void take_spare(struct decision *decision, size_t n, uint64_t granules)
{
    struct part *parts = decision->parts;
    size_t n_parts = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t spare;

        if (!takes_part(&decision->work[i]))
            continue;
        spare = spare_granules(&decision->work[i], &decision->verdicts[i]);
        if (spare > 0)
            parts[n_parts++] =
                (struct part){(uint32_t)i, 1u + decision->work[i].priority, spare, 0};
    }
    divide(parts, n_parts, granules);
    for (size_t i = 0; i < n_parts; i++) {
        struct verdict *verdict = &decision->verdicts[parts[i].vm];
        struct kib left = kib((int64_t)parts[i].given * KIB_GRANULE);

        if (parts[i].given < parts[i].most)
            verdict->goal = kib_add(untouched(&decision->work[parts[i].vm], verdict), left);
    }
}

/* The guest itself sets the limit: it was found not to go beyond. */
static bool is_held_by_guest(const struct vm_track *track, const struct decide_work *work,
                             const struct verdict *verdict)
{
    if (track->low.v > 0 && track->low.v >= share_wanted(work).v)
        return verdict->goal.v == work->base.v;
    return track->high.v > 0 && verdict->wanted.v > verdict->high.v &&
           verdict->goal.v >= share_wanted(work).v;
}

static enum reason reason_of(const struct vm_track *track, const struct decide_work *work,
                             const struct verdict *verdict, enum surplus surplus)
{
    struct kib wanted = share_wanted(work);

    if (work->role == ROLE_FIXED)
        return verdict->reason;
    if (is_held_by_guest(track, work, verdict))
        return REASON_UNRESPONSIVE;
    if (work->target.v > verdict->high.v)
        return REASON_BOUND_HIGH;
    if (verdict->share.v < wanted.v && verdict->goal.v < wanted.v)
        return REASON_SCARCE;
    if (work->target.v < verdict->low.v)
        return REASON_BOUND_LOW;
    if (verdict->goal.v > work->target.v)
        return verdict->goal.v > wanted.v ? REASON_SHARE : REASON_GROW_DEMAND;
    if (verdict->goal.v == work->target.v)
        return REASON_KEEP;
    return surplus == SURPLUS_HOLD && verdict->goal.v == wanted.v ? REASON_HOLD : REASON_GIVE;
}

void steady_goals(const struct snapshot *snapshot, const struct pool *pool, bool has_enough,
                  const struct vm_track *tracks, struct decision *decision)
{
    struct decide_work *work = decision->work;
    struct verdict *verdicts = decision->verdicts;
    enum surplus surplus = snapshot->settings.surplus;
    struct kib limit = kib_sub(kib_sub(pool->all, pool->owed), snapshot->settings.headroom);
    struct kib held = kib(0);
    struct kib needed = kib(0);

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        if (!takes_part(&work[i]))
            continue;
        verdicts[i].goal = kept(&work[i], &verdicts[i], surplus);
        held = kib_add(held, verdicts[i].goal);
        needed = kib_add(needed, untouched(&work[i], &verdicts[i]));
    }
    if (!has_enough)
        take_spare(decision, snapshot->n_vms, 0);
    else if (held.v > limit.v)
        take_spare(decision, snapshot->n_vms,
                   (uint64_t)(kib_excess(limit, needed).v / KIB_GRANULE));
    for (size_t i = 0; i < snapshot->n_vms; i++) {
        if (!takes_part(&work[i]))
            continue;
        verdicts[i].reason = reason_of(&tracks[i], &work[i], &verdicts[i], surplus);
        if (work[i].trial.v > 0 && verdicts[i].goal.v == work[i].base.v)
            verdicts[i].goal = kib_min(work[i].trial, verdicts[i].goal);
    }
}
