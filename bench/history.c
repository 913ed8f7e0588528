/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a day of history of 200 VMs takes on disk, and how long a question about a day takes. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "db/db.h"

#define N_VMS    200
#define SLOTS    8640 /* of 10 s */
#define BEGIN_MS INT64_C(1728000000000)
#define QUERIES  15

static char folder[] = "/tmp/xenmem-bench-XXXXXX";
static size_t n_found;

static void give_up(const char *text)
{
    fprintf(stderr, "history: %s\n", text);
    exit(1);
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void take(void *arg, const struct db_sample *rows, size_t count)
{
    (void)arg;
    (void)rows;
    n_found = count;
}

static void note_end(void *arg, int rc, const struct err *err)
{
    if (rc)
        give_up(err->text);
    *(int *)arg = 1;
}

/* Milliseconds from the question to the answer, with what was posted before written. */
static double ask(struct db *db, const char *vm)
{
    const struct db_history_filter filter = {vm, DB_LEVEL_FINE, BEGIN_MS,
                                             BEGIN_MS + SLOTS * INT64_C(10000)};
    double began = now_ms();
    struct err err;
    int came = 0;

    if (db_query_history(db, &filter, take, note_end, &came, &err))
        give_up(err.text);
    while (!came) {
        struct pollfd ready = {.fd = db_fd(db), .events = POLLIN};

        poll(&ready, 1, -1);
        db_dispatch(db);
    }
    return now_ms() - began;
}

static void write_day(struct db *db)
{
    static struct db_sample samples[N_VMS];
    static char names[N_VMS][16];

    for (int slot = 0; slot < SLOTS; slot++) {
        for (int i = 0; i < N_VMS; i++) {
            int64_t amount = 1048576 + (i * 7919 + slot * 104729) % 3145728;

            snprintf(names[i], sizeof(names[i]), "vm%d", i);
            samples[i] = (struct db_sample){.time_ms = BEGIN_MS + slot * INT64_C(10000),
                                            .vm = names[i],
                                            .assigned_kib = amount,
                                            .demand_kib = amount - 77777,
                                            .target_kib = amount,
                                            .pressure = amount % 130,
                                            .free_kib = DB_UNKNOWN};
        }
        db_note_samples(db, samples, N_VMS);
        if (slot % 100 == 99)
            (void)ask(db, "nobody"); /* not more than an hour of them may wait */
    }
}

static int ascending(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

int main(void)
{
    const struct db_limits limits = {0};
    double times[QUERIES], began, written;
    char path[64], command[96];
    struct stat what;
    struct err err;
    struct db *db;

    if (!mkdtemp(folder))
        give_up("no folder in /tmp");
    snprintf(path, sizeof(path), "%s/db", folder);
    if (db_open(path, &limits, &db, &err))
        give_up(err.text);
    began = now_ms();
    write_day(db);
    written = now_ms() - began;
    for (int i = 0; i < QUERIES; i++) {
        char name[16];

        snprintf(name, sizeof(name), "vm%d", i * 13);
        times[i] = ask(db, name);
    }
    qsort(times, QUERIES, sizeof(*times), ascending);
    printf("samples,%zu of one VM; dropped %lld\n", n_found, (long long)db_dropped(db));
    db_close(db);
    if (stat(path, &what))
        give_up("no database");
    printf("day_of_%d_vms_mb,%.1f\n", N_VMS, (double)what.st_size / 1e6);
    printf("write_ms_each_10_s,%.2f\n", written / SLOTS);
    printf("query_of_a_day_ms_median,%.2f\nquery_of_a_day_ms_worst,%.2f\n", times[QUERIES / 2],
           times[QUERIES - 1]);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command) != 0;
}
