/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What time it is. Below the loop and whoever talks to the world, time is an argument. */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include <stdint.h>

/* Wall clock, ms since 1970: for what people read, and what must end at a time of day. */
int64_t clock_wall_ms(void);

/* Since some moment, never set back: for how long something took. */
int64_t clock_monotonic_ms(void);

#endif
