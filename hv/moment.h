/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is free and what domains hold are two questions to the hypervisor, and balloons move in
 * between: what was free at the moment of the second? Pure, so that it can be tested without Xen.
 *
 * What the two add up to does not move with balloons. It changes with what the hypervisor keeps for
 * itself, mostly when domains come and go.
 */
#ifndef HV_MOMENT_H
#define HV_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* Answers that do not fit together are asked for again, so many times in all. */
#define MOMENT_TRIES 5

/* Zeroed: nothing is known yet. Pages. */
struct moment {
    uint64_t sum;     /* free and held together, as two quiet rounds in a row had it */
    uint64_t doubted; /* another sum, of a quiet round */
};

/*
 * One round: what was free before and after, and what all domains held in between. True where that
 * fits together, and *free is what was free at that moment; false where it should be asked again,
 * and *free is the least that it can have been.
 */
bool moment_fits(struct moment *moment, uint64_t before, uint64_t held, uint64_t after,
                 uint64_t *free);

#endif
