/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/divide.h"

#include <stdbool.h>

/*
 * Webster's method: shares weight × m are rounded to the nearest whole, and m is chosen so that
 * they add up. With fractions and a rule for what is left over, one more to divide can mean less
 * for somebody; with a multiplier it cannot, because all shares grow with it.
 *
 * m counts in 1/2^SCALE. Weights are below 2^(SCALE − 1), so that from one m to the next no share
 * grows by more than one.
 */
#define SCALE 32

/* Weights and maxima are below 2^30 (KIB_LIMIT in granules): m stays below 2^62. */
static uint64_t share_at(const struct part *part, uint64_t m)
{
    unsigned __int128 exact = (unsigned __int128)part->weight * m;
    uint64_t rounded = (uint64_t)((exact + (UINT64_C(1) << (SCALE - 1))) >> SCALE);

    return rounded < part->most ? rounded : part->most;
}

static uint64_t sum_at(const struct part *parts, size_t n_parts, uint64_t m)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n_parts; i++)
        sum += share_at(&parts[i], m);
    return sum;
}

/* A span of multipliers: at low no more than granules are given, at high more. */
struct span {
    uint64_t low, high;
    uint64_t sum_low, sum_high;
};

/* Sums grow almost evenly with m: the guess by proportion is near. Every other time the middle, in
 * case they do not. */
static uint64_t guess(const struct span *span, uint64_t granules, bool middle)
{
    uint64_t width = span->high - span->low;
    uint64_t step = width / 2;

    if (!middle) {
        uint64_t part = granules - span->sum_low;
        uint64_t whole = span->sum_high - span->sum_low;

        for (; whole >> 32; whole >>= 1)
            part >>= 1;
        step = (uint64_t)((unsigned __int128)width * ((part << 32) / (whole + 1)) >> 32);
    }
    if (step == 0)
        step = 1;
    return span->low + (step < width ? step : width - 1);
}

static struct span find_multiplier(const struct part *parts, size_t n_parts, uint64_t granules,
                                   struct span span)
{
    bool middle = false;

    while (span.high - span.low > 1 && span.sum_low < granules) {
        uint64_t m = guess(&span, granules, middle);
        uint64_t sum = sum_at(parts, n_parts, m);

        middle = !middle;
        if (sum <= granules) {
            span.low = m;
            span.sum_low = sum;
        } else {
            span.high = m;
            span.sum_high = sum;
        }
    }
    return span;
}

void divide(struct part *parts, size_t n_parts, uint64_t granules)
{
    struct span span = {0};
    uint64_t left;
    uint64_t highest = 0;

    for (size_t i = 0; i < n_parts; i++) {
        uint64_t full = ((uint64_t)parts[i].most << SCALE) / parts[i].weight + 1;

        span.sum_high += parts[i].most;
        highest = full > highest ? full : highest;
    }
    span.high = highest;
    if (span.sum_high <= granules)
        span.low = span.high;
    else
        span = find_multiplier(parts, n_parts, granules, span);
    left = granules - span.sum_low;
    for (size_t i = 0; i < n_parts; i++) {
        uint64_t share = share_at(&parts[i], span.low);

        if (left > 0 && span.high > span.low && share_at(&parts[i], span.low + 1) > share) {
            share++;
            left--;
        }
        parts[i].given = (uint32_t)share;
    }
}
