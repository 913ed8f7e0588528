/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/metrics/lag.h"

static const int64_t bounds_us[LAG_BUCKETS] = {100,   250,   500,   1000,   2500,   5000,
                                               10000, 25000, 50000, 100000, 250000, 1000000};

int64_t lag_bound_us(size_t index)
{
    return bounds_us[index];
}

void lag_add(struct lag *lag, int64_t late_us)
{
    size_t bucket = 0;

    if (late_us < 0)
        late_us = 0;
    while (bucket < LAG_BUCKETS && late_us > bounds_us[bucket])
        bucket++;
    lag->counts[bucket]++;
    lag->count++;
    lag->sum_us += late_us;
}
