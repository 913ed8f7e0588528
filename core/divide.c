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

/* How much is given at one multiplier, and how much more by each step of it. */
struct sample {
    uint64_t m;
    uint64_t sum;
    uint64_t slope; /* the weights of those who can still take more */
};

static struct sample sample_at(const struct part *parts, size_t n_parts, uint64_t m)
{
    struct sample sample = {.m = m};

    for (size_t i = 0; i < n_parts; i++) {
        uint64_t share = share_at(&parts[i], m);

        sample.sum += share;
        sample.slope += share < parts[i].most ? parts[i].weight : 0;
    }
    return sample;
}

/* By how many steps of m the sum changes by so much. */
static uint64_t steps_for(uint64_t change, uint64_t slope)
{
    for (; change >> (63 - SCALE); slope >>= 1)
        change >>= 1;
    return (change << SCALE) / (slope + 1);
}

/* Sums grow evenly with m until somebody has enough: what is missing, divided by the slope, comes
 * near (Newton's method), from whichever end is nearer. Every third time the middle, in case it
 * does not. */
static uint64_t guess(const struct sample *low, const struct sample *high, uint64_t granules,
                      unsigned round)
{
    uint64_t width = high->m - low->m;
    uint64_t missing = granules - low->sum;
    uint64_t beyond = high->sum - granules;
    uint64_t step = width / 2;

    if (round % 3 != 2)
        step = missing <= beyond ? steps_for(missing, low->slope)
                                 : width - steps_for(beyond, high->slope);
    if (step == 0 || step >= width)
        step = width / 2;
    return low->m + step;
}

/* The first multiplier after m at which anybody gets more; end where there is none before it. */
static uint64_t next_change(const struct part *parts, size_t n_parts, uint64_t m, uint64_t end)
{
    for (size_t i = 0; i < n_parts; i++) {
        uint64_t share = share_at(&parts[i], m);

        if (share_at(&parts[i], end - 1) > share)
            end = (((2 * share + 1) << (SCALE - 1)) + parts[i].weight - 1) / parts[i].weight;
    }
    return end;
}

/* The last multiplier at which no more than granules are given. There is one at which there are
 * more. */
static struct sample find_multiplier(const struct part *parts, size_t n_parts, uint64_t granules,
                                     uint64_t end)
{
    struct sample low = sample_at(parts, n_parts, 0);
    struct sample high = sample_at(parts, n_parts, end);

    for (unsigned round = 0; high.m - low.m > 1 && low.sum < granules; round++) {
        /* Where many change at once, the place of that is sought exactly. */
        bool is_exact = round > 5 && round % 2 == 0;
        uint64_t m = is_exact ? next_change(parts, n_parts, low.m, high.m)
                              : guess(&low, &high, granules, round);
        struct sample middle = sample_at(parts, n_parts, m);

        if (middle.sum <= granules)
            low = middle;
        else
            high = middle;
        if (is_exact && m == high.m)
            low.m = m - 1;
    }
    return low;
}

/* A multiplier at which everybody has all that it can take. */
static uint64_t end_of(const struct part *parts, size_t n_parts)
{
    uint64_t end = 1;

    for (size_t i = 0; i < n_parts; i++)
        if (share_at(&parts[i], end) < parts[i].most)
            end = ((uint64_t)parts[i].most << SCALE) / parts[i].weight + 1;
    return end;
}

void divide(struct part *parts, size_t n_parts, uint64_t granules)
{
    struct sample found;
    uint64_t most = 0;
    uint64_t left;

    for (size_t i = 0; i < n_parts; i++) {
        parts[i].given = granules > 0 ? parts[i].most : 0;
        most += parts[i].most;
    }
    if (granules == 0 || most <= granules)
        return;
    found = find_multiplier(parts, n_parts, granules, end_of(parts, n_parts));
    left = granules - found.sum;
    for (size_t i = 0; i < n_parts; i++) {
        uint64_t share = share_at(&parts[i], found.m);

        if (left > 0 && share_at(&parts[i], found.m + 1) > share) {
            share++;
            left--;
        }
        parts[i].given = (uint32_t)share;
    }
}
