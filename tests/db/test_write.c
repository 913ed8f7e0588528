/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing and reading: transactions whole and in order, what a restart finds, the journal and its
 * bounds. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/db/disk.h"
#include "tests/db/ground.h"

#define HOUR_MS (INT64_C(3600) * 1000)

/* --- transactions ----------------------------------------------------------------------------- */

START_TEST(answers_come_in_the_order_of_posting)
{
    struct db *db = ground_open();
    struct answer answers[50] = {0};
    char names[50][16];

    for (int i = 0; i < 50; i++) {
        struct db_change change;

        snprintf(names[i], sizeof(names[i]), "vm-%d", i);
        change = change_vm(names[i], i);
        ck_assert_int_eq(db_post(db, &change, 1, answer_take, &answers[i], NULL), 0);
        memset(names[i], 'x', sizeof(names[i])); /* strings were copied */
    }
    ck_assert_int_eq(answer_await(db, &answers[49]), 0);
    for (int i = 0; i < 50; i++) {
        ck_assert(answers[i].came && answers[i].rc == 0);
        ck_assert_int_eq(answers[i].order, answers[0].order + i);
    }
    db_close(db);
    ck_assert_ptr_nonnull(strstr(ground_contents(), "vm vm-37 7 37 4096\n"));
}
END_TEST

START_TEST(later_changes_see_earlier_ones)
{
    struct db *db = ground_open();
    struct answer last = {0};

    for (int i = 1; i <= 20; i++) {
        const struct db_change change = change_setting(1, "web1", "buffer", i);

        ck_assert_int_eq(db_post(db, &change, 1, i == 20 ? answer_take : NULL, &last, NULL), 0);
    }
    ck_assert_int_eq(answer_await(db, &last), 0);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "setting 1 vm 'web1' 0 buffer=20\n");
}
END_TEST

/* Its third change concerns a layer that is not there. */
START_TEST(a_transaction_is_done_as_a_whole_or_not_at_all)
{
    struct db *db = ground_open();
    const struct db_change changes[] = {change_vm("web1", 1), change_layer(2, "timed"),
                                        change_setting(3, "web1", "buffer", 5),
                                        change_vm("web2", 1)};
    struct err err;

    ck_assert_int_eq(ground_change(db, changes, 4, &err), -1);
    ck_assert_int_eq(err.code, ERR_FAILED);
    ck_assert_msg(strstr(err.text, "FOREIGN KEY") != NULL, "%s", err.text);
    ck_assert(!db_is_failing(db, NULL));
    db_close(db);
    ck_assert_str_eq(ground_contents(), "");
}
END_TEST

/* All that was posted while the disk was busy goes into one commit; what is wrong with one of them
 * does not concern the others. */
START_TEST(a_refused_transaction_does_not_drag_others_along)
{
    struct db *db;
    const struct db_change bad[] = {change_vm("bad", 1), change_setting(9, "bad", "buffer", 5)};
    const struct db_change bad_alone = change_setting(9, "bad", "buffer", 5);
    const struct db_change good[] = {change_vm("good", 1), change_setting(1, "good", "buffer", 5)};
    const struct db_change first = change_vm("first", 1);
    struct answer answers[5] = {0};

    disk_install();
    db = ground_open();
    disk_hold();
    ck_assert_int_eq(db_post(db, &first, 1, answer_take, &answers[0], NULL), 0);
    disk_await_held();
    ck_assert_int_eq(db_post(db, good, 2, answer_take, &answers[1], NULL), 0);
    ck_assert_int_eq(db_post(db, bad, 2, answer_take, &answers[2], NULL), 0);
    ck_assert_int_eq(db_post(db, &bad_alone, 1, answer_take, &answers[3], NULL), 0);
    ck_assert_int_eq(db_post(db, good, 2, answer_take, &answers[4], NULL), 0);
    disk_let_go();
    ck_assert_int_eq(answer_await(db, &answers[4]), 0);
    ck_assert_int_eq(answers[0].rc, 0);
    ck_assert_int_eq(answers[1].rc, 0);
    ck_assert_int_eq(answers[2].rc, -1);
    ck_assert_int_eq(answers[3].rc, -1);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm first 7 1 4096\nvm good 7 1 4096\n"
                                        "setting 1 vm 'good' 0 buffer=5\n");
}
END_TEST

START_TEST(an_empty_transaction_is_answered_too)
{
    struct db *db = ground_open();

    ck_assert_int_eq(ground_change(db, NULL, 0, NULL), 0);
    db_close(db);
}
END_TEST

START_TEST(closing_writes_what_was_posted)
{
    struct db *db = ground_open();
    struct answer never = {0};
    const struct db_change change = change_vm("web1", 1);
    const struct db_event event = event_of(1, NULL, 1);

    ck_assert_int_eq(db_post(db, &change, 1, answer_take, &never, NULL), 0);
    db_note(db, &event);
    db_close(db);
    ck_assert(!never.came);
    ck_assert_str_eq(ground_contents(), "vm web1 7 1 4096\n");
    db = ground_open();
    ck_assert_int_eq(db_last_event(db), 1);
    db_close(db);
}
END_TEST

/* --- what a restart finds --------------------------------------------------------------------- */

/* One of each: a base, a timed layer and a policy that speak of web1. */
static void make_layers(struct db *db)
{
    struct db_change changes[] = {
        change_vm("web1", 100),
        change_layer(2, "timed"),
        change_layer(3, "policy"),
        change_setting(1, "web1", "minimum", 10),
        change_setting(1, "web2", "minimum", 20),
        change_setting(2, "web1", "minimum", 30),
        change_setting(3, "web1", "minimum", 40),
        change_setting(3, "*", "minimum", 50),
    };

    changes[6].setting.ordinal = 1;
    ck_assert_int_eq(ground_change(db, changes, 8, NULL), 0);
}

