/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dividing a number of granules between parties by weight, down to the last one, and fairly: one
 * more to divide never means less for anybody, more weight never means less for its owner, and
 * equals differ by at most one.
 */
#ifndef CORE_DIVIDE_H
#define CORE_DIVIDE_H

#include <stddef.h>
#include <stdint.h>

struct part {
    uint32_t vm;     /* whose it is; the caller's */
    uint32_t weight; /* > 0 */
    uint32_t most;   /* it can take no more than this */
    uint32_t given;  /* out */
};

/* Each gets min(most, weight × m), rounded, with the one m that uses up granules; where one granule
 * would do for several, the earlier part has it. Whoever has enough leaves the rest to the others.
 */
void divide(struct part *parts, size_t n_parts, uint64_t granules);

#endif
