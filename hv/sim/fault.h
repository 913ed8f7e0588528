/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a daemon asks of a simulated host may fail: each operation by its name, at the nth time. */
#ifndef HV_SIM_FAULT_H
#define HV_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct world;

enum sim_op { SIM_OP_READ, SIM_OP_SET_TARGET, SIM_OP_SET_CAP, SIM_OP_ADOPT_TARGET, SIM_OP_COUNT };

/* How much of it is done when it fails. */
enum sim_fault_how {
    SIM_FAULT_NOTHING,
    SIM_FAULT_HALF, /* of set-target: the cap, and nothing else; of others nothing */
    SIM_FAULT_DONE, /* all of it: only the answer is a failure */
    SIM_FAULT_HOW_COUNT
};

struct sim_fault {
    int64_t after; /* operations that still go well */
    int64_t times; /* that fail then; 0: none */
    enum sim_fault_how how;
};

/* "read", "set-target", …; "nothing", "half", "done" */
const char *sim_op_name(enum sim_op op);
const char *sim_fault_how_name(enum sim_fault_how how);

/* OPERATION [after=N] [times=N] [how=nothing|half|done]. 0, or −1 ERR_INVALID. */
int sim_fault_arm(struct world *world, size_t n_words, const char *const words[], struct err *err);

/* Counts one operation. True where it fails: err is filled, and *how says how much of it is to be
 * done. */
bool sim_fault_strikes(struct world *world, enum sim_op op, enum sim_fault_how *how,
                       struct err *err);

#endif
