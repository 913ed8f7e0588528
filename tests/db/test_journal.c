/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal: what comes back of it, what is due once more, and what is dropped. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/db/disk.h"
#include "tests/db/ground.h"

#define HOUR_MS (INT64_C(3600) * 1000)

static void note(struct db *db, int64_t id, const char *vm, int64_t time_ms)
{
    const struct db_event event = event_of(id, vm, time_ms);

    db_note(db, &event);
}

START_TEST(a_query_sees_what_was_noted_before_it)
{
    struct db *db = ground_open();

    for (int i = 1; i <= 9; i++)
        note(db, i, i % 3 == 0 ? "web1" : i % 3 == 1 ? "db1" : NULL, 1000 * i);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 100}), "1 2 3 4 5 6 7 8 9");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 3}), "7 8 9");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 9, .since_ms = 7000}), "7 8 9");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 9, .since_ms = 7001}), "8 9");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 9, .after_id = 8}), "9");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 9, .after_id = 9}), "");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 9, .vm = "web1"}), "3 6 9");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 2, .vm = "web1"}), "6 9");
    ck_assert_str_eq(
        ground_rows(db, &(struct db_filter){.limit = 9, .vm = "db1", .since_ms = 2000}), "4 7");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 9, .vm = "db1", .after_id = 4}),
                     "7");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 9, .vm = "none"}), "");
    db_close(db);
}
END_TEST

START_TEST(limits_of_queries_are_cut_to_what_makes_sense)
{
    struct db *db = ground_open();

    for (int i = 1; i <= 4; i++)
        note(db, i, NULL, i);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 0}), "4");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = INT64_MIN}), "4");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = INT64_MAX}), "1 2 3 4");
    ck_assert_str_eq(
        ground_rows(db, &(struct db_filter){.limit = 9, .since_ms = INT64_MIN, .after_id = -1}),
        "1 2 3 4");
    db_close(db);
}
END_TEST

struct whole_query {
    bool came; /* its rows */
    struct answer end;
};

static void take_whole(void *arg, const struct db_event *rows, size_t count)
{
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(rows[0].id, 7);
    ck_assert_int_eq(rows[0].time_ms, 1234567890123);
    ck_assert_str_eq(rows[0].kind, "action");
    ck_assert_str_eq(rows[0].vm, "web1");
    ck_assert_int_eq(rows[0].domid, 3);
    ck_assert_int_eq(rows[0].uid, 1000);
    ck_assert_str_eq(rows[0].reason, "lend");
    ck_assert_str_eq(rows[0].detail, "target_kib=1 error=\"no; 'such'\"");
    ck_assert_ptr_null(rows[1].vm);
    ck_assert_ptr_null(rows[1].reason);
    ck_assert_int_eq(rows[1].domid, -1);
    ((struct whole_query *)arg)->came = true;
}

static void end_whole(void *arg, int rc, const struct err *err)
{
    answer_take(&((struct whole_query *)arg)->end, rc, err);
}

START_TEST(a_row_comes_back_as_it_was_noted)
{
    struct db *db = ground_open();
    const struct db_event whole = {.id = 7,
                                   .time_ms = 1234567890123,
                                   .kind = "action",
                                   .vm = "web1",
                                   .domid = 3,
                                   .uid = 1000,
                                   .reason = "lend",
                                   .detail = "target_kib=1 error=\"no; 'such'\""};
    struct whole_query query = {0};

    db_note(db, &whole);
    note(db, 8, NULL, 1);
    ck_assert_int_eq(
        db_query_events(db, &(struct db_filter){.limit = 9}, take_whole, end_whole, &query, NULL),
        0);
    ck_assert_int_eq(answer_await(db, &query.end), 0);
    ck_assert(query.came);
    db_close(db);
}
END_TEST

START_TEST(numbering_goes_on_after_a_restart)
{
    struct db *db = ground_open();

    note(db, 12, NULL, 1);
    db_close(db);
    db = ground_open();
    ck_assert_int_eq(db_last_event(db), 12);
    db_close(db);
}
END_TEST

static void add_due(void *arg, const struct db_event *event)
{
    char *text = arg;

    snprintf(text + strlen(text), 200 - strlen(text), "%" PRId64 " %s %s %s%s|", event->id,
             event->kind, event->vm ? event->vm : "-", event->detail, event->due ? "" : " no more");
}

static const char *what_is_due(struct db *db)
{
    static char text[200];

    text[0] = '\0';
    ck_assert_int_eq(db_load_due(db, add_due, text, NULL), 0);
    return text;
}

static void note_due(struct db *db, int64_t id, const char *vm)
{
    struct db_event event = event_of(id, vm, id);

    event.due = true;
    db_note(db, &event);
}

