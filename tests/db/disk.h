/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk for tests: it lies between SQLite and the real one, and can be made slow, full, broken, or
 * to lose what was not synced. Whoever opens a database after disk_install has it on this disk.
 */
#ifndef TESTS_DB_DISK_H
#define TESTS_DB_DISK_H

#include <stdbool.h>

void disk_install(void);

/* From now on whoever syncs is held up until disk_let_go. */
void disk_hold(void);
void disk_let_go(void);

/* Returns once somebody is held up. */
void disk_await_held(void);

/* `after` more writes and syncs succeed; then all fail with that code (SQLITE_FULL …) until
 * disk_mend. */
void disk_fail(int after, int code);

/* Was any write or sync refused since disk_fail? */
bool disk_has_failed(void);
void disk_mend(void);

/* Copies into folder what a power cut at this moment would leave behind: all files that are open,
 * as they were when they were last synced. */
void disk_copy_after_power_cut(const char *folder);

#endif
