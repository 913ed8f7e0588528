/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every statement that runs after start, and what it is bound to. */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "db/internal.h"
#include "db/sql.h"

/* Old rows are looked for once in so many new ones, and once in so much time. */
#define TRIM_ROWS      1000
#define TRIM_MS        (INT64_C(3600) * 1000)

#define QUERY_ROWS_MAX 10000

#define EVENT_COLUMNS  "id, time_ms, kind, vm, domid, uid, reason, detail"

static const char *const texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_SAVEPOINT] = "SAVEPOINT job",
    [STATEMENT_RELEASE] = "RELEASE job",
    [STATEMENT_ROLLBACK_TO] = "ROLLBACK TO job",
    [STATEMENT_PUT_VM] =
        "INSERT INTO vm (name, uuid, target_kib, static_max_kib) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (name) DO UPDATE SET uuid = ?2, target_kib = ?3, static_max_kib = ?4",
    [STATEMENT_FORGET_VM] = "DELETE FROM vm WHERE name = ?1",
    [STATEMENT_FORGET_VM_SETTINGS] =
        "DELETE FROM setting WHERE match = ?1 AND (scope = 'except' OR scope = 'vm'"
        " AND layer IN (SELECT id FROM layer WHERE kind IN ('base', 'timed')))",
    [STATEMENT_ADD_LAYER] = "INSERT INTO layer (id, kind, name, created_ms, expires_ms)"
                            " VALUES (?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_REMOVE_LAYER] = "DELETE FROM layer WHERE id = ?1 AND id > 1",
    [STATEMENT_PUT_SETTING] =
        "INSERT INTO setting (layer, scope, match, ordinal, key, value)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT (layer, scope, match, key) DO UPDATE SET ordinal = ?4, value = ?6",
    [STATEMENT_DROP_SETTING] =
        "DELETE FROM setting WHERE layer = ?1 AND scope = ?2 AND match = ?3 AND key = ?4",
    [STATEMENT_ADD_EVENT] =
        "INSERT INTO event (" EVENT_COLUMNS ", due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STATEMENT_END_EVENT] = "UPDATE event SET due = 0 WHERE id = ?1",
    [STATEMENT_ADD_RESERVATION] =
        "INSERT INTO reservation (id, name, size_kib, priority, expires_ms, tied, implicit, uid,"
        " created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STATEMENT_REMOVE_RESERVATION] = "DELETE FROM reservation WHERE id = ?1",
    [STATEMENT_PUT_FREEZE] = "INSERT INTO freeze (name, until_ms) VALUES (?1, ?2)"
                             " ON CONFLICT (name) DO UPDATE SET until_ms = ?2",
    [STATEMENT_DROP_FREEZE] = "DELETE FROM freeze WHERE name = ?1",
    [STATEMENT_TRIM_AGE] = "DELETE FROM event WHERE time_ms < ?1",
    [STATEMENT_TRIM_COUNT] = "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?1",
    /* Times rise with ids, but not where a clock was set back: the first id to look at is found by
     * the index of times, and what is before it need not be read. */
    [STATEMENT_QUERY_EVENTS] =
        "SELECT * FROM (SELECT " EVENT_COLUMNS " FROM event WHERE time_ms >= ?1 AND"
        " id > max(?2, CASE WHEN ?1 > 0 THEN (SELECT min(id) - 1 FROM event INDEXED BY"
        " event_by_time WHERE time_ms >= ?1) ELSE ?2 END) ORDER BY id DESC LIMIT ?3) ORDER BY id",
    [STATEMENT_QUERY_VM_EVENTS] =
        "SELECT " EVENT_COLUMNS " FROM event WHERE id IN (SELECT id FROM event WHERE vm = ?4"
        " AND time_ms >= ?1 AND id > ?2 ORDER BY id DESC LIMIT ?3) ORDER BY id",
    [STATEMENT_PUT_SERIES] = "INSERT INTO series (name, last_ms) VALUES (?1, ?2)"
                             " ON CONFLICT (name) DO UPDATE SET last_ms = ?2",
    [STATEMENT_ADD_SAMPLE] =
        "INSERT OR REPLACE INTO sample VALUES (0, ?1, (SELECT id FROM series WHERE name = ?2), ?3,"
        " ?4, ?5, ?6, ?7, ?8)",
    /* The block of the level below that was rolled up last, or the first there is. */
    [STATEMENT_LAST_ROLLED] =
        "SELECT coalesce((SELECT max(block * ?2 + slot) FROM sample WHERE level = ?1 + 1 AND"
        " block = (SELECT max(block) FROM sample WHERE level = ?1 + 1)),"
        " (SELECT min(block) FROM sample WHERE level = ?1), 0)",
    [STATEMENT_ROLL_UP] =
        "INSERT OR REPLACE INTO sample SELECT ?1 + 1, block / ?2, series, block % ?2,"
        " CAST(avg(assigned_kib) AS INTEGER), max(demand_kib), CAST(avg(target_kib) AS INTEGER),"
        " max(pressure), min(free_kib) FROM sample"
        " WHERE level = ?1 AND block >= ?3 AND block < ?4 GROUP BY block, series",
    [STATEMENT_TRIM_HISTORY] = "DELETE FROM sample WHERE level = ?1 AND block < ?2",
    [STATEMENT_TRIM_SERIES] = "DELETE FROM series WHERE last_ms < ?1",
    /* The oldest tenth. */
    [STATEMENT_SHRINK_HISTORY] =
        "DELETE FROM sample WHERE level = ?1 AND block <="
        " (SELECT min(block) + (max(block) - min(block)) / 10 FROM sample WHERE level = ?1)",
    [STATEMENT_USED_KIB] = "SELECT (page_count - freelist_count) * page_size / 1024"
                           " FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
    /* Block by block, each of which has the series in one place. */
    [STATEMENT_QUERY_HISTORY] =
        "WITH RECURSIVE walk (block) AS (SELECT max(?2, coalesce((SELECT min(block) FROM sample"
        " WHERE level = ?1), ?3 + 1)) UNION ALL SELECT block + 1 FROM walk WHERE block < ?3)"
        " SELECT walk.block, slot, assigned_kib, demand_kib, target_kib, pressure, free_kib"
        " FROM walk CROSS JOIN sample ON level = ?1 AND sample.block = walk.block"
        " AND series = (SELECT id FROM series WHERE name = ?4)",
};

