/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of db/ share: the connection with its statements, and the jobs of the writer
 * thread. */
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include <pthread.h>

#include "base/err.h"
#include "db/db.h"

struct sqlite3;
struct sqlite3_stmt;

enum statement {
    STATEMENT_PUT_VM,
    STATEMENT_FORGET_VM,
    STATEMENT_FORGET_VM_SETTINGS,
    STATEMENT_ADD_LAYER,
    STATEMENT_REMOVE_LAYER,
    STATEMENT_PUT_SETTING,
    STATEMENT_DROP_SETTING,
    STATEMENT_ADD_EVENT,
    STATEMENT_TRIM_AGE,
    STATEMENT_TRIM_COUNT,
    STATEMENT_QUERY_EVENTS,
    STATEMENT_COUNT
};

/* The connection. Used by db_open and db_load, then by the writer thread alone. */
struct connection {
    struct sqlite3 *handle;
    struct sqlite3_stmt *statements[STATEMENT_COUNT];
    struct db_limits limits;
    int64_t notes_since_trim; /* journal rows written since old ones were last dropped */
};

int connection_prepare(struct connection *connection, struct err *err);
void connection_close(struct connection *connection);

/* Does one change inside an open transaction. 0 or −1. */
int connection_apply(struct connection *connection, const struct db_change *change,
                     struct err *err);

/* Drops what the limits say, now and then. */
int connection_trim(struct connection *connection, struct err *err);

struct db_rows;

/* Reads the journal. 0 and *rows (to be freed with rows_free), or −1. */
int connection_query_events(struct connection *connection, const struct db_filter *filter,
                            struct db_rows **rows, struct err *err);
const struct db_event *rows_events(const struct db_rows *rows, size_t *count);
void rows_free(struct db_rows *rows);

/* One thing for the writer to do; owned by whoever has it in a list. */
struct job {
    struct job *next;
    struct db_change *changes; /* a transaction; strings owned */
    size_t n_changes;
    db_done_fn *done;
    db_events_fn *query_done; /* a query, if not NULL */
    struct db_filter filter;  /* its filter; vm owned */
    void *arg;
    int rc; /* outcome */
    struct err err;
    struct db_rows *rows;
};

void job_free(struct job *job);

/* A list that is appended to at its end. */
struct job_list {
    struct job *first, **last;
    size_t count;
};

struct db {
    struct connection connection;
    int64_t last_event; /* largest id at opening */
    int lock_fd;        /* holds the lock that keeps other daemons out */
    int event_fd;
    pthread_t writer;
    bool writer_runs;
    pthread_mutex_t mutex; /* of everything below */
    pthread_cond_t wake;
    struct job_list posted; /* for the writer */
    struct job_list done;   /* for db_dispatch */
    bool stopping;
    bool failing;
    int64_t dropped;
};

/* Starts and stops the writer thread. Stopping waits for what was posted. */
int writer_start(struct db *db, struct err *err);
void writer_stop(struct db *db);

void job_list_init(struct job_list *list);
void job_list_append(struct job_list *list, struct job *job);

#endif
