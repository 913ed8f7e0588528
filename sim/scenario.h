/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenario files: a simulated host, its VMs, and what happens when. xenmem-sim(1) has the keys. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

struct err;
struct script;
struct world;

/* Reads file into a world at time 0, and what it has for a daemon into script (NULL: nobody asks).
 * 0 and *out, or −1: ERR_INVALID with "FILE:LINE: what, why", ERR_DENIED where it cannot be read.
 */
int scenario_read(const char *file, struct world **out, struct script *script, struct err *err);

#endif
