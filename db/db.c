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
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "db/internal.h"
#include "db/schema.h"
#include "db/sql.h"

#define BUSY_MS 2000 /* how long another program's lock is waited for */

static int open_failed(const char *path, struct err *err)
{
    bool denied = errno == EACCES || errno == EPERM || errno == EROFS;

    return err_set_errno(err, denied ? ERR_DENIED : ERR_FAILED, errno, "open %s", path);
}

/* SQLite would create it with the umask's mode. One that is there is not opened: to close it again
 * would drop the locks that SQLite has on it in this process. */
static int create_private(const char *path, struct err *err)
{
    int fd;

    if (access(path, R_OK | W_OK) == 0)
        return 0;
    fd = errno == ENOENT ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return open_failed(path, err);
    close(fd);
    return 0;
}

/* A lock of our own, so that other programs may still look into the database. It goes by the real
 * path: a link is another name of the same database. */
static int take_lock(const char *path, int *out, struct err *err)
{
    char real[PATH_MAX], lock_path[PATH_MAX + sizeof(".lock")];

    if (!realpath(path, real))
        return open_failed(path, err);
    snprintf(lock_path, sizeof(lock_path), "%s.lock", real);
    *out = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*out < 0)
        return open_failed(lock_path, err);
    if (flock(*out, LOCK_EX | LOCK_NB))
        return err_set(err, ERR_BUSY,
                       "%s is in use by another xenmemd: stop that one, or name another database",
                       path);
    return 0;
}

static int check_integrity(struct sqlite3 *handle, bool *damaged, struct err *err)
{
    static const char advice[] = "put a backup in its place, or move it away";
    char answer[200];

    if (sql_text(handle, "PRAGMA quick_check(1)", answer, sizeof(answer), err))
        return err->code == ERR_BUSY ? -1 : err_set(err, ERR_FAILED, "cannot be read: %s", advice);
    if (strcmp(answer, "ok") == 0)
        return 0;
    *damaged = true;
    return err_set(err, ERR_FAILED, "is damaged (%s): %s", answer, advice);
}

/* Commits are on disk when they return (synchronous), and a reader does not hold the writer up. */
static int use_wal(struct sqlite3 *handle, struct err *err)
{
    char mode[16];

    if (sql_text(handle, "PRAGMA journal_mode = WAL", mode, sizeof(mode), err))
        return -1;
    if (strcmp(mode, "wal") != 0)
        return err_set(err, ERR_FAILED, "cannot have a write-ahead log (%s): is it on a network?",
                       mode);
    return sql_run(handle, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216", err);
}

/* What is in the file is not trusted: it may be another program's, damaged, or made to harm. */
static int configure(struct sqlite3 *handle, struct err *err)
{
    sqlite3_busy_timeout(handle, BUSY_MS);
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return sql_run(handle,
                   "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                   "PRAGMA foreign_keys = ON",
                   err);
}

/* Was it ours once? Another program's file must not be moved, whatever the configuration says. */
static bool was_ours(const char *path)
{
    static const unsigned char mark[] = {0x78, 0x6d, 0x65, 0x6d}; /* SCHEMA_APPLICATION_ID */
    unsigned char head[72] = {0};
    FILE *file = fopen(path, "rbe");
    size_t got = file ? fread(head, 1, sizeof(head), file) : 0;

    if (file)
        fclose(file);
    return got == sizeof(head) && memcmp(head + 68, mark, sizeof(mark)) == 0;
}

static bool is_damage(struct sqlite3 *handle)
{
    int result = sqlite3_errcode(handle) & 0xff;

    return result == SQLITE_CORRUPT || result == SQLITE_NOTADB;
}

/* Nothing is written before it is known to be ours, and whole. */
static int open_connection(const char *path, struct connection *connection, bool *damaged,
                           struct err *err)
{
    int rc = -1;

    if (sqlite3_open_v2(path, &connection->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        sql_failed(connection->handle, err);
        return err_wrap(err, "%s", path);
    }
    if (configure(connection->handle, err) == 0 && schema_check(connection->handle, err) == 0)
        rc = check_integrity(connection->handle, damaged, err);
    *damaged |= rc && is_damage(connection->handle);
    if (rc || use_wal(connection->handle, err) || schema_migrate(connection->handle, err) ||
        connection_prepare(connection, err))
        return err_wrap(err, "%s", path);
    return 0;
}

int db_open(const char *path, const struct db_limits *limits, struct db **out, struct err *err)
{
    bool damaged;

    return open_or_tell(path, limits, &damaged, out, err);
}

int open_or_tell(const char *path, const struct db_limits *limits, bool *damaged, struct db **out,
                 struct err *err)
{
    struct db *db = calloc(1, sizeof(*db));
    struct err own;

    if (!err)
        err = &own;
    invariant(db);
    db->lock_fd = db->event_fd = -1;
    db->limits = *limits;
    *damaged = false;
    if (create_private(path, err) || take_lock(path, &db->lock_fd, err) ||
        open_connection(path, &db->connection, damaged, err) ||
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
    db->path = realpath(path, NULL);
    invariant(db->path);
    *out = db;
    return 0;
failed:
    *damaged = *damaged && was_ours(path);
    db_close(db);
    return -1;
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
        each_row(db, "SELECT name, until_ms FROM freeze ORDER BY name", visit_freeze, visitor, err))
        return err_wrap(err, "load the database");
    return 0;
}

/* Marked before they are handed out: what makes the daemon crash does so once more, and no third
 * time. */
int db_load_due(struct db *db, void (*visit)(void *arg, const struct db_event *event), void *arg,
                struct err *err)
{
    struct sqlite3_stmt *row;
    enum sql_step step;

    if (sql_run(db->connection.handle, "UPDATE event SET due = (due + 1) % 3 WHERE due > 0", err) ||
        sql_prepare(db->connection.handle,
                    "SELECT id, time_ms, kind, vm, domid, uid, reason, detail FROM event"
                    " WHERE due = 2 ORDER BY id",
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
                                       .due = true};

        visit(arg, &event);
    }
    sqlite3_finalize(row);
    return step == SQL_DONE ? 0 : err_wrap(err, "load the events whose hooks are due");
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

int db_query_history(struct db *db, const struct db_history_filter *filter, db_history_fn *done,
                     void *arg, struct err *err)
{
    struct job *job = job_new(NULL, 0);

    job->history_filter = *filter;
    if (filter->vm) {
        job->history_filter.vm = strdup(filter->vm);
        invariant(job->history_filter.vm);
    }
    job->history_done = done;
    job->arg = arg;
    return hand_over(db, job, err);
}

int db_query_events(struct db *db, const struct db_filter *filter, db_events_fn *done, void *arg,
                    struct err *err)
{
    struct job *job = job_new(NULL, 0);

    job->filter = *filter;
    if (filter->vm) {
        job->filter.vm = strdup(filter->vm);
        invariant(job->filter.vm);
    }
    job->query_done = done;
    job->arg = arg;
    return hand_over(db, job, err);
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
    else if (job->history_done)
        job->history_done(job->arg, job->rc, &job->err, job->samples, job->n_samples);
    else
        job->done(job->arg, job->rc, &job->err);
    job_free(job);
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
        finish(first);
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
