/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the database's tests stand on: a folder of their own, answers waited for, contents as text.
 */
#ifndef TESTS_DB_GROUND_H
#define TESTS_DB_GROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"

#define GROUND_WAIT_MS 20000 /* for what must come; generous, for it never lasts that long */

extern char ground_folder[64];
extern char ground_path[96]; /* of a database in it; not there yet */

/* A checked fixture: every test has a folder of its own. */
void ground_make(void);
void ground_remove(void);

/* Opens ground_path, which must succeed. */
struct db *ground_open(void);
struct db *ground_open_limited(int64_t event_age_ms, int64_t event_count);

/* An answer that is waited for. */
struct answer {
    bool came;
    int rc;
    struct err err;
    int order; /* the how-manieth of this process, from 1 */
};

void answer_take(void *arg, int rc, const struct err *err); /* a db_done_fn */

/* Waits and dispatches until it has come. Returns its rc. */
int answer_await(struct db *db, struct answer *answer);

/* Posts one transaction and waits for its answer. */
int ground_change(struct db *db, const struct db_change *changes, size_t count, struct err *err);

/* Waits until the database fails, or does not. */
void ground_await_failing(struct db *db, bool failing);

/* Changes as tests write them. */
struct db_change change_vm(const char *name, int64_t target_kib);
struct db_change change_layer(int64_t id, const char *kind);
struct db_change change_setting(int64_t layer, const char *match, const char *key, int64_t value);
struct db_event event_of(int64_t id, const char *vm, int64_t time_ms);

/* All of ground_path but the journal, a line each: what a daemon that starts now would load. */
const char *ground_contents(void);

/* The ids of rows that the filter finds: "3 4 7". Valid until the next call. */
const char *ground_rows(struct db *db, const struct db_filter *filter);

/* Runs SQL on a database by a connection of its own, as another program would. */
void ground_sql(const char *path, const char *text);

/* The whole of a file; to be freed. */
char *ground_read(const char *path, size_t *length);
void ground_write(const char *path, const char *bytes, size_t length);

#endif
