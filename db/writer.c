/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer thread. It takes everything that waits, writes it with one commit, and hands the
 * outcomes back. Nobody is told "done" before the commit has reached the disk.
 *
 * Two kinds of failure are told apart. What the database refuses (a layer that is not there) is
 * that one transaction's fault: the others go on. What the disk refuses concerns all of them: none
 * was done.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/invariant.h"
#include "db/internal.h"
#include "db/sql.h"

#define RETRY_S 1 /* after a failed write, what nobody waits for is tried again this much later */
#define CLOSE_S 5 /* how long the disk is waited for at the end */

/* --- one commit ------------------------------------------------------------------------------ */

enum outcome { OUTCOME_DONE, OUTCOME_REFUSED, OUTCOME_FAILED };

static int apply_changes(struct connection *connection, struct job *job)
{
    for (size_t i = 0; i < job->n_changes; i++)
        if (connection_apply(connection, &job->changes[i], &job->err))
            return -1;
    return 0;
}

/* One transaction inside the commit. A single change needs no savepoint: it is all or nothing by
 * itself. */
static enum outcome apply_job(struct connection *connection, struct job *job)
{
    bool several = job->n_changes > 1;

    if (several && connection_run(connection, STATEMENT_SAVEPOINT, &job->err))
        return OUTCOME_FAILED;
    if (apply_changes(connection, job)) {
        if (!sql_was_refused(connection->handle))
            return OUTCOME_FAILED;
        if (several && (connection_run(connection, STATEMENT_ROLLBACK_TO, NULL) ||
                        connection_run(connection, STATEMENT_RELEASE, NULL)))
            return OUTCOME_FAILED;
        return OUTCOME_REFUSED;
    }
    if (several && connection_run(connection, STATEMENT_RELEASE, &job->err))
        return OUTCOME_FAILED;
    return OUTCOME_DONE;
}

static int apply_all(struct connection *connection, struct job *first, struct err *err)
{
    for (struct job *job = first; job; job = job->next) {
        enum outcome outcome;

        if (job_is_query(job))
            continue;
        outcome = apply_job(connection, job);
        if (outcome == OUTCOME_FAILED) {
            *err = job->err;
            return -1;
        }
        job->rc = outcome == OUTCOME_DONE ? 0 : err_wrap(&job->err, "database");
    }
    return 0;
}

/* Applies all transactions of the list and commits. 0, or −1 with every job marked as failed. */
static int write_all(struct db *db, struct job *first, struct err *err)
{
    struct connection *connection = &db->connection;
    int rc = database_make_writable(db, err);

    if (rc == 0)
        rc = connection_run(connection, STATEMENT_BEGIN, err);
    if (rc == 0) {
        rc = apply_all(connection, first, err);
        if (rc == 0)
            rc = connection_trim(connection, err);
        if (rc == 0)
            rc = connection_run(connection, STATEMENT_COMMIT, err);
        /* The worst failures have rolled back by themselves: then this fails, and does no harm. */
        if (rc)
            (void)connection_run(connection, STATEMENT_ROLLBACK, NULL);
    }
    if (rc)
        err_wrap(err, "database");
    for (struct job *job = first; rc && job; job = job->next) {
        if (job_is_query(job))
            continue;
        job->rc = -1;
        job->err = *err;
    }
    return rc;
}

static int read_events(struct connection *connection, struct job *job)
{
    const struct db_event *events;
    struct db_rows *rows;
    size_t count;

    if (connection_query_events(connection, &job->filter, &rows, &job->err))
        return -1;
    events = rows_events(rows, &count);
    job->take_events(job->arg, events, count);
    rows_free(rows);
    return 0;
}

static int read_history(struct connection *connection, struct job *job)
{
    struct db_sample *rows;
    size_t count;

    if (connection_query_history(connection, &job->history_filter, &rows, &count, &job->err))
        return -1;
    job->take_history(job->arg, rows, count);
    free(rows);
    return 0;
}

static void read_all(struct connection *connection, struct job *first)
{
    for (struct job *job = first; job; job = job->next) {
        int rc = 0;

        if (!connection->handle && job_is_query(job))
            rc = err_set(&job->err, ERR_FAILED, "cannot be read");
        else if (job->take_events)
            rc = read_events(connection, job);
        else if (job->take_history)
            rc = read_history(connection, job);
        if (rc)
            job->rc = err_wrap(&job->err, "database");
    }
}

static bool any_writes(const struct job *first)
{
    for (const struct job *job = first; job; job = job->next)
        if (!job_is_query(job))
            return true;
    return false;
}

/* --- outcomes, with the mutex held ----------------------------------------------------------- */

static void wake_caller(struct db *db)
{
    const uint64_t one = 1;

    invariant(write(db->event_fd, &one, sizeof(one)) == sizeof(one));
}

/* Tells the one who waits, and goes on as a job that nobody waits for. */
static void answer_ahead(struct db *db, struct job *job)
{
    struct job *answer = job_new(NULL, 0);

    answer->done = job->done;
    answer->arg = job->arg;
    answer->rc = job->rc;
    answer->err = job->err;
    job_list_append(&db->done, answer);
    job->done = NULL;
    db->n_kept++;
}

