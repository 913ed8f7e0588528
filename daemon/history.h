/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * History: every 10 s, what host and VMs have and need goes to the database, whose writer makes the
 * coarser levels. Which level answers a question is decided here too.
 */
#ifndef DAEMON_HISTORY_H
#define DAEMON_HISTORY_H

#include <stdint.h>

#include "db/db.h"

struct daemon;
struct history;
struct options;

struct history *history_new(struct daemon *daemon);
void history_free(struct history *history);

/* After a pass: takes a sample where the last one is of another 10 s. wall_ms: wall clock. */
void history_take(struct history *history, int64_t wall_ms);

/* The finest level that is kept long enough to reach back to since_ms; the coarsest where none is.
 */
enum db_level history_level(const struct db_limits *limits, int64_t since_ms, int64_t wall_ms);

/* What the options say of how much is kept. */
struct db_limits history_limits(const struct options *options);

#endif
