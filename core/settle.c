/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/settle.h"

/* What a balloon may leave between assigned and target: libxl's slack, and its own last pass. */
#define TOLERANCE KIB_GRANULE

/* One step of a granule tells whether a balloon moves; half of it is enough to see. */
#define PROOF ((struct kib){KIB_GRANULE / 2})

/* What it has, in terms of targets. */
static struct kib held(const struct vm *vm)
{
    return kib_sub(vm->assigned, vm->offset);
}

static struct kib absolute(struct kib a)
{
    return a.v < 0 ? kib(-a.v) : a;
}

static struct kib distance(const struct vm *vm)
{
    return absolute(kib_sub(held(vm), vm->target));
}

/* It has all that its cap allows and is to have more: the next move is ours. */
static bool waits_for_cap(const struct vm *vm)
{
    return !vm->cap_unlimited && held(vm).v < vm->target.v &&
           kib_sub(vm->cap, vm->assigned).v <= TOLERANCE;
}

bool settle_arrived(const struct vm *vm)
{
    return distance(vm).v <= TOLERANCE || waits_for_cap(vm);
}

/* A new target was written after the last look: what the guest has done since then counts. */
static void watch_anew(const struct vm *vm, int64_t now_ms, struct vm_track *track)
{
    track->target = vm->target;
    track->start = track->seen;
    track->best = absolute(kib_sub(track->seen, vm->target));
    track->progress_ms = now_ms;
}

/* It was on its way, and is to go on in the same direction: a target that moves every second must
 * not hide that the guest does not. */
static bool goes_on(const struct vm *vm, const struct vm_track *track)
{
    struct kib before = kib_sub(track->seen, track->target);
    struct kib after = kib_sub(track->seen, vm->target);

    return (before.v > TOLERANCE && after.v > TOLERANCE) ||
           (before.v < -TOLERANCE && after.v < -TOLERANCE);
}

static void watch_change(const struct vm *vm, int64_t now_ms, struct vm_track *track)
{
    struct kib start = track->start;
    int64_t progress_ms = track->progress_ms;
    bool is_the_same_way = goes_on(vm, track);

    track->changed = true;
    track->changed_ms = now_ms;
    watch_anew(vm, now_ms, track);
    if (is_the_same_way) {
        track->start = start;
        track->progress_ms = progress_ms;
    }
}

static struct kib step_below(struct kib has)
{
    return kib_max(kib_floor(kib_excess(has, kib(KIB_GRANULE)), KIB_GRANULE), kib(1));
}

static void watch_first(const struct vm *vm, int64_t now_ms, struct vm_track *track)
{
    /* Whoever was started again cannot know when the target last changed: as well just now. */
    track->changed = true;
    track->changed_ms = now_ms;
    track->seen = held(vm);
    watch_anew(vm, now_ms, track);
    track->unproved = kib_min(step_below(held(vm)), vm->target);
}

static void learn_limit(const struct vm *vm, int64_t now_ms, struct vm_track *track)
{
    struct kib reached = kib_max(held(vm), kib(KIB_GRANULE));
    int64_t wait = SETTLE_RETRY_MS;

    /* Going down, it is left in peace at what it has: asked on, it would suffer. Going up, a step
     * is left to it: that hurts nobody, and shows when it moves again. */
    if (held(vm).v > vm->target.v)
        track->low = kib_floor(reached, KIB_GRANULE);
    else
        track->high = kib_ceil(kib_add(reached, kib(KIB_GRANULE)), KIB_GRANULE);
    for (int32_t i = 0; i < track->failures && wait < SETTLE_RETRY_MAX_MS; i++)
        wait *= 2;
    track->retry_ms = now_ms + (wait < SETTLE_RETRY_MAX_MS ? wait : SETTLE_RETRY_MAX_MS);
    if (track->failures < 16)
        track->failures++;
    watch_anew(vm, now_ms, track);
}

/* It went beyond a limit that it was found to have: the limit is gone. */
static void note_beyond(const struct vm *vm, struct vm_track *track)
{
    if (track->low.v > 0 && kib_add(held(vm), PROOF).v <= track->low.v)
        track->low = kib(0);
    if (track->high.v > 0 && kib_add(held(vm), PROOF).v >= track->high.v)
        track->high = kib(0);
    if (track->low.v == 0 && track->high.v == 0)
        track->failures = 0;
    if (track->failures == 0)
        track->retry_ms = 0;
}

static void note_progress(const struct vm *vm, int64_t now_ms, struct vm_track *track)
{
    struct kib away = distance(vm);
    bool is_on_trial = !track->mobile || track->failures > 0;

    /* A trial's step is as small as the tolerance: there, arriving takes more. */
    if (waits_for_cap(vm) || away.v <= (is_on_trial ? PROOF.v : TOLERANCE)) {
        track->progress_ms = now_ms;
    } else if (kib_sub(track->best, away).v >= SETTLE_STEP.v) {
        track->best = away;
        track->progress_ms = now_ms;
    }
    if (!is_on_trial)
        return;
    if (kib_sub(absolute(kib_sub(track->start, vm->target)), away).v >= PROOF.v)
        track->mobile = true;
    if (track->failures > 0)
        note_beyond(vm, track);
}

void settle_follow(const struct vm *vm, int64_t now_ms, struct vm_track *track)
{
    if (vm->report.balloon)
        track->mobile = true;
    if (track->target.v == 0) {
        watch_first(vm, now_ms, track);
        return;
    }
    if (track->target.v != vm->target.v)
        watch_change(vm, now_ms, track);
    else if (track->changed && now_ms - track->changed_ms >= SETTLE_REST_MS)
        track->changed = false;
    if (track->failures > 0 && track->retry_ms != 0 && now_ms >= track->retry_ms) {
        track->retry_ms = 0;
        watch_anew(vm, now_ms, track);
    }
    note_progress(vm, now_ms, track);
    if (now_ms - track->progress_ms >= SETTLE_STUCK_MS &&
        (track->failures == 0 || track->retry_ms == 0))
        learn_limit(vm, now_ms, track);
    track->seen = held(vm);
}

void settle_wait(const struct vm *vm, int64_t now_ms, struct vm_track *track)
{
    track->progress_ms = now_ms;
    track->seen = held(vm);
}

void settle_judge(const struct vm *vm, const struct vm_track *track, struct verdict *verdict)
{
    if (track->failures > 0) {
        verdict->state = VM_UNRESPONSIVE;
        if (track->low.v > 0)
            verdict->low = kib_clamp(track->low, verdict->low, vm->settings.maximum);
        if (track->high.v > 0)
            verdict->high = kib_min(track->high, verdict->high);
    }
    /* Nobody is lowered before it was seen to move: a first small step tells. */
    if (!track->mobile)
        verdict->low = kib_max(verdict->low,
                               kib_min(track->unproved, kib_max(vm->target, vm->settings.maximum)));
    verdict->high = kib_max(verdict->high, verdict->low);
}

struct kib settle_trial(const struct vm *vm, const struct vm_track *track, struct kib low)
{
    if (track->failures == 0 || track->retry_ms != 0 || track->low.v == 0)
        return kib(0);
    if (!track->mobile)
        low = kib_max(low, track->unproved);
    return kib_max(step_below(held(vm)), low);
}
