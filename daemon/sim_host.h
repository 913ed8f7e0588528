/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backend sim:FILE: the simulated host of a scenario file. It is a process of its own, xenmem-sim,
 * so that it and its guests go on while the daemon is dead; a daemon that is started again finds
 * it.
 */
#ifndef DAEMON_SIM_HOST_H
#define DAEMON_SIM_HOST_H

#include <sys/types.h>

struct err;

/* Room for "sim:" and a socket's path, with NUL. */
#define SIM_HOST_BACKEND_MAX 256

/*
 * Starts the simulated host of file where none runs, and waits, at most ten seconds, until it
 * answers. Writes what hv_open wants into backend, and which process it started into *started; 0
 * where one ran already. 0, or −1: ERR_INVALID with the scenario's line that is wrong, ERR_FAILED.
 * Blocks: for the start only.
 */
int sim_host_ensure(const char *file, char backend[SIM_HOST_BACKEND_MAX], pid_t *started,
                    struct err *err);

/* Ends one that was started for nothing, and waits for it; 0 is fine. */
void sim_host_end(pid_t started);

#endif