/* A crash is tried out by closing without ending. */
START_TEST(what_was_due_is_handed_out_once_more_and_no_third_time)
{
    const struct db_change end = {.kind = DB_END_EVENT, .event = {.id = 2}};
    struct db *db = ground_open();

    ck_assert_str_eq(what_is_due(db), "");
    note_due(db, 1, "web1");
    note_due(db, 2, "db1");
    note(db, 3, "db1", 3);
    ck_assert_int_eq(db_post(db, &end, 1, NULL, NULL, NULL), 0);
    db_close(db);

    db = ground_open();
    ck_assert_str_eq(what_is_due(db), "1 vm-low web1 a=1|");
    note_due(db, 4, NULL);
    db_close(db);

    db = ground_open();
    ck_assert_str_eq(what_is_due(db), "1 vm-low web1 a=1 no more|4 vm-low - a=1|");
    db_close(db);

    db = ground_open();
    ck_assert_str_eq(what_is_due(db), "4 vm-low - a=1 no more|");
    db_close(db);

    db = ground_open();
    ck_assert_str_eq(what_is_due(db), "");
    db_close(db);
}
END_TEST

/* Whoever numbers twice loses the second, and it is counted; nothing else suffers. */
START_TEST(a_row_that_is_refused_is_counted)
{
    struct db *db = ground_open();

    note(db, 1, NULL, 1);
    note(db, 1, NULL, 2);
    note(db, 2, NULL, 3);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 9}), "1 2");
    ck_assert_int_eq(db_dropped(db), 1);
    ck_assert(!db_is_failing(db, NULL));
    db_close(db);
}
END_TEST

static int64_t rows_left(struct db *db, int64_t *first)
{
    const char *rows = ground_rows(db, &(struct db_filter){.limit = 100000});
    int64_t count = *rows != '\0';

    *first = *rows != '\0' ? strtoll(rows, NULL, 10) : 0;
    for (; *rows; rows++)
        count += *rows == ' ';
    return count;
}

START_TEST(no_more_rows_are_kept_than_asked_for)
{
    struct db *db = ground_open_limited(0, 300);
    int64_t first;

    for (int i = 1; i <= 4000; i++)
        note(db, i, NULL, i);
    /* Old rows are looked for now and then, not each time. */
    ck_assert_int_le(rows_left(db, &first), 300 + 1000);
    ck_assert_int_ge(rows_left(db, &first), 300);
    note(db, 4001, NULL, HOUR_MS + 4001);
    ck_assert_int_eq(rows_left(db, &first), 300);
    ck_assert_int_eq(first, 4001 - 300 + 1);
    db_close(db);
}
END_TEST

START_TEST(rows_go_when_they_are_too_old_also_where_little_happens)
{
    struct db *db = ground_open_limited(24 * HOUR_MS, 0);
    int64_t first;

    for (int hour = 0; hour < 72; hour += 2)
        note(db, hour + 1, NULL, hour * HOUR_MS);
    /* The newest is of hour 70: those from hour 46 on are left. */
    ck_assert_int_eq(rows_left(db, &first), 13);
    ck_assert_int_eq(first, 47);
    db_close(db);
}
END_TEST

START_TEST(other_limits_are_in_force_at_once)
{
    struct db *db = ground_open();
    int64_t first;

    for (int i = 1; i <= 500; i++)
        note(db, i, NULL, i);
    ck_assert_int_eq(rows_left(db, &first), 500);
    db_set_limits(db, &(struct db_limits){.event_count = 100});
    note(db, 501, NULL, HOUR_MS * 2);
    ck_assert_int_eq(rows_left(db, &first), 100);
    db_close(db);
}
END_TEST

START_TEST(a_clock_that_was_set_back_does_not_stop_the_broom)
{
    struct db *db = ground_open_limited(0, 10);
    int64_t first;

    note(db, 1, NULL, 1000 * HOUR_MS);
    for (int i = 2; i <= 100; i++)
        note(db, i, NULL, 10 * HOUR_MS - i);
    ck_assert_int_eq(rows_left(db, &first), 10);
    db_close(db);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("db: journal");
    TCase *tests = tcase_create("journal");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, ground_make, ground_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_query_sees_what_was_noted_before_it);
    tcase_add_test(tests, limits_of_queries_are_cut_to_what_makes_sense);
    tcase_add_test(tests, a_row_comes_back_as_it_was_noted);
    tcase_add_test(tests, numbering_goes_on_after_a_restart);
    tcase_add_test(tests, what_was_due_is_handed_out_once_more_and_no_third_time);
    tcase_add_test(tests, a_row_that_is_refused_is_counted);
    tcase_add_test(tests, no_more_rows_are_kept_than_asked_for);
    tcase_add_test(tests, rows_go_when_they_are_too_old_also_where_little_happens);
    tcase_add_test(tests, other_limits_are_in_force_at_once);
    tcase_add_test(tests, a_clock_that_was_set_back_does_not_stop_the_broom);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
