/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/settle.h"

/* What a balloon may leave between assigned and target: libxl's slack, and its own last pass. */
#define TOLERANCE KIB_GRANULE

static struct kib distance(const struct vm *vm)
{
    struct kib away = kib_sub(vm->assigned, kib_add(vm->target, vm->offset));

    return away.v < 0 ? kib(-away.v) : away;
}

bool settle_arrived(const struct vm *vm)
{
    return distance(vm).v <= TOLERANCE;
}

static void watch_anew(const struct vm *vm, int64_t now_ms, struct vm_track *track)
{
    track->target = vm->target;
    track->best = distance(vm);
    track->progress_ms = now_ms;
}

static void learn_limit(const struct vm *vm, int64_t now_ms, struct vm_track *track)
{
    struct kib reached = kib_ceil(kib_sub(vm->assigned, vm->offset), KIB_GRANULE);
    int64_t wait = SETTLE_RETRY_MS;

    if (vm->assigned.v > kib_add(vm->target, vm->offset).v)
        track->low = reached;
    else
        track->high = kib_max(reached, kib(KIB_GRANULE));
    for (int32_t i = 0; i < track->failures && wait < SETTLE_RETRY_MAX_MS; i++)
        wait *= 2;
    track->retry_ms = now_ms + (wait < SETTLE_RETRY_MAX_MS ? wait : SETTLE_RETRY_MAX_MS);
    if (track->failures < 16)
        track->failures++;
    watch_anew(vm, now_ms, track);
}

void settle_follow(const struct vm *vm, int64_t now_ms, struct vm_track *track)
{
    struct kib away = distance(vm);

    if (vm->report.balloon)
        track->mobile = true;
    if (track->retry_ms != 0 && now_ms >= track->retry_ms) {
        track->low = track->high = kib(0);
        track->retry_ms = 0;
        watch_anew(vm, now_ms, track);
        return;
    }
    if (track->target.v != vm->target.v) {
        watch_anew(vm, now_ms, track);
        return;
    }
    if (away.v < track->best.v) {
        if (kib_sub(track->best, away).v >= KIB_GRANULE)
            track->mobile = true;
        track->best = away;
        track->progress_ms = now_ms;
    }
    if (settle_arrived(vm)) {
        if (track->retry_ms == 0)
            track->failures = 0;
        track->progress_ms = now_ms;
        return;
    }
    if (now_ms - track->progress_ms >= SETTLE_STUCK_MS && track->retry_ms == 0)
        learn_limit(vm, now_ms, track);
}

void settle_judge(const struct vm *vm, const struct vm_track *track, struct verdict *verdict)
{
    if (track->low.v > 0)
        verdict->low = kib_clamp(track->low, verdict->low, vm->settings.maximum);
    if (track->high.v > 0)
        verdict->high = kib_max(verdict->low, kib_min(track->high, verdict->high));
    if (track->retry_ms != 0)
        verdict->state = VM_UNRESPONSIVE;
    /* Nobody is lowered before it was seen to move: a first step of one granule tells. */
    if (!track->mobile && vm->target.v > verdict->low.v)
        verdict->low =
            kib_max(verdict->low, kib_min(kib_sub(vm->target, kib(KIB_GRANULE)), verdict->high));
}
