/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thin skin over SQLite: errors as struct err, statements prepared once, steps that cannot be
 * misread. */
#ifndef DB_SQL_H
#define DB_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct sqlite3;
struct sqlite3_stmt;

/* Runs statements without results. 0 or −1. */
int sql_run(struct sqlite3 *handle, const char *text, struct err *err);

/* Prepares one for the life of the connection. 0 or −1. */
int sql_prepare(struct sqlite3 *handle, const char *text, struct sqlite3_stmt **out,
                struct err *err);

/* One whole number from a statement that yields one row. 0 or −1. */
int sql_number(struct sqlite3 *handle, const char *text, int64_t *out, struct err *err);

/* The text that a statement yields in its one row, cut to room. 0 or −1. */
int sql_text(struct sqlite3 *handle, const char *text, char *out, size_t room, struct err *err);

/* Binds by position, from 1; NULL text binds NULL. Text is borrowed until the statement is reset.
 */
void sql_bind_number(struct sqlite3_stmt *statement, int at, int64_t value);
void sql_bind_text(struct sqlite3_stmt *statement, int at, const char *text);
void sql_bind_bytes(struct sqlite3_stmt *statement, int at, const void *bytes, int length);

enum sql_step { SQL_ROW, SQL_DONE, SQL_FAILED };

/* The next row. SQL_FAILED fills err; the statement is reset on all but SQL_ROW. */
enum sql_step sql_step(struct sqlite3_stmt *statement, struct err *err);

/* Runs a bound statement that has no rows, and resets it. 0 or −1. */
int sql_finish(struct sqlite3_stmt *statement, struct err *err);

/* After a failure: was it what was asked for that failed (a constraint …), and not the disk? */
bool sql_was_refused(struct sqlite3 *handle);

/* Fills err with what the connection says. Returns −1. */
int sql_failed(struct sqlite3 *handle, struct err *err);

#endif