int connection_prepare(struct connection *connection, struct err *err)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (sql_prepare(connection->handle, texts[i], &connection->statements[i], err))
            return -1;
    return 0;
}

int connection_run(struct connection *connection, enum statement statement, struct err *err)
{
    return sql_finish(connection->statements[statement], err);
}

void connection_close(struct connection *connection)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(connection->statements[i]);
    sqlite3_close(connection->handle);
}

static int put_vm(struct sqlite3_stmt *statement, const struct db_vm *vm, struct err *err)
{
    sql_bind_text(statement, 1, vm->name);
    sql_bind_bytes(statement, 2, vm->uuid, sizeof(vm->uuid));
    sql_bind_number(statement, 3, vm->target_kib);
    sql_bind_number(statement, 4, vm->static_max_kib);
    return sql_finish(statement, err);
}

static int add_layer(struct sqlite3_stmt *statement, const struct db_layer *layer, struct err *err)
{
    sql_bind_number(statement, 1, layer->id);
    sql_bind_text(statement, 2, layer->kind);
    sql_bind_text(statement, 3, layer->name);
    sql_bind_number(statement, 4, layer->created_ms);
    sql_bind_number(statement, 5, layer->expires_ms);
    return sql_finish(statement, err);
}

static int put_setting(struct sqlite3_stmt *statement, const struct db_setting *setting,
                       struct err *err)
{
    sql_bind_number(statement, 1, setting->layer);
    sql_bind_text(statement, 2, setting->scope);
    sql_bind_text(statement, 3, setting->match);
    sql_bind_number(statement, 4, setting->ordinal);
    sql_bind_text(statement, 5, setting->key);
    sql_bind_number(statement, 6, setting->value);
    return sql_finish(statement, err);
}

