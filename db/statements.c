/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every statement that runs after start, and what it is bound to. */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/invariant.h"
#include "db/internal.h"
#include "db/sql.h"

/* Old rows are looked for once in so many new ones. */
#define TRIM_EVERY 1000

static const char *const texts[STATEMENT_COUNT] = {
    [STATEMENT_PUT_VM] =
        "INSERT INTO vm (name, uuid, target_kib, static_max_kib) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (name) DO UPDATE SET uuid = ?2, target_kib = ?3, static_max_kib = ?4",
    [STATEMENT_FORGET_VM] = "DELETE FROM vm WHERE name = ?1",
    [STATEMENT_FORGET_VM_SETTINGS] =
        "DELETE FROM setting WHERE scope = 'vm' AND match = ?1"
        " AND layer IN (SELECT id FROM layer WHERE kind IN ('base', 'timed'))",
    [STATEMENT_ADD_LAYER] = "INSERT INTO layer (id, kind, name, created_ms, expires_ms)"
                            " VALUES (?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_REMOVE_LAYER] = "DELETE FROM layer WHERE id = ?1 AND id > 1",
    [STATEMENT_PUT_SETTING] =
        "INSERT INTO setting (layer, scope, match, ordinal, key, value)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT (layer, scope, match, key) DO UPDATE SET ordinal = ?4, value = ?6",
    [STATEMENT_DROP_SETTING] =
        "DELETE FROM setting WHERE layer = ?1 AND scope = ?2 AND match = ?3 AND key = ?4",
    [STATEMENT_ADD_EVENT] = "INSERT INTO event (id, time_ms, kind, vm, domid, uid, reason, detail)"
                            " VALUES (?8, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [STATEMENT_TRIM_AGE] = "DELETE FROM event WHERE time_ms < ?1",
    [STATEMENT_TRIM_COUNT] = "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?1",
    [STATEMENT_QUERY_EVENTS] =
        "SELECT * FROM (SELECT id, time_ms, kind, vm, domid, uid, reason, detail FROM event"
        " WHERE time_ms >= ?1 AND id > ?2 AND (?3 IS NULL OR vm = ?3) ORDER BY id DESC LIMIT ?4)"
        " ORDER BY id",
};

int connection_prepare(struct connection *connection, struct err *err)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (sql_prepare(connection->handle, texts[i], &connection->statements[i], err))
            return -1;
    return 0;
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

static int add_event(struct sqlite3_stmt *statement, const struct db_event *event, struct err *err)
{
    sql_bind_number(statement, 1, event->time_ms);
    sql_bind_text(statement, 2, event->kind);
    sql_bind_text(statement, 3, event->vm);
    sql_bind_number(statement, 4, event->domid);
    sql_bind_number(statement, 5, event->uid);
    sql_bind_text(statement, 6, event->reason);
    sql_bind_text(statement, 7, event->detail);
    sql_bind_number(statement, 8, event->id);
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
        connection->notes_since_trim++;
        return add_event(statements[STATEMENT_ADD_EVENT], &change->event, err);
    }
    return err_set(err, ERR_FAILED, "database: no such change as %d", (int)change->kind);
}

int connection_trim(struct connection *connection, struct err *err)
{
    const struct db_limits *limits = &connection->limits;
    struct timespec now;

    if (connection->notes_since_trim < TRIM_EVERY)
        return 0;
    connection->notes_since_trim = 0;
    if (limits->event_age_ms > 0) {
        clock_gettime(CLOCK_REALTIME, &now);
        sql_bind_number(connection->statements[STATEMENT_TRIM_AGE], 1,
                        (int64_t)now.tv_sec * 1000 - limits->event_age_ms);
        if (sql_finish(connection->statements[STATEMENT_TRIM_AGE], err))
            return -1;
    }
    if (limits->event_count > 0) {
        sql_bind_number(connection->statements[STATEMENT_TRIM_COUNT], 1, limits->event_count);
        return sql_finish(connection->statements[STATEMENT_TRIM_COUNT], err);
    }
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
    struct sqlite3_stmt *statement = connection->statements[STATEMENT_QUERY_EVENTS];
    struct db_rows *rows = calloc(1, sizeof(*rows));
    enum sql_step step;

    invariant(rows);
    sql_bind_number(statement, 1, filter->since_ms);
    sql_bind_number(statement, 2, filter->after_id);
    sql_bind_text(statement, 3, filter->vm);
    sql_bind_number(statement, 4, filter->limit);
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
