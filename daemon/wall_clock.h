/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place that the daemon asks what time it is; runs in virtual time answer for themselves.
 */
#ifndef DAEMON_WALL_CLOCK_H
#define DAEMON_WALL_CLOCK_H

#include <stdint.h>

struct daemon;

/* Milliseconds since 1970. */
int64_t wall_clock_ms(const struct daemon *daemon);

#endif
