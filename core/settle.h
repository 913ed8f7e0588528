/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who follows its target, who is slow, who is stuck, and which limits of its own a guest turns out
 * to have. */
#ifndef CORE_SETTLE_H
#define CORE_SETTLE_H

#include "core/decide.h"

/* Less progress than a step in this time is none: it does not follow. */
#define SETTLE_STUCK_MS INT64_C(5000)
#define SETTLE_STEP     ((struct kib){INT64_C(256)})

/* The wait before it is tried again, doubled by each failure in a row. */
#define SETTLE_RETRY_MS     INT64_C(30000)
#define SETTLE_RETRY_MAX_MS INT64_C(3600000)

/* A target that has not changed for so long is at rest: small changes of it may be made. */
#define SETTLE_REST_MS INT64_C(60000)

/* Looks at how far one VM has come, and remembers what that tells. */
void settle_follow(const struct vm *vm, int64_t now_ms, struct vm_track *track);

/* In place of that while it cannot move: it is not to blame for that time. */
void settle_wait(const struct vm *vm, int64_t now_ms, struct vm_track *track);

/* Narrows low and high of the verdict to what the guest was found to do; marks it VM_UNRESPONSIVE.
 */
void settle_judge(const struct vm *vm, const struct vm_track *track, struct verdict *verdict);

/*
 * The target by which a limit that was found is tried again: one small step, which the others do
 * not count on, because it may be in vain. 0 where none is due. low: what it is not sent below
 * anyway.
 */
struct kib settle_trial(const struct vm *vm, const struct vm_track *track, struct kib low);

/* True where the VM has arrived at its target, to within what balloons leave, or waits there for
 * its cap. */
bool settle_arrived(const struct vm *vm);

#endif