static int drop_setting(struct sqlite3_stmt *statement, const struct db_setting *setting,
                        struct err *err)
{
    sql_bind_number(statement, 1, setting->layer);
    sql_bind_text(statement, 2, setting->scope);
    sql_bind_text(statement, 3, setting->match);
    sql_bind_text(statement, 4, setting->key);
    return sql_finish(statement, err);
}

static int add_event(struct connection *connection, const struct db_event *event, struct err *err)
{
    struct sqlite3_stmt *statement = connection->statements[STATEMENT_ADD_EVENT];

    connection->rows_since_trim++;
    connection->newest_ms = event->time_ms;
    sql_bind_number(statement, 1, event->id);
    sql_bind_number(statement, 2, event->time_ms);
    sql_bind_text(statement, 3, event->kind);
    sql_bind_text(statement, 4, event->vm);
    sql_bind_number(statement, 5, event->domid);
    sql_bind_number(statement, 6, event->uid);
    sql_bind_text(statement, 7, event->reason);
    sql_bind_text(statement, 8, event->detail);
    sql_bind_number(statement, 9, event->due);
    return sql_finish(statement, err);
}

static int add_reservation(struct sqlite3_stmt *statement, const struct db_reservation *reservation,
                           struct err *err)
{
    sql_bind_number(statement, 1, reservation->id);
    sql_bind_text(statement, 2, reservation->name);
    sql_bind_number(statement, 3, reservation->size_kib);
    sql_bind_number(statement, 4, reservation->priority);
    sql_bind_number(statement, 5, reservation->expires_ms);
    sql_bind_number(statement, 6, reservation->tied);
    sql_bind_number(statement, 7, reservation->implicit);
    sql_bind_number(statement, 8, reservation->uid);
    sql_bind_number(statement, 9, reservation->created_ms);
    return sql_finish(statement, err);
}

static int put_freeze(struct sqlite3_stmt *statement, const struct db_freeze *freeze,
                      struct err *err)
{
    sql_bind_text(statement, 1, freeze->name);
    sql_bind_number(statement, 2, freeze->until_ms);
    return sql_finish(statement, err);
}

static int forget_vm(struct connection *connection, const char *name, struct err *err)
{
    static const enum statement steps[] = {STATEMENT_FORGET_VM_SETTINGS, STATEMENT_DROP_FREEZE,
                                           STATEMENT_FORGET_VM};

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        sql_bind_text(connection->statements[steps[i]], 1, name);
        if (sql_finish(connection->statements[steps[i]], err))
            return -1;
    }
    return 0;
}

int connection_apply(struct connection *connection, const struct db_change *change, struct err *err)
{
    struct sqlite3_stmt **statements = connection->statements;

    switch (change->kind) {
    case DB_PUT_VM:
        return put_vm(statements[STATEMENT_PUT_VM], &change->vm, err);
    case DB_FORGET_VM:
        return forget_vm(connection, change->vm.name, err);
    case DB_ADD_LAYER:
        return add_layer(statements[STATEMENT_ADD_LAYER], &change->layer, err);
    case DB_REMOVE_LAYER:
        sql_bind_number(statements[STATEMENT_REMOVE_LAYER], 1, change->layer.id);
        return sql_finish(statements[STATEMENT_REMOVE_LAYER], err);
    case DB_PUT_SETTING:
        return put_setting(statements[STATEMENT_PUT_SETTING], &change->setting, err);
    case DB_DROP_SETTING:
        return drop_setting(statements[STATEMENT_DROP_SETTING], &change->setting, err);
    case DB_ADD_EVENT:
        return add_event(connection, &change->event, err);
    case DB_END_EVENT:
        sql_bind_number(statements[STATEMENT_END_EVENT], 1, change->event.id);
        return sql_finish(statements[STATEMENT_END_EVENT], err);
    case DB_ADD_RESERVATION:
        return add_reservation(statements[STATEMENT_ADD_RESERVATION], &change->reservation, err);
    case DB_REMOVE_RESERVATION:
        sql_bind_number(statements[STATEMENT_REMOVE_RESERVATION], 1, change->reservation.id);
        return sql_finish(statements[STATEMENT_REMOVE_RESERVATION], err);
    case DB_PUT_FREEZE:
        return put_freeze(statements[STATEMENT_PUT_FREEZE], &change->freeze, err);
    case DB_DROP_FREEZE:
        sql_bind_text(statements[STATEMENT_DROP_FREEZE], 1, change->freeze.name);
        return sql_finish(statements[STATEMENT_DROP_FREEZE], err);
    case DB_ADD_SAMPLE:
        return connection_add_sample(connection, &change->sample, err);
    }
    invariant(!"a known kind of change");
    return -1;
}

