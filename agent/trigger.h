/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own signal that tasks wait for memory: sooner than the next look. */
#ifndef AGENT_TRIGGER_H
#define AGENT_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

struct err;

/* Tasks that wait for memory 150 ms within 2 s, the shortest span that needs no privilege. */
#define TRIGGER_TEXT "some 150000 2000000"

struct trigger {
    int fd; /* of /proc/pressure/memory; −1: there is no signal, only the clock */
};

/* root as in kernel.h. 0, or −1 with ERR_FAILED, ERR_DENIED where the kernel gives no signal, or
 * not to us: the trigger then only waits. */
int trigger_open(struct trigger *trigger, const char *root, struct err *err);

/* Waits for the signal, for ms at most. True if it came; whoever sent it falls silent for the rest
 * of its 2 s. A trigger that breaks is closed. */
bool trigger_wait(struct trigger *trigger, int64_t ms);

void trigger_close(struct trigger *trigger);

#endif
