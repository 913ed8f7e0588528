/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one user may have of the daemon, over all of its connections; who may change settings is not
 * limited. */
#include <check.h>
#include <stdlib.h>

#include "daemon/clients/user.h"
#include "tests/daemon/client.h"

/* Over all of its connections; others are served. */
START_TEST(open_calls_of_a_user_are_bounded)
{
    struct client one = come(READER), two = come(READER), other = come(0);

    options.limits.calls = 3;
    for (int id = 1; id <= 2; id++)
        call_method(&one, id, "hold", "");
    for (int id = 1; id <= 2; id++)
        call_method(&two, id, "hold", "");
    turn_often();
    ck_assert_uint_eq(n_held, 3);
    call_method(&other, 1, "echo", "");
    assert_answer(&other, 1, "");
    answer_held(0, "x");
    assert_answer(&one, 1, "x");
    turn_often();
    ck_assert_uint_eq(n_held, 4);
    for (size_t i = 1; i < n_held; i++)
        answer_held(i, "x");
    leave(&one);
    leave(&two);
    leave(&other);
}
END_TEST

/* A second's worth at once, then one each so many ms; who may change settings is not held up. */
START_TEST(requests_of_a_user_are_no_more_than_its_rate)
{
    struct client one = come(READER), two = come(READER), other = come(0);

    options.limits.rate = 2;
    for (int id = 1; id <= 3; id++)
        call_method(&one, id, "hold", "");
    call_method(&two, 4, "hold", "");
    turn_often();
    ck_assert_uint_eq(n_held, 2);
    for (int id = 1; id <= 5; id++) {
        call_method(&other, id, "echo", "");
        assert_answer(&other, id, "");
    }
    while (n_held < 4)
        turn_waiting();
    for (size_t i = 0; i < n_held; i++)
        answer_held(i, "x");
    leave(&one);
    leave(&two);
    leave(&other);
}
END_TEST

START_TEST(who_comes_back_has_what_was_left_of_its_credit)
{
    const struct user_limits limits = {.rate = 2};
    struct user *list = NULL, *user = user_get(&list, READER, 1000);

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(user_wait_ms(user, &limits, 1000), 0);
        user_take(user);
    }
    ck_assert_int_eq(user_wait_ms(user_get(&list, READER, 1200), &limits, 1200), 300);
    (void)user_get(&list, READER + 1, 2199);
    ck_assert_ptr_nonnull(user_find(list, READER));
    (void)user_get(&list, READER + 1, 2200);
    ck_assert_ptr_null(user_find(list, READER));
    users_free(&list);
}
END_TEST

START_TEST(a_new_connection_is_no_new_credit)
{
    struct client one = come(READER);

    options.limits.rate = 2;
    for (int id = 1; id <= 2; id++) {
        call_method(&one, id, "echo", "");
        assert_answer(&one, id, "");
    }
    leave(&one);
    while (all.count > 0)
        turn_waiting();
    ck_assert_ptr_nonnull(user_find(all.users, READER));
    ck_assert_int_lt(user_find(all.users, READER)->credit, 2 * 1000);
}
END_TEST

/* Their answers may be long, and what is long and not read takes the daemon's memory. */
START_TEST(questions_of_a_user_are_bounded)
{
    struct client asking = come(READER), other = come(0);

    for (int id = 1; id <= USER_QUESTIONS_MAX + 1; id++)
        call_method(&asking, id, "question", "");
    turn_often();
    ck_assert_uint_eq(n_held, USER_QUESTIONS_MAX);
    assert_error(&asking, "9", "busy", "asks too much about the past at once");
    call_method(&other, 1, "question", "");
    turn_often();
    ck_assert_uint_eq(n_held, USER_QUESTIONS_MAX + 1);
    answer_held(0, "x");
    assert_answer(&asking, 1, "x");
    call_method(&asking, 10, "question", "");
    turn_often();
    ck_assert_uint_eq(n_held, USER_QUESTIONS_MAX + 2);
    for (size_t i = 1; i < n_held; i++)
        answer_held(i, "x");
    leave(&asking);
    leave(&other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("user");
    TCase *tests = tcase_create("user");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, clients_make, clients_unmake);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, open_calls_of_a_user_are_bounded);
    tcase_add_test(tests, requests_of_a_user_are_no_more_than_its_rate);
    tcase_add_test(tests, who_comes_back_has_what_was_left_of_its_credit);
    tcase_add_test(tests, a_new_connection_is_no_new_credit);
    tcase_add_test(tests, questions_of_a_user_are_bounded);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
