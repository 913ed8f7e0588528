/* SPDX-License-Identifier: GPL-2.0-or-later */
/* History: samples, the coarser levels that are made of them, and their bounds. */
#include <check.h>
#include <inttypes.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/db/disk.h"
#include "tests/db/ground.h"

#define MINUTE_MS (INT64_C(60) * 1000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)
#define BEGIN_MS  (INT64_C(20000) * DAY_MS) /* some midnight */

static struct db *open_keeping(int64_t fine_ms, int64_t middle_ms, int64_t coarse_ms, int64_t kib)
{
    const struct db_limits limits = {.history_age_ms = {fine_ms, middle_ms, coarse_ms},
                                     .history_kib = kib};
    struct db *db;
    struct err err;

    ck_assert_msg(db_open(ground_path, &limits, &db, &err) == 0, "%s", err.text);
    return db;
}

static void wait_until_written(struct db *db);

/* web1's amounts rise by one KiB with each sample. */
static void post(struct db *db, int64_t time_ms, int64_t amount)
{
    const struct db_sample samples[] = {
        {time_ms, NULL, 2 * amount, DB_UNKNOWN, DB_UNKNOWN, DB_UNKNOWN, 1000 - amount},
        {time_ms, "web1", amount, amount + 5, amount, 50 + amount % 10, DB_UNKNOWN}};

    db_note_samples(db, samples, 2);
}

/* The same, not faster than it is written: no more than an hour of them may wait. */
static void note(struct db *db, int64_t time_ms, int64_t amount)
{
    static int count;

    post(db, time_ms, amount);
    if (++count % 100 == 0)
        wait_until_written(db);
}

/* --- asking ----------------------------------------------------------------------------------- */

struct found {
    bool came;
    size_t count;
    struct db_sample first, last;
};

static void take(void *arg, const struct db_sample *rows, size_t count)
{
    struct found *found = arg;

    found->count = count;
    if (count > 0) {
        found->first = rows[0];
        found->last = rows[count - 1];
    }
}

static void note_end(void *arg, int rc, const struct err *err)
{
    struct found *found = arg;

    ck_assert_msg(rc == 0, "%s", err->text);
    found->came = true;
}

static struct found ask(struct db *db, const char *vm, enum db_level level, int64_t since_ms,
                        int64_t until_ms)
{
    const struct db_history_filter filter = {vm, level, since_ms, until_ms};
    struct found found = {0};

    ck_assert_int_eq(db_query_history(db, &filter, take, note_end, &found, NULL), 0);
    while (!found.came) {
        struct pollfd ready = {.fd = db_fd(db), .events = POLLIN};

        ck_assert_int_eq(poll(&ready, 1, GROUND_WAIT_MS), 1);
        db_dispatch(db);
    }
    return found;
}

static void wait_until_written(struct db *db)
{
    (void)ask(db, NULL, DB_LEVEL_FINE, 0, 0);
}

/* --- stories ---------------------------------------------------------------------------------- */

START_TEST(what_is_noted_is_found_again_within_its_time)
{
    struct db *db = open_keeping(0, 0, 0, 0);
    struct found found;

    for (int i = 0; i < 100; i++)
        note(db, BEGIN_MS + i * 10000 + 37, i);
    found = ask(db, "web1", DB_LEVEL_FINE, BEGIN_MS + 95000, BEGIN_MS + DAY_MS);
    ck_assert_uint_eq(found.count, 90);
    ck_assert_int_eq(found.first.time_ms, BEGIN_MS + 100000);
    ck_assert_int_eq(found.first.assigned_kib, 10);
    ck_assert_int_eq(found.last.demand_kib, 104);
    ck_assert_int_eq(found.last.free_kib, DB_UNKNOWN);
    found = ask(db, NULL, DB_LEVEL_FINE, BEGIN_MS, BEGIN_MS + 30000);
    ck_assert_uint_eq(found.count, 4);
    ck_assert_int_eq(found.last.free_kib, 997);
    ck_assert_int_eq(found.last.target_kib, DB_UNKNOWN);
    ck_assert_uint_eq(ask(db, "nobody", DB_LEVEL_FINE, 0, BEGIN_MS + DAY_MS).count, 0);
    db_close(db);
}
END_TEST

/* 30 samples make 5 min, 12 of those an hour: averages of what it had, the highest of what it
 * needed, the lowest of what was free. */