/* Is it to be tried again? A journal row that somebody waits for becomes one that nobody does, as
 * far as there is room. */
static bool keep(struct db *db, struct job *job, bool failed)
{
    if (!failed || job_is_query(job) || db->stopping)
        return false;
    if (!job->done || !job_is_journal(job))
        return !job->done;
    if (db->n_kept >= KEPT_MAX) {
        db->dropped++;
        return false;
    }
    answer_ahead(db, job);
    return true;
}

static void drop_kept(struct db *db, struct job *job)
{
    db->n_kept--;
    db->n_history -= job_is_history(job);
    if (job->rc)
        db->dropped++;
    job_free(job);
}

/* Puts the list in front of what was posted meanwhile. */
static void put_back(struct db *db, struct job_list *again)
{
    if (!again->first)
        return;
    *again->last = db->posted.first;
    if (!db->posted.first)
        db->posted.last = again->last;
    db->posted.first = again->first;
}

static void hand_back(struct db *db, struct job *first, bool failed)
{
    struct job_list again;

    job_list_init(&again);
    for (struct job *job = first, *next; job; job = next) {
        next = job->next;
        if (keep(db, job, failed))
            job_list_append(&again, job);
        else if (job_is_awaited(job))
            job_list_append(&db->done, job);
        else
            drop_kept(db, job);
    }
    put_back(db, &again);
    if (db->done.first)
        wake_caller(db);
}

void writer_hand_back(struct db *db, struct job *job)
{
    pthread_mutex_lock(&db->mutex);
    job_list_append(&db->done, job);
    db->n_awaited++;
    wake_caller(db);
    pthread_mutex_unlock(&db->mutex);
}

static void note_failure(struct db *db, bool failed, const struct err *err)
{
    if (failed)
        db->failure = *err;
    if (failed != db->failing)
        wake_caller(db);
    db->failing = failed;
}

/* --- the thread ------------------------------------------------------------------------------ */

static struct timespec in_seconds(time_t seconds)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    return until;
}

/* Whoever waits for an answer gets it at once, and what is kept is then tried as well. */
static void rest(struct db *db)
{
    const struct timespec until = in_seconds(RETRY_S);

    while (!db->stopping && db->n_posted_awaited == 0)
        if (pthread_cond_timedwait(&db->wake, &db->mutex, &until) == ETIMEDOUT)
            return;
}

/* Does all that is there. With the mutex held, but not while it reads and writes. */
static void turn(struct db *db)
{
    struct job *first = job_list_take(&db->posted);
    bool writes = any_writes(first), failed = false;
    struct err err = {0};

    db->n_posted_awaited = 0;
    db->connection.limits = db->limits;
    pthread_mutex_unlock(&db->mutex);
    if (writes)
        failed = write_all(db, first, &err) != 0;
    read_all(&db->connection, first);
    pthread_mutex_lock(&db->mutex);
    if (writes)
        note_failure(db, failed, &err);
    hand_back(db, first, failed);
    if (failed)
        rest(db);
}

static void *writer_main(void *arg)
{
    struct db *db = arg;

    pthread_mutex_lock(&db->mutex);
    while (db->posted.first || !db->stopping) {
        if (db->posted.first)
            turn(db);
        else
            pthread_cond_wait(&db->wake, &db->mutex);
    }
    db->ended = true;
    pthread_cond_signal(&db->idle);
    pthread_mutex_unlock(&db->mutex);
    return NULL;
}

int writer_start(struct db *db, struct err *err)
{
    pthread_condattr_t clock;
    int result;

    pthread_mutex_init(&db->mutex, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&db->wake, &clock);
    pthread_cond_init(&db->idle, &clock);
    pthread_condattr_destroy(&clock);
    job_list_init(&db->posted);
    job_list_init(&db->done);
    result = pthread_create(&db->writer, NULL, writer_main, db);
    if (result)
        return err_set_errno(err, ERR_FAILED, result, "start the database's writer thread");
    db->writer_runs = true;
    return 0;
}

static bool wait_for_end(struct db *db)
{
    const struct timespec until = in_seconds(CLOSE_S);
    bool ended;

    pthread_mutex_lock(&db->mutex);
    db->stopping = true;
    pthread_cond_signal(&db->wake);
    while (!db->ended)
        if (pthread_cond_timedwait(&db->idle, &db->mutex, &until) == ETIMEDOUT)
            break;
    ended = db->ended;
    pthread_mutex_unlock(&db->mutex);
    return ended;
}

bool writer_stop(struct db *db)
{
    if (!db->writer_runs)
        return true;
    if (!wait_for_end(db)) {
        pthread_detach(db->writer);
        return false;
    }
    pthread_join(db->writer, NULL);
    for (struct job *job = job_list_take(&db->done), *next; job; job = next) {
        next = job->next;
        job_free(job);
    }
    pthread_cond_destroy(&db->wake);
    pthread_cond_destroy(&db->idle);
    pthread_mutex_destroy(&db->mutex);
    return true;
}
