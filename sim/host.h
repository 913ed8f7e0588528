/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One simulated host, served in real time to whoever of this user connects. */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <stdint.h>

struct err;

/*
 * Serves the host of a scenario file until SIGTERM or SIGINT; its time runs speed times as fast as
 * ours. 0, or −1: ERR_INVALID with the scenario's line, ERR_BUSY where that host runs already.
 */
int host_serve(const char *file, int64_t speed, struct err *err);

#endif
