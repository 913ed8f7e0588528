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
 * Brings the database to schema_version in one transaction. 0, or −1: ERR_UNSUPPORTED where it is
 * newer, ERR_INVALID where it is somebody else's file.
 */
int schema_migrate(struct sqlite3 *handle, const char *path, struct err *err);

#endif
