/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock that only goes on, for the loop, and for who deals with other processes: clients,
 * hooks. What decides is told the time instead. */
#ifndef DAEMON_MONOTONIC_H
#define DAEMON_MONOTONIC_H

#include <stdint.h>

/* Since some moment in the past. */
int64_t monotonic_us(void);
int64_t monotonic_ms(void);

#endif
