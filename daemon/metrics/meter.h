/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM went through since the daemon started: counters for metrics, fed once a pass. */
#ifndef DAEMON_METRICS_METER_H
#define DAEMON_METRICS_METER_H

#include <stdint.h>

#include "base/units.h"

struct registry;

struct meter {
    uint8_t uuid[16];                /* of the domain that was metered last */
    int64_t domid;                   /* and its id */
    struct kib assigned, target;     /* as last seen */
    struct kib added, removed;       /* memory that came and went while it ran */
    int64_t additions, removals;     /* how often its target was raised and lowered */
    int64_t pressure_sum, pressures; /* percent, and how often it was known */
    int32_t pressure_min, pressure_max;
};

/* Looks at each VM's domain once; after a pass. */
void meter_read(struct registry *registry);

#endif
