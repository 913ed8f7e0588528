/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time on a simulated host. */
#ifndef HV_SIM_STEP_H
#define HV_SIM_STEP_H

#include <stdint.h>

struct world;

/* Lets time pass up to now_ms, in whole steps; the past stays as it is. */
void world_advance(struct world *world, int64_t now_ms);

#endif
