/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The promises that a decision can break, each as a check on an arbitrary host. */
#ifndef TESTS_CORE_PROMISES_H
#define TESTS_CORE_PROMISES_H

#include "tests/core/world.h"

/* What is wrong, for people. */
struct complaint {
    char text[400];
};

/* Fills complaint and returns false, so that `return broken(…)` reads well. */
__attribute__((format(printf, 2, 3))) bool broken(struct complaint *complaint, const char *format,
                                                  ...);

/* True where the host keeps the promise. The world is a copy for the check to play with. */
typedef bool promise_check(struct world *world, struct complaint *complaint);

struct promise {
    const char *name;
    promise_check *check;
    int percent; /* of hosts that it is held against; the costly ones less often */
};

extern const struct promise promises[];
extern const size_t n_promises;

/* promises_write.c: what is written, and to whom */
promise_check promise_each_action;
promise_check promise_bounds;
promise_check promise_sound_actions;
promise_check promise_untouchable;
promise_check promise_override;
promise_check promise_blind;
promise_check promise_stable;

/* promises_share.c: who is entitled to how much */
promise_check promise_order;
promise_check promise_equals;
promise_check promise_more_memory;
promise_check promise_more_priority;
promise_check promise_more_demand;
promise_check promise_admission;
promise_check promise_want;

/* promises_time.c: what becomes of it */
promise_check promise_arrives;
promise_check promise_history;
promise_check promise_quiet;

#endif
