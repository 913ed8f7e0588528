/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening, loading, posting, closing. */
#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "db/internal.h"
#include "db/schema.h"
#include "db/sql.h"

#define NOTES_WAITING_MAX                                                                          \
    10000 /* journal rows that wait for the disk; more are dropped and counted */
#define JOBS_WAITING_MAX                                                                           \
    20000 /* everything that waits; more transactions and queries are refused */

/* A lock of our own, so that other programs may still look into the database. */
static int take_lock(const char *path, int *out, struct err *err)
{
    char lock_path[PATH_MAX];
    int fd;

    if (snprintf(lock_path, sizeof(lock_path), "%s.lock", path) >= (int)sizeof(lock_path))
        return err_set(err, ERR_INVALID, "database path is too long");
    fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_FAILED, errno, "open %s",
                             lock_path);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        return err_set(err, ERR_BUSY,
                       "%s is in use by another xenmemd: stop that one, or name another database",
                       path);
    }
    *out = fd;
    return 0;
}

/* SQLite would create it with the umask's mode. */
static int create_private(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_FAILED, errno,
                             "open database %s", path);
    close(fd);
    return 0;
}

static int check_integrity(struct sqlite3 *handle, const char *path, struct err *err)
{
    struct sqlite3_stmt *statement;
    int rc = -1;

    if (sql_prepare(handle, "PRAGMA quick_check(1)", &statement, err))
        return -1;
    if (sql_step(statement, err) == SQL_ROW) {
        const char *answer = (const char *)sqlite3_column_text(statement, 0);

        if (answer && strcmp(answer, "ok") == 0)
            rc = 0;
        else
            err_set(err, ERR_FAILED,
                    "%s is damaged (%s): put a backup in its place, or move it away", path,
                    answer ? answer : "no answer");
    }
    sqlite3_finalize(statement);
    return rc;
}

static int open_connection(const char *path, struct connection *connection, struct err *err)
{
    static const char pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                  "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;";

    if (sqlite3_open_v2(path, &connection->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return sql_failed(connection->handle, err, path);
    sqlite3_busy_timeout(connection->handle, 2000);
    sqlite3_db_config(connection->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (sql_run(connection->handle, pragmas, err) ||
        check_integrity(connection->handle, path, err) ||
        schema_migrate(connection->handle, path, err) || connection_prepare(connection, err))
        return strstr(err->text, path) ? -1 : err_wrap(err, "%s", path);
    return 0;
}

int db_open(const char *path, const struct db_limits *limits, struct db **out, struct err *err)
{
    struct db *db = calloc(1, sizeof(*db));
    struct err own;

    if (!err)
        err = &own;
    invariant(db);
    db->lock_fd = db->event_fd = -1;
    db->connection.limits = *limits;
    if (take_lock(path, &db->lock_fd, err) || create_private(path, err) ||
        open_connection(path, &db->connection, err) ||
        sql_number(db->connection.handle, "SELECT coalesce(max(id), 0) FROM event", &db->last_event,
                   err))
        goto failed;
    db->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (db->event_fd < 0) {
        err_set_errno(err, ERR_FAILED, errno, "make an eventfd");
        goto failed;
    }
    if (writer_start(db, err))
        goto failed;
    *out = db;
    return 0;
failed:
    db_close(db);
    return -1;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    writer_stop(db);
    connection_close(&db->connection);
    if (db->event_fd >= 0)
        close(db->event_fd);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db);
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
                 visit_setting, visitor, err))
        return err_wrap(err, "load the database");
    return 0;
}

static char *copy_text(const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    invariant(copy || !text);
    return copy;
}

/* Replaces the borrowed strings of a change by copies. */
static void own_strings(struct db_change *change)
{
    switch (change->kind) {
    case DB_PUT_VM:
    case DB_FORGET_VM:
        change->vm.name = copy_text(change->vm.name);
        break;
    case DB_ADD_LAYER:
    case DB_REMOVE_LAYER:
        change->layer.kind = copy_text(change->layer.kind);
        change->layer.name = copy_text(change->layer.name);
        break;
    case DB_PUT_SETTING:
    case DB_DROP_SETTING:
        change->setting.scope = copy_text(change->setting.scope);
        change->setting.match = copy_text(change->setting.match);
        change->setting.key = copy_text(change->setting.key);
        break;
    case DB_ADD_EVENT:
        change->event.kind = copy_text(change->event.kind);
        change->event.vm = copy_text(change->event.vm);
        change->event.reason = copy_text(change->event.reason);
        change->event.detail = copy_text(change->event.detail);
        break;
    }
}

