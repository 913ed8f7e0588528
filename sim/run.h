/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario from its beginning to its end in virtual time: the simulated host, and on it all of
 * the daemon but its loop and its socket.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "core/decide.h"
#include "sim/replay.h"
#include "sim/samples.h"

struct err;
struct script_expectation;

struct run_options {
    int64_t for_ms;              /* how long; 0: a minute beyond the last thing that it plans, and
                                    ten minutes at least */
    struct decide_faults faults; /* tests only */
};

/* An expectation that was not met. */
struct run_miss {
    const struct script_expectation *expectation; /* lives as long as the run */
    int64_t found;                                /* meaningful if exists */
    bool exists;                                  /* there was such a VM, and the daemon knew it */
};

struct run;

/*
 * Reads the scenario and runs it. 0 and *out, or −1: ERR_INVALID with "FILE:LINE: what, why",
 * ERR_FAILED where the daemon's database cannot be made.
 */
int run_scenario(const char *file, const struct run_options *options, replay_progress *progress,
                 void *context, struct run **out, struct err *err);

/* Returns NULL. */
struct run *run_free(struct run *run);

/* What came of it, counted as in a replay; and the names of its VMs. */
const struct replay_result *run_result(const struct run *run);
const struct samples *run_names(const struct run *run);

/* What else was counted. */
struct run_counts {
    int64_t passes;
    uint64_t guest_crashes, oom_kills;
    size_t n_expectations, n_misses;
};
struct run_counts run_counts(const struct run *run);

const struct run_miss *run_miss(const struct run *run, size_t index);

#endif
