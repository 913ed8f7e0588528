/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each VM needs, wants, and must not be sent beyond. */
#ifndef CORE_DEMAND_H
#define CORE_DEMAND_H

#include "core/decide.h"

/* Waiting for memory beyond half of the time lifts a guest's need no further; hundredths of a
 * percent, as PSI's avg10. */
#define DEMAND_PRESSURE_MOST 5000

/* What cannot be given back is not enough to live on. An idle Linux 6.1 of 256 MiB that says 52 MiB
 * was seen to die at 76: a margin of 24 MiB, and a sixteenth, because what the kernel keeps free
 * for itself grows with it. */
#define DEMAND_FLOOR_MARGIN ((struct kib){INT64_C(24) * 1024})
#define DEMAND_FLOOR_SHARE  16

/* A report is up to a heartbeat old, and a balloon's own count is off by a little: so much more in
 * use than there is (and a sixteenth of that) is no contradiction yet. */
#define DEMAND_DOUBT       ((struct kib){INT64_C(16) * 1024})
#define DEMAND_DOUBT_SHARE 16

/*
 * Takes the snapshot's report of one VM into its filter. A rise is believed at once, and taken to
 * go on by as much again, at most settings->demand_lead_percent of the need; after a fall, half of
 * the difference is gone after settings->demand_half_life_ms.
 */
void demand_follow(const struct vm *vm, const struct host_settings *settings, int64_t now_ms,
                   struct vm_track *track);

/* Demand, wanted, low, high, pressure and status of one VM. */
void demand_judge(const struct vm *vm, const struct vm_track *track, struct verdict *verdict);

/* Hyper-V's published floor for a guest of that size, interpolated (128 MiB → 72 … 32 GiB → 1512).
 */
struct kib demand_floor_curve(struct kib size);

#endif
