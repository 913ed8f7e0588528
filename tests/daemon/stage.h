/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A simulated host in this process, 4 GiB for the guests busy, idle and helper, and all of a daemon
 * on it but its loop and its socket: what stories about the engine are played on. */
#ifndef TESTS_DAEMON_STAGE_H
#define TESTS_DAEMON_STAGE_H

#include <stdint.h>

#include "daemon/daemon.h"

struct domain;
struct world;

struct stage {
    struct world *world;
    struct daemon host;
    char folder[64];
    int64_t now_ms;
    int64_t wall_ms; /* since 1970; goes on with now_ms */
};
extern struct stage stage;

void stage_set_up(void);
void stage_tear_down(void);

/* A guest more. */
void stage_add_vm(const char *name, const char *memory, const char *maxmem, const char *demand);

/* The daemon ends and begins; the host goes on. */
void stage_open_daemon(void);
void stage_close_daemon(void);

/* One command of the simulated toolstack, which must succeed. */
void stage_xl(const char *line);

/* Seconds of passes. Promise 1 is looked at after each of them. */
void stage_pass(int seconds);

const struct domain *stage_domain(const char *name);
int64_t stage_target_mib(const char *name);

/* How many events of that kind are in the journal; vm NULL: about anybody. */
int stage_events(const char *kind, const char *vm);

/* The same for those with that in their detail. */
int stage_events_saying(const char *kind, const char *part);

#endif
