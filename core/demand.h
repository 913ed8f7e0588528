/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each VM needs, wants, and must not be sent beyond. */
#ifndef CORE_DEMAND_H
#define CORE_DEMAND_H

#include "core/decide.h"

/* Waiting for memory beyond half of the time lifts a guest's need no further; hundredths of a
 * percent, as PSI's avg10. */
#define DEMAND_PRESSURE_MOST 5000

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