/* Rows since the last time, or time; a clock that was set back counts as well. */
static bool is_trim_due(const struct connection *connection)
{
    int64_t since_ms = connection->newest_ms - connection->trimmed_ms;

    return connection->rows_since_trim >= TRIM_ROWS ||
           (connection->rows_since_trim > 0 && (since_ms >= TRIM_MS || since_ms < 0));
}

int connection_trim(struct connection *connection, struct err *err)
{
    const struct db_limits *limits = &connection->limits;
    struct sqlite3_stmt *by_age = connection->statements[STATEMENT_TRIM_AGE];
    struct sqlite3_stmt *by_count = connection->statements[STATEMENT_TRIM_COUNT];

    if (!is_trim_due(connection))
        return 0;
    if (limits->event_age_ms > 0) {
        sql_bind_number(by_age, 1, connection->newest_ms - limits->event_age_ms);
        if (sql_finish(by_age, err))
            return -1;
    }
    if (limits->event_count > 0) {
        sql_bind_number(by_count, 1, limits->event_count);
        if (sql_finish(by_count, err))
            return -1;
    }
    connection->rows_since_trim = 0;
    connection->trimmed_ms = connection->newest_ms;
    return 0;
}

struct db_rows {
    struct db_event *events; /* strings owned */
    size_t count, room;
};

static char *copy_column(struct sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    char *copy = text ? strdup(text) : NULL;

    invariant(copy || !text);
    return copy;
}

static void add_row(struct db_rows *rows, struct sqlite3_stmt *statement)
{
    if (rows->count == rows->room) {
        rows->room = rows->room > 0 ? rows->room * 2 : 64;
        rows->events = realloc(rows->events, rows->room * sizeof(*rows->events));
        invariant(rows->events);
    }
    rows->events[rows->count++] = (struct db_event){
        .id = sqlite3_column_int64(statement, 0),
        .time_ms = sqlite3_column_int64(statement, 1),
        .kind = copy_column(statement, 2),
        .vm = copy_column(statement, 3),
        .domid = sqlite3_column_int64(statement, 4),
        .uid = sqlite3_column_int64(statement, 5),
        .reason = copy_column(statement, 6),
        .detail = copy_column(statement, 7),
    };
}

int connection_query_events(struct connection *connection, const struct db_filter *filter,
                            struct db_rows **out, struct err *err)
{
    struct sqlite3_stmt *statement =
        connection->statements[filter->vm ? STATEMENT_QUERY_VM_EVENTS : STATEMENT_QUERY_EVENTS];
    struct db_rows *rows = calloc(1, sizeof(*rows));
    int64_t limit = filter->limit < QUERY_ROWS_MAX ? filter->limit : QUERY_ROWS_MAX;
    enum sql_step step;

    invariant(rows);
    sql_bind_number(statement, 1, filter->since_ms);
    sql_bind_number(statement, 2, filter->after_id);
    sql_bind_number(statement, 3, limit > 1 ? limit : 1);
    if (filter->vm)
        sql_bind_text(statement, 4, filter->vm);
    while ((step = sql_step(statement, err)) == SQL_ROW)
        add_row(rows, statement);
    if (step == SQL_FAILED) {
        rows_free(rows);
        return -1;
    }
    *out = rows;
    return 0;
}

const struct db_event *rows_events(const struct db_rows *rows, size_t *count)
{
    *count = rows ? rows->count : 0;
    return rows ? rows->events : NULL;
}

void rows_free(struct db_rows *rows)
{
    if (!rows)
        return;
    for (size_t i = 0; i < rows->count; i++) {
        free((char *)rows->events[i].kind);
        free((char *)rows->events[i].vm);
        free((char *)rows->events[i].reason);
        free((char *)rows->events[i].detail);
    }
    free(rows->events);
    free(rows);
}
