/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/sql.h"

#include <sqlite3.h>
#include <stdio.h>

#include "base/err.h"
#include "base/invariant.h"

static enum err_code code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return ERR_DENIED;
    default:
        return ERR_FAILED;
    }
}

bool sql_was_refused(struct sqlite3 *handle)
{
    switch (sqlite3_errcode(handle) & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return true;
    default:
        return false;
    }
}

int sql_failed(struct sqlite3 *handle, struct err *err)
{
    return err_set(err, code_of(sqlite3_errcode(handle)), "%s", sqlite3_errmsg(handle));
}

int sql_run(struct sqlite3 *handle, const char *text, struct err *err)
{
    return sqlite3_exec(handle, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_failed(handle, err);
}

int sql_prepare(struct sqlite3 *handle, const char *text, struct sqlite3_stmt **out,
                struct err *err)
{
    if (sqlite3_prepare_v3(handle, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
        return sql_failed(handle, err);
    return 0;
}

/* Prepares a statement that is to yield one row, and goes there. */
static struct sqlite3_stmt *first_row(struct sqlite3 *handle, const char *text, struct err *err)
{
    struct sqlite3_stmt *statement;
    enum sql_step step;

    if (sql_prepare(handle, text, &statement, err))
        return NULL;
    step = sql_step(statement, err);
    if (step == SQL_ROW)
        return statement;
    if (step == SQL_DONE)
        err_set(err, ERR_FAILED, "no answer to %s", text);
    sqlite3_finalize(statement);
    return NULL;
}

int sql_number(struct sqlite3 *handle, const char *text, int64_t *out, struct err *err)
{
    struct sqlite3_stmt *row = first_row(handle, text, err);

    if (!row)
        return -1;
    *out = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return 0;
}

int sql_text(struct sqlite3 *handle, const char *text, char *out, size_t room, struct err *err)
{
    struct sqlite3_stmt *row = first_row(handle, text, err);
    const char *found = row ? (const char *)sqlite3_column_text(row, 0) : NULL;

    if (!row)
        return -1;
    snprintf(out, room, "%s", found ? found : "");
    sqlite3_finalize(row);
    return 0;
}

void sql_bind_number(struct sqlite3_stmt *statement, int at, int64_t value)
{
    invariant(sqlite3_bind_int64(statement, at, value) == SQLITE_OK);
}

void sql_bind_text(struct sqlite3_stmt *statement, int at, const char *text)
{
    int result = text ? sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC)
                      : sqlite3_bind_null(statement, at);

    invariant(result == SQLITE_OK);
}

void sql_bind_bytes(struct sqlite3_stmt *statement, int at, const void *bytes, int length)
{
    invariant(sqlite3_bind_blob(statement, at, bytes, length, SQLITE_STATIC) == SQLITE_OK);
}

enum sql_step sql_step(struct sqlite3_stmt *statement, struct err *err)
{
    int result = sqlite3_step(statement);

    if (result == SQLITE_ROW)
        return SQL_ROW;
    if (result != SQLITE_DONE)
        sql_failed(sqlite3_db_handle(statement), err);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? SQL_DONE : SQL_FAILED;
}

int sql_finish(struct sqlite3_stmt *statement, struct err *err)
{
    enum sql_step step = sql_step(statement, err);

    invariant(step != SQL_ROW);
    return step == SQL_DONE ? 0 : -1;
}
