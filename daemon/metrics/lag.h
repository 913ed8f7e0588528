/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How late the loop comes to what is due: a histogram, fed by whoever knows when something was due.
 */
#ifndef DAEMON_METRICS_LAG_H
#define DAEMON_METRICS_LAG_H

#include <stddef.h>
#include <stdint.h>

#define LAG_BUCKETS 12

struct lag {
    int64_t counts[LAG_BUCKETS + 1]; /* by upper bound; the last has none */
    int64_t count;
    int64_t sum_us;
};

/* The upper bound of a bucket, inclusive, in µs, ascending; index < LAG_BUCKETS. */
int64_t lag_bound_us(size_t index);

/* Something came so much later than it was due; less than nothing counts as nothing. */
void lag_add(struct lag *lag, int64_t late_us);

#endif
