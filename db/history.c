/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * History. Time is cut into slots, and slots into blocks: a row of one level is a block of the
 * level below it (30 fine slots of 10 s make 5 min, 12 of those an hour). So a coarser row is made
 * from one place, by the writer, from what is on disk: nothing of it is lost with the daemon.
 */
#include <sqlite3.h>
#include <stdlib.h>

#include "base/invariant.h"
#include "db/internal.h"
#include "db/sql.h"

#define QUERY_ROWS_MAX 50000

static const struct {
    int64_t step_ms; /* of a slot */
    int64_t slots;   /* of a block */
} levels[DB_LEVEL_COUNT] = {
    [DB_LEVEL_FINE] = {INT64_C(10) * 1000, 30},
    [DB_LEVEL_MIDDLE] = {INT64_C(300) * 1000, 12},
    [DB_LEVEL_COARSE] = {INT64_C(3600) * 1000, 24},
};

/* Fine slots are of 10 s, 30 of them to a block: see levels. */
const char history_last_demands[] =
    "SELECT name, demand_kib, last_ms FROM series JOIN sample"
    " ON level = 0 AND block = last_ms / 300000 AND series = id AND slot = last_ms / 10000 % 30"
    " WHERE name <> '' AND demand_kib IS NOT NULL";

int64_t db_level_step_ms(enum db_level level)
{
    return levels[level].step_ms;
}

static int64_t block_of(enum db_level level, int64_t time_ms)
{
    return time_ms / levels[level].step_ms / levels[level].slots;
}

/* --- dropping ----------------------------------------------------------------------------------
 */

static int one_number(struct sqlite3_stmt *statement, int64_t *out, struct err *err)
{
    if (sql_step(statement, err) != SQL_ROW)
        return -1;
    *out = sqlite3_column_int64(statement, 0);
    return sql_finish(statement, err);
}

static int trim_level(struct connection *connection, enum db_level level, int64_t before_ms,
                      struct err *err)
{
    struct sqlite3_stmt *statement = connection->statements[STATEMENT_TRIM_HISTORY];

    sql_bind_number(statement, 1, level);
    sql_bind_number(statement, 2, block_of(level, before_ms));
    return sql_finish(statement, err);
}

/* A name whose newest sample is older than anything that is kept has no samples left. */
static int trim_series(struct connection *connection, int64_t before_ms, struct err *err)
{
    struct sqlite3_stmt *statement = connection->statements[STATEMENT_TRIM_SERIES];

    sql_bind_number(statement, 1, before_ms);
    return sql_finish(statement, err);
}

static int trim_size(struct connection *connection, struct err *err)
{
    struct sqlite3_stmt *shrink = connection->statements[STATEMENT_SHRINK_HISTORY];
    int64_t used;

    if (connection->limits.history_kib == 0)
        return 0;
    if (one_number(connection->statements[STATEMENT_USED_KIB], &used, err))
        return -1;
    if (used <= connection->limits.history_kib)
        return 0;
    for (int level = 0; level < DB_LEVEL_COUNT; level++) { /* a part of each */
        sql_bind_number(shrink, 1, level);
        if (sql_finish(shrink, err))
            return -1;
    }
    return 0;
}

static int trim(struct connection *connection, int64_t now_ms, struct err *err)
{
    int64_t longest = 0;
    bool for_ever = false;

    for (int level = 0; level < DB_LEVEL_COUNT; level++) {
        int64_t age = connection->limits.history_age_ms[level];

        longest = age > longest ? age : longest;
        for_ever |= age == 0;
        if (age > 0 && trim_level(connection, (enum db_level)level, now_ms - age, err))
            return -1;
    }
    if (!for_ever &&
        trim_series(connection,
                    now_ms - longest -
                        levels[DB_LEVEL_COARSE].step_ms * levels[DB_LEVEL_COARSE].slots,
                    err))
        return -1;
    return trim_size(connection, err);
}

/* --- coarser levels ----------------------------------------------------------------------------
 */

/* Makes what is complete by now_ms of the level above. The last one is made again: it may have been
 * incomplete. */
static int roll_up_level(struct connection *connection, enum db_level level, int64_t now_ms,
                         struct err *err)
{
    struct sqlite3_stmt *last = connection->statements[STATEMENT_LAST_ROLLED];
    struct sqlite3_stmt *roll = connection->statements[STATEMENT_ROLL_UP];
    int64_t per = levels[level + 1].slots, from;

    sql_bind_number(last, 1, level);
    sql_bind_number(last, 2, per);
    if (one_number(last, &from, err))
        return -1;
    sql_bind_number(roll, 1, level);
    sql_bind_number(roll, 2, per);
    sql_bind_number(roll, 3, from);
    sql_bind_number(roll, 4, block_of(level, now_ms));
    return sql_finish(roll, err);
}

