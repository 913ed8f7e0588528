/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading, posting, closing. */
#include "db/db.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "db/internal.h"
#include "db/sql.h"

int db_open(const char *path, const struct db_limits *limits, struct db **out, struct err *err)
{
    bool damaged;

    return open_or_tell(path, limits, &damaged, out, err);
}

void db_close(struct db *db)
{
    if (!db)
        return;
    backup_end(db->backup);
    db->backup = NULL;
    if (!writer_stop(db))
        return;
    free(db->path);
    connection_close(&db->connection);
    if (db->event_fd >= 0)
        close(db->event_fd);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db);
}

void db_set_limits(struct db *db, const struct db_limits *limits)
{
    pthread_mutex_lock(&db->mutex);
    db->limits = *limits;
    pthread_mutex_unlock(&db->mutex);
}

static const char *column_text(struct sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return text ? text : "";
}

static void visit_vm(struct sqlite3_stmt *row, const struct db_visitor *visitor)
{
    struct db_vm vm = {.name = column_text(row, 0),
                       .target_kib = sqlite3_column_int64(row, 2),
                       .static_max_kib = sqlite3_column_int64(row, 3)};

    if (sqlite3_column_bytes(row, 1) == sizeof(vm.uuid))
        memcpy(vm.uuid, sqlite3_column_blob(row, 1), sizeof(vm.uuid));
    visitor->vm(visitor->arg, &vm);
}

static void visit_layer(struct sqlite3_stmt *row, const struct db_visitor *visitor)
{
    struct db_layer layer = {.id = sqlite3_column_int64(row, 0),
                             .kind = column_text(row, 1),
                             .name = column_text(row, 2),
                             .created_ms = sqlite3_column_int64(row, 3),
                             .expires_ms = sqlite3_column_int64(row, 4)};

    visitor->layer(visitor->arg, &layer);
}

static void visit_setting(struct sqlite3_stmt *row, const struct db_visitor *visitor)
{
    struct db_setting setting = {.layer = sqlite3_column_int64(row, 0),
                                 .scope = column_text(row, 1),
                                 .match = column_text(row, 2),
                                 .ordinal = sqlite3_column_int64(row, 3),
                                 .key = column_text(row, 4),
                                 .value = sqlite3_column_int64(row, 5)};

    visitor->setting(visitor->arg, &setting);
}

static void visit_reservation(struct sqlite3_stmt *row, const struct db_visitor *visitor)
{
    const struct db_reservation reservation = {.id = sqlite3_column_int64(row, 0),
                                               .name = column_text(row, 1),
                                               .size_kib = sqlite3_column_int64(row, 2),
                                               .priority = sqlite3_column_int64(row, 3),
                                               .expires_ms = sqlite3_column_int64(row, 4),
                                               .tied = sqlite3_column_int64(row, 5) != 0,
                                               .implicit = sqlite3_column_int64(row, 6) != 0,
                                               .uid = sqlite3_column_int64(row, 7),
                                               .created_ms = sqlite3_column_int64(row, 8)};

    if (visitor->reservation)
        visitor->reservation(visitor->arg, &reservation);
}

static void visit_freeze(struct sqlite3_stmt *row, const struct db_visitor *visitor)
{
    const struct db_freeze freeze = {.name = column_text(row, 0),
                                     .until_ms = sqlite3_column_int64(row, 1)};

    if (visitor->freeze)
        visitor->freeze(visitor->arg, &freeze);
}

static void visit_demand(struct sqlite3_stmt *row, const struct db_visitor *visitor)
{
    const struct db_demand demand = {.name = column_text(row, 0),
                                     .demand_kib = sqlite3_column_int64(row, 1),
                                     .time_ms = sqlite3_column_int64(row, 2)};

    if (visitor->demand)
        visitor->demand(visitor->arg, &demand);
}

static int each_row(struct db *db, const char *text,
                    void (*visit)(struct sqlite3_stmt *, const struct db_visitor *),
                    const struct db_visitor *visitor, struct err *err)
{
    struct sqlite3_stmt *statement;
    enum sql_step step;

    if (sql_prepare(db->connection.handle, text, &statement, err))
        return -1;
    while ((step = sql_step(statement, err)) == SQL_ROW)
        visit(statement, visitor);
    sqlite3_finalize(statement);
    return step == SQL_DONE ? 0 : -1;
}

int db_load(struct db *db, const struct db_visitor *visitor, struct err *err)
{
    if (each_row(db, "SELECT name, uuid, target_kib, static_max_kib FROM vm ORDER BY name",
                 visit_vm, visitor, err) ||
        each_row(
            db, "SELECT id, kind, name, created_ms, expires_ms FROM layer WHERE id > 1 ORDER BY id",
            visit_layer, visitor, err) ||
        each_row(db,
                 "SELECT layer, scope, match, ordinal, key, value FROM setting ORDER BY layer, "
                 "ordinal, match, key",
                 visit_setting, visitor, err) ||
        each_row(db,
                 "SELECT id, name, size_kib, priority, expires_ms, tied, implicit, uid, created_ms "
                 "FROM reservation ORDER BY id",
                 visit_reservation, visitor, err) ||
        each_row(db, "SELECT name, until_ms FROM freeze ORDER BY name", visit_freeze, visitor,
                 err) ||
        each_row(db, history_last_demands, visit_demand, visitor, err))
        return err_wrap(err, "load the database");
    return 0;
}

/* due counts the starts since: marked before they are handed out, so that what makes the daemon
 * crash does so once more, and no third time. */
