/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing and reading: transactions whole and in order, and what a restart finds. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/db/disk.h"
#include "tests/db/ground.h"

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
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
