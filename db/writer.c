/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer thread. It takes everything that waits, writes it with one commit, each transaction in
 * a savepoint of its own, and hands the outcomes back. Nobody is told "done" before the commit has
 * reached the disk.
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

#define RETRY_MS 1000 /* after a failed write, journal rows are tried again this much later */

void job_list_init(struct job_list *list)
{
    list->first = NULL;
    list->last = &list->first;
    list->count = 0;
}

void job_list_append(struct job_list *list, struct job *job)
{
    job->next = NULL;
    *list->last = job;
    list->last = &job->next;
    list->count++;
}

static struct job *take_all(struct job_list *list)
{
    struct job *first = list->first;

    job_list_init(list);
    return first;
}

/* One transaction inside the commit: if it fails, the others do not. */
static int apply_job(struct connection *connection, struct job *job)
{
    if (sql_run(connection->handle, "SAVEPOINT job", &job->err))
        return -1;
    for (size_t i = 0; i < job->n_changes; i++) {
        if (connection_apply(connection, &job->changes[i], &job->err)) {
            (void)sql_run(connection->handle, "ROLLBACK TO job; RELEASE job", NULL);
            return -1;
        }
    }
    return sql_run(connection->handle, "RELEASE job", &job->err);
}

/* Applies all transactions of the list and commits. 0, or −1 with every job marked as failed. */
static int write_all(struct connection *connection, struct job *first)
{
    struct err err = {0};
    int rc = sql_run(connection->handle, "BEGIN IMMEDIATE", &err);

    if (rc == 0) {
        for (struct job *job = first; job; job = job->next)
            if (!job->query_done)
                job->rc = apply_job(connection, job);
        rc = connection_trim(connection, &err);
        if (rc == 0)
            rc = sql_run(connection->handle, "COMMIT", &err);
        if (rc)
            (void)sql_run(connection->handle, "ROLLBACK", NULL);
    }
    for (struct job *job = first; rc && job; job = job->next) {
        if (job->query_done)
            continue;
        job->rc = -1;
        job->err = err;
    }
    return rc;
}

static void read_all(struct connection *connection, struct job *first)
{
    for (struct job *job = first; job; job = job->next)
        if (job->query_done)
            job->rc = connection_query_events(connection, &job->filter, &job->rows, &job->err);
}

static bool any_writes(const struct job *first)
{
    for (const struct job *job = first; job; job = job->next)
        if (!job->query_done)
            return true;
    return false;
}

static bool is_note(const struct job *job)
{
    return !job->done && !job->query_done;
}

/* Hands outcomes back. Journal rows that could not be written go to the front of the queue again.
 */
static void hand_back(struct db *db, struct job *first, bool failed)
{
    struct job_list again;
    uint64_t one = 1;

    job_list_init(&again);
    for (struct job *job = first, *next; job; job = next) {
        next = job->next;
        if (is_note(job) && failed && !db->stopping)
            job_list_append(&again, job);
        else if (is_note(job))
            job_free(job);
        else
            job_list_append(&db->done, job);
    }
    if (again.first) {
        *again.last = db->posted.first;
        if (db->posted.first)
            again.last = db->posted.last;
        again.count += db->posted.count;
        db->posted = again;
    }
    if (db->done.first)
        invariant(write(db->event_fd, &one, sizeof(one)) == sizeof(one));
}

static void wait_before_retry(struct db *db)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RETRY_MS / 1000;
    (void)pthread_cond_timedwait(&db->wake, &db->mutex, &until);
}

static void *writer_main(void *arg)
{
    struct db *db = arg;

    pthread_mutex_lock(&db->mutex);
    for (;;) {
        struct job *first;
        bool writes, failed;

        while (!db->posted.first && !db->stopping)
            pthread_cond_wait(&db->wake, &db->mutex);
        if (!db->posted.first)
            break;
        first = take_all(&db->posted);
        pthread_mutex_unlock(&db->mutex);

        writes = any_writes(first);
        failed = writes && write_all(&db->connection, first) != 0;
        read_all(&db->connection, first);

        pthread_mutex_lock(&db->mutex);
        if (writes)
            db->failing = failed;
        hand_back(db, first, failed);
        if (failed && !db->stopping)
            wait_before_retry(db);
    }
    pthread_mutex_unlock(&db->mutex);
    return NULL;
}

int writer_start(struct db *db, struct err *err)
{
    int result;

    pthread_mutex_init(&db->mutex, NULL);
    pthread_cond_init(&db->wake, NULL);
    job_list_init(&db->posted);
    job_list_init(&db->done);
    result = pthread_create(&db->writer, NULL, writer_main, db);
    if (result)
        return err_set_errno(err, ERR_FAILED, result, "start the database's writer thread");
    db->writer_runs = true;
    return 0;
}

void writer_stop(struct db *db)
{
    if (!db->writer_runs)
        return;
    pthread_mutex_lock(&db->mutex);
    db->stopping = true;
    pthread_cond_signal(&db->wake);
    pthread_mutex_unlock(&db->mutex);
    pthread_join(db->writer, NULL);
    for (struct job *job = take_all(&db->done), *next; job; job = next) {
        next = job->next;
        job_free(job);
    }
    pthread_cond_destroy(&db->wake);
    pthread_mutex_destroy(&db->mutex);
}