int db_load_due(struct db *db, void (*visit)(void *arg, const struct db_event *event), void *arg,
                struct err *err)
{
    struct sqlite3 *handle = db->connection.handle;
    struct sqlite3_stmt *row;
    enum sql_step step;

    if (sql_run(handle, "UPDATE event SET due = due + 1 WHERE due > 0", err) ||
        sql_prepare(handle,
                    "SELECT id, time_ms, kind, vm, domid, uid, reason, detail, due FROM event"
                    " WHERE due > 0 ORDER BY id",
                    &row, err))
        return err_wrap(err, "load the events whose hooks are due");
    while ((step = sql_step(row, err)) == SQL_ROW) {
        const struct db_event event = {.id = sqlite3_column_int64(row, 0),
                                       .time_ms = sqlite3_column_int64(row, 1),
                                       .kind = column_text(row, 2),
                                       .vm = (const char *)sqlite3_column_text(row, 3),
                                       .domid = sqlite3_column_int64(row, 4),
                                       .uid = sqlite3_column_int64(row, 5),
                                       .reason = (const char *)sqlite3_column_text(row, 6),
                                       .detail = column_text(row, 7),
                                       .due = sqlite3_column_int64(row, 8) == 2};

        visit(arg, &event);
    }
    sqlite3_finalize(row);
    if (step != SQL_DONE || sql_run(handle, "UPDATE event SET due = 0 WHERE due > 2", err))
        return err_wrap(err, "load the events whose hooks are due");
    return 0;
}

/* Takes job. 0, or −1 with ERR_BUSY where too much waits already; job is then freed. */
static int hand_over(struct db *db, struct job *job, struct err *err)
{
    bool awaited = job_is_awaited(job), fits;

    pthread_mutex_lock(&db->mutex);
    fits = awaited ? db->n_awaited < AWAITED_MAX : db->n_kept < KEPT_MAX;
    if (job_is_history(job))
        fits = fits && db->n_history < SAMPLES_MAX;
    if (fits) {
        job_list_append(&db->posted, job);
        db->n_posted_awaited += awaited;
        db->n_awaited += awaited;
        db->n_kept += !awaited;
        db->n_history += job_is_history(job);
        pthread_cond_signal(&db->wake);
    } else if (!awaited || job_is_journal(job)) {
        db->dropped++;
    }
    pthread_mutex_unlock(&db->mutex);
    if (fits)
        return 0;
    job_free(job);
    return err_set(err, ERR_BUSY, "too much waits for the database; try again later");
}

int db_post(struct db *db, const struct db_change *changes, size_t count, db_done_fn *done,
            void *arg, struct err *err)
{
    struct job *job = job_new(changes, count);

    job->done = done;
    job->arg = arg;
    return hand_over(db, job, err);
}

void db_note(struct db *db, const struct db_event *event)
{
    const struct db_change change = {.kind = DB_ADD_EVENT, .event = *event};

    (void)hand_over(db, job_new(&change, 1), NULL);
}

void db_note_samples(struct db *db, const struct db_sample *samples, size_t count)
{
    struct db_change *changes = calloc(count > 0 ? count : 1, sizeof(*changes));

    invariant(changes);
    for (size_t i = 0; i < count; i++)
        changes[i] = (struct db_change){.kind = DB_ADD_SAMPLE, .sample = samples[i]};
    if (count > 0)
        (void)hand_over(db, job_new(changes, count), NULL);
    free(changes);
}

int db_query_history(struct db *db, const struct db_history_filter *filter, db_history_fn *take,
                     db_done_fn *done, void *arg, struct err *err)
{
    struct job *job = job_new(NULL, 0);

    job->history_filter = *filter;
    if (filter->vm) {
        job->history_filter.vm = strdup(filter->vm);
        invariant(job->history_filter.vm);
    }
    job->take_history = take;
    job->done = done;
    job->arg = arg;
    return hand_over(db, job, err);
}

int db_query_events(struct db *db, const struct db_filter *filter, db_events_fn *take,
                    db_done_fn *done, void *arg, struct err *err)
{
    struct job *job = job_new(NULL, 0);

    job->filter = *filter;
    if (filter->vm) {
        job->filter.vm = strdup(filter->vm);
        invariant(job->filter.vm);
    }
    job->take_events = take;
    job->done = done;
    job->arg = arg;
    return hand_over(db, job, err);
}

int64_t db_last_event(const struct db *db)
{
    return db->last_event;
}

int64_t db_last_reservation(const struct db *db)
{
    return db->last_reservation;
}

int db_fd(const struct db *db)
{
    return db->event_fd;
}

void db_dispatch(struct db *db)
{
    uint64_t count;
    struct job *first;

    /* It only wakes: what is due is in the list. */
    (void)!read(db->event_fd, &count, sizeof(count));
    pthread_mutex_lock(&db->mutex);
    first = job_list_take(&db->done);
    for (const struct job *job = first; job; job = job->next)
        db->n_awaited--;
    pthread_mutex_unlock(&db->mutex);
    for (struct job *next; first; first = next) {
        next = first->next;
        first->done(first->arg, first->rc, &first->err);
        job_free(first);
    }
}

bool db_is_failing(const struct db *db, struct err *why)
{
    struct db *locked = (struct db *)db;
    bool failing;

    pthread_mutex_lock(&locked->mutex);
    failing = db->failing;
    if (failing && why)
        *why = db->failure;
    pthread_mutex_unlock(&locked->mutex);
    return failing;
}

int64_t db_dropped(const struct db *db)
{
    struct db *locked = (struct db *)db;
    int64_t dropped;

    pthread_mutex_lock(&locked->mutex);
    dropped = db->dropped;
    pthread_mutex_unlock(&locked->mutex);
    return dropped;
}
