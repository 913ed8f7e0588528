/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host on paper as a scenario file, for xenmem-sim run. */
#ifndef TESTS_CORE_AS_SCENARIO_H
#define TESTS_CORE_AS_SCENARIO_H

#include "tests/core/world.h"

/*
 * Prints it, as near as a scenario comes: its VMs begin at rest, and what the core remembered of
 * them is not in it. What cannot be said there is said in comments. A
 * host of more than 1 PiB in all is more than a scenario takes.
 */
void as_scenario_print(const struct world *world);

#endif
