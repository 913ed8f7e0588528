/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon within a run: all of it but loop and socket, with what a scenario has for it. */
#ifndef SIM_PILOT_H
#define SIM_PILOT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/decide.h"
#include "daemon/daemon.h"

struct err;
struct engine_status;
struct reservation;
struct script;
struct vm_entry;
struct world;

struct pilot {
    struct world *world;
    struct script *script; /* commands that were carried out once are not due any more */
    struct decide_faults faults;
    char folder[64]; /* of the database; "" none was made */
    bool is_up;      /* the daemon is */
    struct daemon daemon;
    int64_t wall_ms; /* the daemon's wall clock */
};

/* Starts the daemon on the world, which stays the caller's, as the script does. 0 or −1. */
int pilot_begin(struct pilot *pilot, struct world *world, struct script *script,
                const struct decide_faults *faults, struct err *err);

/* Safe on one that was zeroed. */
void pilot_end(struct pilot *pilot);

/* Does what is due, and one pass. 0 or −1. */
int pilot_pass(struct pilot *pilot, int64_t now_ms, struct err *err);

/* Of the last pass, good until the next. While the daemon is dead there is nothing: NULL, zeroes.
 */
const struct reservation *pilot_reservation(const struct pilot *pilot, const char *name);
const struct vm_entry *pilot_vm(const struct pilot *pilot, const char *name);
const struct engine_status *pilot_status(const struct pilot *pilot);

#endif