START_TEST(what_was_put_is_found_in_its_order)
{
    struct db *db = ground_open();

    make_layers(db);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm web1 7 100 4096\n"
                                        "layer 2 timed '' 5 9\n"
                                        "layer 3 policy '' 5 9\n"
                                        "setting 1 vm 'web1' 0 minimum=10\n"
                                        "setting 1 vm 'web2' 0 minimum=20\n"
                                        "setting 2 vm 'web1' 0 minimum=30\n"
                                        "setting 3 vm '*' 0 minimum=50\n"
                                        "setting 3 vm 'web1' 1 minimum=40\n");
}
END_TEST

START_TEST(a_forgotten_vm_leaves_policies_alone)
{
    struct db *db = ground_open();
    const struct db_change forget = {.kind = DB_FORGET_VM, .vm.name = "web1"};

    make_layers(db);
    ck_assert_int_eq(ground_change(db, &forget, 1, NULL), 0);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "layer 2 timed '' 5 9\n"
                                        "layer 3 policy '' 5 9\n"
                                        "setting 1 vm 'web2' 0 minimum=20\n"
                                        "setting 3 vm '*' 0 minimum=50\n"
                                        "setting 3 vm 'web1' 1 minimum=40\n");
}
END_TEST

START_TEST(a_removed_layer_takes_its_settings_along)
{
    struct db *db = ground_open();
    const struct db_change remove[] = {{.kind = DB_REMOVE_LAYER, .layer.id = 2},
                                       {.kind = DB_REMOVE_LAYER, .layer.id = 3},
                                       {.kind = DB_REMOVE_LAYER, .layer.id = 1},
                                       {.kind = DB_REMOVE_LAYER, .layer.id = 77}};

    make_layers(db);
    ck_assert_int_eq(ground_change(db, remove, 4, NULL), 0);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm web1 7 100 4096\n"
                                        "setting 1 vm 'web1' 0 minimum=10\n"
                                        "setting 1 vm 'web2' 0 minimum=20\n");
}
END_TEST

START_TEST(putting_replaces_and_dropping_removes)
{
    struct db *db = ground_open();
    struct db_change changes[] = {
        change_vm("web1", 200),
        change_setting(1, "web1", "minimum", 11),
        change_setting(1, "web2", "minimum", 0),
        change_setting(2, "web1", "nothing", 0),
    };

    make_layers(db);
    changes[2].kind = changes[3].kind = DB_DROP_SETTING;
    ck_assert_int_eq(ground_change(db, changes, 4, NULL), 0);
    db_close(db);
    ck_assert_ptr_nonnull(strstr(ground_contents(), "vm web1 7 200 4096\n"));
    ck_assert_ptr_nonnull(strstr(ground_contents(), "setting 1 vm 'web1' 0 minimum=11\n"));
    ck_assert_ptr_null(strstr(ground_contents(), "web2"));
    ck_assert_ptr_nonnull(strstr(ground_contents(), "setting 2 vm 'web1' 0 minimum=30\n"));
}
END_TEST

/* Names come from guests' owners, details from anywhere: they are data, whatever is in them. */
START_TEST(texts_are_kept_as_they_are)
{
    static const char *const names[] = {
        "'; DROP TABLE vm; --", "\"", "a\nb\t\x1b", "\xff\xfe\x80", "\xe2\x82\xac", "%s%n", "*?[",
    };
    struct db *db = ground_open();
    char line[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const struct db_change change = change_vm(names[i], (int64_t)i);

        ck_assert_int_eq(ground_change(db, &change, 1, NULL), 0);
    }
    db_close(db);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(line, sizeof(line), "vm %s 7 %zu 4096\n", names[i], i);
        ck_assert_msg(strstr(ground_contents(), line) != NULL, "%s", line);
    }
}
END_TEST

START_TEST(numbers_are_kept_to_their_limits)
{
    struct db *db = ground_open();
    const struct db_change changes[] = {change_vm("a", INT64_MAX), change_vm("b", INT64_MIN)};

    ck_assert_int_eq(ground_change(db, changes, 2, NULL), 0);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm a 7 9223372036854775807 4096\n"
                                        "vm b 7 -9223372036854775808 4096\n");
}
END_TEST

/* --- the journal ------------------------------------------------------------------------------ */

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
    Suite *suite = suite_create("db: writing");
    TCase *tests = tcase_create("writing");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, ground_make, ground_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, answers_come_in_the_order_of_posting);
    tcase_add_test(tests, later_changes_see_earlier_ones);
    tcase_add_test(tests, a_transaction_is_done_as_a_whole_or_not_at_all);
    tcase_add_test(tests, a_refused_transaction_does_not_drag_others_along);
    tcase_add_test(tests, an_empty_transaction_is_answered_too);
    tcase_add_test(tests, closing_writes_what_was_posted);
    tcase_add_test(tests, what_was_put_is_found_in_its_order);
    tcase_add_test(tests, a_forgotten_vm_leaves_policies_alone);
    tcase_add_test(tests, a_removed_layer_takes_its_settings_along);
    tcase_add_test(tests, putting_replaces_and_dropping_removes);
    tcase_add_test(tests, texts_are_kept_as_they_are);
    tcase_add_test(tests, numbers_are_kept_to_their_limits);
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