static int begin_block(struct connection *connection, int64_t now_ms, struct err *err)
{
    if (roll_up_level(connection, DB_LEVEL_FINE, now_ms, err) ||
        roll_up_level(connection, DB_LEVEL_MIDDLE, now_ms, err))
        return -1;
    return trim(connection, now_ms, err);
}

/* --- writing -----------------------------------------------------------------------------------
 */

static void bind_amount(struct sqlite3_stmt *statement, int at, int64_t amount)
{
    if (amount == DB_UNKNOWN)
        sql_bind_text(statement, at, NULL);
    else
        sql_bind_number(statement, at, amount);
}

static int put_series(struct connection *connection, const char *name, int64_t time_ms,
                      struct err *err)
{
    struct sqlite3_stmt *statement = connection->statements[STATEMENT_PUT_SERIES];

    sql_bind_text(statement, 1, name);
    sql_bind_number(statement, 2, time_ms);
    return sql_finish(statement, err);
}

static int put_sample(struct connection *connection, const struct db_sample *sample,
                      struct err *err)
{
    struct sqlite3_stmt *statement = connection->statements[STATEMENT_ADD_SAMPLE];
    int64_t slot = sample->time_ms / levels[DB_LEVEL_FINE].step_ms;

    sql_bind_number(statement, 1, slot / levels[DB_LEVEL_FINE].slots);
    sql_bind_text(statement, 2, sample->vm ? sample->vm : "");
    sql_bind_number(statement, 3, slot % levels[DB_LEVEL_FINE].slots);
    bind_amount(statement, 4, sample->assigned_kib);
    bind_amount(statement, 5, sample->demand_kib);
    bind_amount(statement, 6, sample->target_kib);
    bind_amount(statement, 7, sample->pressure);
    bind_amount(statement, 8, sample->free_kib);
    return sql_finish(statement, err);
}

int connection_add_sample(struct connection *connection, const struct db_sample *sample,
                          struct err *err)
{
    int64_t block = block_of(DB_LEVEL_FINE, sample->time_ms);

    if (block != connection->rolled_block) {
        if (begin_block(connection, sample->time_ms, err))
            return -1;
        connection->rolled_block = block;
    }
    if (put_series(connection, sample->vm ? sample->vm : "", sample->time_ms, err))
        return -1;
    return put_sample(connection, sample, err);
}

/* --- reading -----------------------------------------------------------------------------------
 */

static int64_t amount_of(struct sqlite3_stmt *row, int column)
{
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return DB_UNKNOWN;
    return sqlite3_column_int64(row, column);
}

/* Rows that are being collected: the newest so many. */
struct collected {
    struct db_sample *rows;
    size_t count, room;
};

static void collect(struct collected *collected, enum db_level level, struct sqlite3_stmt *row)
{
    int64_t slot =
        sqlite3_column_int64(row, 0) * levels[level].slots + sqlite3_column_int64(row, 1);

    if (collected->count == collected->room) {
        collected->room = collected->room > 0 ? collected->room * 2 : 1024;
        collected->rows = realloc(collected->rows, collected->room * sizeof(*collected->rows));
        invariant(collected->rows);
    }
    collected->rows[collected->count++] = (struct db_sample){
        .time_ms = slot * levels[level].step_ms,
        .assigned_kib = amount_of(row, 2),
        .demand_kib = amount_of(row, 3),
        .target_kib = amount_of(row, 4),
        .pressure = amount_of(row, 5),
        .free_kib = amount_of(row, 6),
    };
}

int connection_query_history(struct connection *connection, const struct db_history_filter *filter,
                             struct db_sample **rows, size_t *count, struct err *err)
{
    struct sqlite3_stmt *statement = connection->statements[STATEMENT_QUERY_HISTORY];
    int64_t longest_ms = levels[filter->level].step_ms * QUERY_ROWS_MAX;
    int64_t until_ms = filter->until_ms, since_ms = filter->since_ms;
    struct collected collected = {0};
    enum sql_step step;

    if (since_ms < until_ms - longest_ms)
        since_ms = until_ms - longest_ms;
    sql_bind_number(statement, 1, filter->level);
    sql_bind_number(statement, 2, block_of(filter->level, since_ms));
    sql_bind_number(statement, 3, block_of(filter->level, until_ms));
    sql_bind_text(statement, 4, filter->vm ? filter->vm : "");
    while ((step = sql_step(statement, err)) == SQL_ROW) {
        collect(&collected, filter->level, statement);
        /* Blocks have more at both ends than was asked for. */
        if (collected.rows[collected.count - 1].time_ms < since_ms ||
            collected.rows[collected.count - 1].time_ms > until_ms)
            collected.count--;
    }
    if (step == SQL_FAILED) {
        free(collected.rows);
        return -1;
    }
    *rows = collected.rows;
    *count = collected.count;
    return 0;
}
