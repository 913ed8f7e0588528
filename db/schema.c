/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "db/schema.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "db/sql.h"

/* Never edit one that was released: append. Times are wall-clock milliseconds, amounts KiB. */
static const char *const migrations[] = {
    /* 1 */
    "CREATE TABLE vm ("
    "  name TEXT PRIMARY KEY,"
    "  uuid BLOB NOT NULL CHECK (length(uuid) = 16),"
    "  target_kib INTEGER NOT NULL,"
    "  static_max_kib INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE layer ("
    "  id INTEGER PRIMARY KEY,"
    "  kind TEXT NOT NULL CHECK (kind IN ('base', 'timed', 'policy')),"
    "  name TEXT NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  expires_ms INTEGER NOT NULL"
    ") STRICT;"
    "INSERT INTO layer VALUES (1, 'base', '', 0, 0);"
    "CREATE TABLE setting ("
    "  layer INTEGER NOT NULL REFERENCES layer (id) ON DELETE CASCADE,"
    "  scope TEXT NOT NULL CHECK (scope IN ('vm', 'host', 'except')),"
    "  match TEXT NOT NULL,"
    "  ordinal INTEGER NOT NULL,"
    "  key TEXT NOT NULL,"
    "  value INTEGER NOT NULL,"
    "  PRIMARY KEY (layer, scope, match, key)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE reservation ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  name TEXT NOT NULL,"
    "  size_kib INTEGER NOT NULL,"
    "  priority INTEGER NOT NULL,"
    "  expires_ms INTEGER NOT NULL,"
    "  tied INTEGER NOT NULL,"
    "  implicit INTEGER NOT NULL,"
    "  uid INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE freeze ("
    "  name TEXT PRIMARY KEY,"
    "  until_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE event ("
    "  id INTEGER PRIMARY KEY,"
    "  time_ms INTEGER NOT NULL,"
    "  kind TEXT NOT NULL,"
    "  vm TEXT,"
    "  domid INTEGER NOT NULL,"
    "  uid INTEGER NOT NULL,"
    "  reason TEXT,"
    "  detail TEXT NOT NULL,"
    "  due INTEGER NOT NULL" /* its hooks are to be run: 0 no, 1 yes, 2 once more */
    ") STRICT;"
    "CREATE INDEX event_by_time ON event (time_ms);"
    "CREATE INDEX event_by_vm ON event (vm, time_ms);"
    "CREATE INDEX event_due ON event (due) WHERE due > 0;"
    /* A series for each VM's name, and '' for the host. Rows of a block lie together, so that a
     * moment is written into few pages, and a series is read in few places (db/history.c). */
    "CREATE TABLE series ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  last_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE sample ("
    "  level INTEGER NOT NULL,"
    "  block INTEGER NOT NULL,"
    "  series INTEGER NOT NULL,"
    "  slot INTEGER NOT NULL,"
    "  assigned_kib INTEGER,"
    "  demand_kib INTEGER,"
    "  target_kib INTEGER,"
    "  pressure INTEGER,"
    "  free_kib INTEGER,"
    "  PRIMARY KEY (level, block, series, slot)"
    ") STRICT, WITHOUT ROWID;",
};

int64_t schema_version(void)
{
    return (int64_t)(sizeof(migrations) / sizeof(*migrations));
}

static int check_ownership(struct sqlite3 *handle, struct err *err)
{
    int64_t application, tables;

    if (sql_number(handle, "PRAGMA application_id", &application, err) ||
        sql_number(handle, "SELECT count(*) FROM sqlite_master", &tables, err))
        return err && err->code == ERR_BUSY
                   ? err_advise(err, "another program has it: end that one")
                   : err_advise(err, "put a backup in its place, or name another database");
    if (application == SCHEMA_APPLICATION_ID || (application == 0 && tables == 0))
        return 0;
    return err_set(err, ERR_INVALID, "is another program's database: name another file");
}

static int check_version(struct sqlite3 *handle, int64_t *version, struct err *err)
{
    if (sql_number(handle, "PRAGMA user_version", version, err))
        return -1;
    if (*version > schema_version())
        return err_set(err, ERR_UNSUPPORTED,
                       "is of version %" PRId64 ", this program knows up to %" PRId64
                       ": use the newer program, or restore a backup",
                       *version, schema_version());
    if (*version < 0)
        return err_set(err, ERR_FAILED,
                       "is damaged (version %" PRId64
                       "): put a backup in its place, or move it away",
                       *version);
    return 0;
}

int schema_check(struct sqlite3 *handle, struct err *err)
{
    int64_t version;

    return check_ownership(handle, err) ? -1 : check_version(handle, &version, err);
}

static int migrate_from(struct sqlite3 *handle, int64_t version, struct err *err)
{
    char text[128];

    for (int64_t v = version; v < schema_version(); v++)
        if (sql_run(handle, migrations[v], err))
            return err_wrap(err, "migrate to version %" PRId64, v + 1);
    snprintf(text, sizeof(text), "PRAGMA user_version = %" PRId64 "; PRAGMA application_id = %d;",
             schema_version(), SCHEMA_APPLICATION_ID);
    return sql_run(handle, text, err);
}

static int migrate(struct sqlite3 *handle, struct err *err)
{
    int64_t version;

    if (check_ownership(handle, err) || check_version(handle, &version, err))
        return -1;
    return version == schema_version() ? 0 : migrate_from(handle, version, err);
}

int schema_migrate(struct sqlite3 *handle, struct err *err)
{
    if (sql_run(handle, "BEGIN IMMEDIATE", err))
        return -1;
    if (migrate(handle, err) || sql_run(handle, "COMMIT", err)) {
        (void)sql_run(handle, "ROLLBACK", NULL);
        return -1;
    }
    return 0;
}
