/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that look random and are the same on every machine (splitmix64). */
#ifndef TESTS_CORE_RANDOM_H
#define TESTS_CORE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* low ≤ result ≤ high */
static inline int64_t random_between(struct random *random, int64_t low, int64_t high)
{
    return low + (int64_t)(random_next(random) % (uint64_t)(high - low + 1));
}

static inline bool random_chance(struct random *random, int percent)
{
    return random_next(random) % 100 < (uint64_t)percent;
}

#endif