START_TEST(coarser_levels_are_made_of_the_finer_ones)
{
    struct db *db = open_keeping(0, 0, 0, 0);
    struct found found;

    for (int i = 0; i < 2 * 360 + 31; i++)
        note(db, BEGIN_MS + i * 10000, i);
    found = ask(db, "web1", DB_LEVEL_MIDDLE, BEGIN_MS, BEGIN_MS + DAY_MS);
    ck_assert_uint_eq(found.count, 25);
    ck_assert_int_eq(found.first.assigned_kib, 14);
    ck_assert_int_eq(found.first.demand_kib, 34);
    ck_assert_int_eq(found.first.pressure, 59);
    ck_assert_int_eq(found.last.time_ms, BEGIN_MS + 120 * MINUTE_MS);
    found = ask(db, NULL, DB_LEVEL_COARSE, BEGIN_MS, BEGIN_MS + DAY_MS);
    ck_assert_uint_eq(found.count, 2);
    ck_assert_int_eq(found.last.free_kib, 1000 - 719);
    db_close(db);
}
END_TEST

START_TEST(a_restart_in_between_loses_nothing_of_the_coarser_levels)
{
    struct found found;
    struct db *db;

    for (int part = 0; part < 4; part++) {
        db = open_keeping(0, 0, 0, 0);
        for (int i = part * 20; i < part * 20 + 20; i++)
            note(db, BEGIN_MS + i * 10000, i);
        db_close(db);
    }
    db = open_keeping(0, 0, 0, 0);
    note(db, BEGIN_MS + DAY_MS, 0);
    found = ask(db, "web1", DB_LEVEL_MIDDLE, BEGIN_MS, BEGIN_MS + DAY_MS);
    ck_assert_uint_eq(found.count, 3);
    ck_assert_int_eq(found.first.demand_kib, 34);
    ck_assert_int_eq(found.last.demand_kib, 84);
    db_close(db);
}
END_TEST

START_TEST(each_level_is_kept_for_its_own_time)
{
    struct db *db = open_keeping(HOUR_MS, DAY_MS, 0, 0);
    int64_t now_ms = BEGIN_MS + 3 * DAY_MS;

    for (int64_t t = BEGIN_MS; t <= now_ms; t += MINUTE_MS)
        note(db, t, 7);
    ck_assert_uint_lt(ask(db, "web1", DB_LEVEL_FINE, 0, now_ms).count, 70);
    ck_assert_uint_ge(ask(db, "web1", DB_LEVEL_FINE, 0, now_ms).count, 60);
    ck_assert_int_ge(ask(db, "web1", DB_LEVEL_MIDDLE, BEGIN_MS, now_ms).first.time_ms,
                     now_ms - DAY_MS - HOUR_MS);
    ck_assert_uint_eq(ask(db, "web1", DB_LEVEL_COARSE, BEGIN_MS, now_ms).count, 72);
    db_close(db);
}
END_TEST

START_TEST(the_oldest_go_where_the_database_is_too_large)
{
    struct db *db = open_keeping(0, 0, 0, 400);
    struct found found;

    for (int i = 0; i < 30000; i++)
        note(db, BEGIN_MS + i * INT64_C(10000), i);
    found = ask(db, "web1", DB_LEVEL_FINE, BEGIN_MS, BEGIN_MS + 30000 * INT64_C(10000));
    ck_assert_uint_gt(found.count, 1000);
    ck_assert_uint_lt(found.count, 20000);
    ck_assert_int_eq(found.last.assigned_kib, 29999);
    db_close(db);
}
END_TEST

START_TEST(while_the_disk_fails_an_hour_is_kept_and_written_later)
{
    struct found found;
    struct db *db;

    disk_install();
    db = open_keeping(0, 0, 0, 0);
    disk_fail(0, SQLITE_FULL);
    post(db, BEGIN_MS, 0);
    ground_await_failing(db, true);
    for (int i = 1; i < 400; i++)
        post(db, BEGIN_MS + i * 10000, i);
    ck_assert_int_eq(db_dropped(db), 40);
    disk_mend();
    ground_await_failing(db, false);
    found = ask(db, "web1", DB_LEVEL_FINE, BEGIN_MS, BEGIN_MS + DAY_MS);
    ck_assert_uint_eq(found.count, 360);
    ck_assert_int_eq(found.last.assigned_kib, 359);
    db_close(db);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    TCase *stories = tcase_create("stories");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(stories, ground_make, ground_remove);
    tcase_set_timeout(stories, 120);
    tcase_add_test(stories, what_is_noted_is_found_again_within_its_time);
    tcase_add_test(stories, coarser_levels_are_made_of_the_finer_ones);
    tcase_add_test(stories, a_restart_in_between_loses_nothing_of_the_coarser_levels);
    tcase_add_test(stories, each_level_is_kept_for_its_own_time);
    tcase_add_test(stories, the_oldest_go_where_the_database_is_too_large);
    tcase_add_test(stories, while_the_disk_fails_an_hour_is_kept_and_written_later);
    suite_add_tcase(suite, stories);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
