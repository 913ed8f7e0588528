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

#define QUERY_ROWS_MAX 100000

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
        "INSERT INTO event (" EVENT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
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
    return sql_finish(statement, err);
}

static int forget_vm(struct connection *connection, const char *name, struct err *err)
{
    static const enum statement steps[] = {STATEMENT_FORGET_VM_SETTINGS, STATEMENT_FORGET_VM};

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