static void free_strings(struct db_change *change)
{
    switch (change->kind) {
    case DB_PUT_VM:
    case DB_FORGET_VM:
        free((char *)change->vm.name);
        break;
    case DB_ADD_LAYER:
    case DB_REMOVE_LAYER:
        free((char *)change->layer.kind);
        free((char *)change->layer.name);
        break;
    case DB_PUT_SETTING:
    case DB_DROP_SETTING:
        free((char *)change->setting.scope);
        free((char *)change->setting.match);
        free((char *)change->setting.key);
        break;
    case DB_ADD_EVENT:
        free((char *)change->event.kind);
        free((char *)change->event.vm);
        free((char *)change->event.reason);
        free((char *)change->event.detail);
        break;
    }
}

void job_free(struct job *job)
{
    for (size_t i = 0; i < job->n_changes; i++)
        free_strings(&job->changes[i]);
    free(job->changes);
    free((char *)job->filter.vm);
    rows_free(job->rows);
    free(job);
}

/* Takes job. False where too much waits already; job is then freed. */
static bool hand_over(struct db *db, struct job *job, size_t limit)
{
    bool fits;

    pthread_mutex_lock(&db->mutex);
    fits = db->posted.count < limit;
    if (fits) {
        job_list_append(&db->posted, job);
        pthread_cond_signal(&db->wake);
    }
    pthread_mutex_unlock(&db->mutex);
    if (!fits)
        job_free(job);
    return fits;
}

static struct job *new_job(const struct db_change *changes, size_t count)
{
    struct job *job = calloc(1, sizeof(*job));

    invariant(job);
    job->changes = calloc(count > 0 ? count : 1, sizeof(*changes));
    invariant(job->changes);
    job->n_changes = count;
    for (size_t i = 0; i < count; i++) {
        job->changes[i] = changes[i];
        own_strings(&job->changes[i]);
    }
    return job;
}

static int too_much(struct err *err)
{
    return err_set(err, ERR_BUSY, "too much waits for the database; try again later");
}

int db_post(struct db *db, const struct db_change *changes, size_t count, db_done_fn *done,
            void *arg, struct err *err)
{
    struct job *job = new_job(changes, count);

    job->done = done;
    job->arg = arg;
    return hand_over(db, job, JOBS_WAITING_MAX) ? 0 : too_much(err);
}

void db_note(struct db *db, const struct db_event *event)
{
    struct db_change change = {.kind = DB_ADD_EVENT, .event = *event};

    if (!hand_over(db, new_job(&change, 1), NOTES_WAITING_MAX)) {
        pthread_mutex_lock(&db->mutex);
        db->dropped++;
        pthread_mutex_unlock(&db->mutex);
    }
}

int db_query_events(struct db *db, const struct db_filter *filter, db_events_fn *done, void *arg,
                    struct err *err)
{
    struct job *job = new_job(NULL, 0);

    job->filter = *filter;
    job->filter.vm = copy_text(filter->vm);
    job->query_done = done;
    job->arg = arg;
    return hand_over(db, job, JOBS_WAITING_MAX) ? 0 : too_much(err);
}

int64_t db_last_event(const struct db *db)
{
    return db->last_event;
}

int db_fd(const struct db *db)
{
    return db->event_fd;
}

static void finish(struct job *job)
{
    size_t count;
    const struct db_event *rows = rows_events(job->rows, &count);

    if (job->query_done)
        job->query_done(job->arg, job->rc, &job->err, rows, count);
    else
        job->done(job->arg, job->rc, &job->err);
    job_free(job);
}

void db_dispatch(struct db *db)
{
    uint64_t count;
    struct job *first;

    if (read(db->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
        return;
    pthread_mutex_lock(&db->mutex);
    first = db->done.first;
    job_list_init(&db->done);
    pthread_mutex_unlock(&db->mutex);
    for (struct job *next; first; first = next) {
        next = first->next;
        finish(first);
    }
}

bool db_is_failing(const struct db *db)
{
    struct db *locked = (struct db *)db;
    bool failing;

    pthread_mutex_lock(&locked->mutex);
    failing = db->failing;
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
