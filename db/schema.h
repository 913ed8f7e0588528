/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables, as an append-only list of migrations: the index of the last is the version. */
#ifndef DB_SCHEMA_H
#define DB_SCHEMA_H

#include <stdint.h>

struct err;
struct sqlite3;

/* "xmem": marks the file as ours. */
#define SCHEMA_APPLICATION_ID 0x786d656d

/* The version that this program writes. */
int64_t schema_version(void);

/*
 * Looks whether the database is ours, and of a version that we know; writes nothing. 0, or −1:
 * ERR_UNSUPPORTED where it is newer, ERR_INVALID where it is another program's.
 */
int schema_check(struct sqlite3 *handle, struct err *err);

/* Brings it to schema_version in one transaction, checking once more within it. 0 or −1. */
int schema_migrate(struct sqlite3 *handle, struct err *err);

#endif
