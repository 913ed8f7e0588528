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

#define AWAITED_MAX 10000 /* jobs that somebody waits for; more are refused */
#define KEPT_MAX    10000 /* jobs that nobody waits for; more are dropped and counted */
#define SAMPLES_MAX 360   /* of them, moments of history: an hour */

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_SAVEPOINT,
    STATEMENT_RELEASE,
    STATEMENT_ROLLBACK_TO,
    STATEMENT_PUT_VM,
    STATEMENT_FORGET_VM,
    STATEMENT_FORGET_VM_SETTINGS,
    STATEMENT_ADD_LAYER,
    STATEMENT_REMOVE_LAYER,
    STATEMENT_PUT_SETTING,
    STATEMENT_DROP_SETTING,
    STATEMENT_ADD_EVENT,
    STATEMENT_END_EVENT,
    STATEMENT_ADD_RESERVATION,
    STATEMENT_REMOVE_RESERVATION,
    STATEMENT_PUT_FREEZE,
    STATEMENT_DROP_FREEZE,
    STATEMENT_TRIM_AGE,
    STATEMENT_TRIM_COUNT,
    STATEMENT_QUERY_EVENTS,
    STATEMENT_QUERY_VM_EVENTS,
    STATEMENT_PUT_SERIES,
    STATEMENT_ADD_SAMPLE,
    STATEMENT_LAST_ROLLED,
    STATEMENT_ROLL_UP,
    STATEMENT_TRIM_HISTORY,
    STATEMENT_TRIM_SERIES,
    STATEMENT_SHRINK_HISTORY,
    STATEMENT_USED_KIB,
    STATEMENT_QUERY_HISTORY,
    STATEMENT_COUNT
};

/* The connection. Used by db_open and db_load, then by the writer thread alone. */
struct connection {
    struct sqlite3 *handle;
    struct sqlite3_stmt *statements[STATEMENT_COUNT];
    struct db_limits limits;
    int64_t rows_since_trim; /* journal rows written since old ones were last dropped */
    int64_t trimmed_ms;      /* time of the row at which that was; 0 never */
    int64_t newest_ms;       /* time of the last row written */
    int64_t rolled_block;    /* of the fine level, up to which all was rolled up; 0 not known yet */
};

int connection_prepare(struct connection *connection, struct err *err);
void connection_close(struct connection *connection);

/* Runs a statement that is bound to nothing and has no rows. 0 or −1. */
int connection_run(struct connection *connection, enum statement statement, struct err *err);

/* Does one change inside an open transaction. 0 or −1. */
int connection_apply(struct connection *connection, const struct db_change *change,
                     struct err *err);

/* Drops what the limits say, now and then. */
int connection_trim(struct connection *connection, struct err *err);

/* db/history.c: writes a sample; once a block of them is complete, makes those of coarser levels,
 * and drops what the limits say. 0 or −1. */
int connection_add_sample(struct connection *connection, const struct db_sample *sample,
                          struct err *err);

/* SQL: name, demand_kib, time_ms of the newest sample of each VM that has a demand. */
extern const char history_last_demands[];

/* Reads samples. 0 and *rows (to be freed) with *count, or −1. */
int connection_query_history(struct connection *connection, const struct db_history_filter *filter,
                             struct db_sample **rows, size_t *count, struct err *err);

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
    db_done_fn *done;                        /* NULL: nobody waits for the transaction */
    db_events_fn *take_events;               /* a query, if not NULL */
    struct db_filter filter;                 /* its filter; vm owned */
    db_history_fn *take_history;             /* a query of history, if not NULL */
    struct db_history_filter history_filter; /* its filter; vm owned */
    void *arg;
    int rc; /* outcome */
    struct err err;
};

/* A job with copies of the changes. */
struct job *job_new(const struct db_change *changes, size_t count);
void job_free(struct job *job);

/* Does somebody wait for its outcome? */
bool job_is_awaited(const struct job *job);

/* Reads, and writes nothing. */
bool job_is_query(const struct job *job);

/* Samples of history. */
bool job_is_history(const struct job *job);

/* Journal rows and nothing else. */
bool job_is_journal(const struct job *job);

/* A list that is appended to at its end. */
struct job_list {
    struct job *first, **last;
};

void job_list_init(struct job_list *list);
void job_list_append(struct job_list *list, struct job *job);

/* Empties the list, and returns what was in it. */
struct job *job_list_take(struct job_list *list);

struct backup;

struct db {
    struct connection connection;
    char *path;               /* of the database, absolute; owned */
    struct backup *backup;    /* the last one that was begun; NULL none yet */
    int64_t last_event;       /* largest id at opening */
    int64_t last_reservation; /* largest id that there ever was, at opening */
    int lock_fd;              /* holds the lock that keeps other daemons out; −1 not yet */
    bool stands_in; /* the disk is read-only: connection only reads; for the writer alone */
    int event_fd;
    pthread_t writer;
    bool writer_runs;
    pthread_mutex_t mutex;   /* of everything below */
    pthread_cond_t wake;     /* for the writer: there is something to do */
    pthread_cond_t idle;     /* from the writer: it has ended */
    struct job_list posted;  /* for the writer */
    size_t n_posted_awaited; /* of them, jobs that somebody waits for */
    struct job_list done;    /* for db_dispatch */
    size_t n_awaited;        /* all jobs that somebody waits for, until they are dispatched */
    size_t n_kept;           /* all others, until they are written */
    size_t n_history;        /* of them, moments of history */
    struct db_limits limits; /* asked for; the writer takes them over */
    bool stopping;
    bool ended; /* the writer has come to its end */
    bool failing;
    struct err failure; /* why */
    int64_t dropped;
};

/* Gives up a backup that is going on, and waits for its thread. NULL is fine. */
void backup_end(struct backup *backup);

/* From another thread: hands an outcome to db_dispatch. Takes job. */
void writer_hand_back(struct db *db, struct job *job);

/* db_open that says whether it failed because the database is damaged. */
int open_or_tell(const char *path, const struct db_limits *limits, bool *damaged, struct db **out,
                 struct err *err);

/* db/open.c, for the writer: where the connection only reads, tries for one that writes. 0 or −1;
 * the connection is then as it was, or at worst (its file cannot be read any more) without handle.
 */
int database_make_writable(struct db *db, struct err *err);

/* Starts the writer thread. 0 or −1. */
int writer_start(struct db *db, struct err *err);

/* Waits for what was posted, and stops it. False where it does not come to an end: it still uses
 * db then. */
bool writer_stop(struct db *db);

#endif
