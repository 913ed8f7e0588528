/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was free at the moment that domains were looked at. */
#include <check.h>
#include <stdlib.h>

#include "hv/moment.h"

/* 1000 pages are free, and domains hold 9000. */
static struct moment moment;
static uint64_t pages;

static bool fits(uint64_t before, uint64_t held, uint64_t after)
{
    return moment_fits(&moment, before, held, after, &pages);
}

static void setup(void)
{
    moment = (struct moment){0};
    fits(1000, 9000, 1000);
    ck_assert(fits(1000, 9000, 1000));
}

START_TEST(a_sum_is_believed_once_it_was_seen_twice)
{
    moment = (struct moment){0};
    ck_assert(!fits(1000, 9000, 1000));
    ck_assert(fits(1000, 9000, 1000));
    ck_assert_uint_eq(pages, 1000);
}
END_TEST

START_TEST(one_that_grows_meanwhile_is_not_counted_twice)
{
    ck_assert(fits(1000, 9200, 700));
    ck_assert_uint_eq(pages, 800);
}
END_TEST

START_TEST(one_that_shrinks_meanwhile_is_counted)
{
    ck_assert(fits(1000, 8800, 1300));
    ck_assert_uint_eq(pages, 1200);
}
END_TEST

START_TEST(what_does_not_fit_is_asked_again_and_the_least_until_then)
{
    ck_assert(!fits(1000, 8800, 1100));
    ck_assert_uint_eq(pages, 1000);
    ck_assert(fits(1100, 8880, 1150));
    ck_assert_uint_eq(pages, 1120);
}
END_TEST

START_TEST(two_that_move_by_as_much_do_not_pass_for_a_new_sum)
{
    ck_assert(!fits(1000, 8488, 1000));
    ck_assert(fits(1000, 9000, 1000));
    ck_assert(!fits(1000, 8488, 1000));
    ck_assert(fits(1000, 9200, 700));
    ck_assert_uint_eq(pages, 800);
}
END_TEST

START_TEST(what_xen_takes_for_itself_is_a_new_sum)
{
    ck_assert(!fits(990, 9000, 990));
    ck_assert(fits(990, 9000, 990));
    ck_assert(fits(990, 9100, 880));
    ck_assert_uint_eq(pages, 890);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("moment");
    TCase *tcase = tcase_create("moment");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_sum_is_believed_once_it_was_seen_twice);
    tcase_add_test(tcase, one_that_grows_meanwhile_is_not_counted_twice);
    tcase_add_test(tcase, one_that_shrinks_meanwhile_is_counted);
    tcase_add_test(tcase, what_does_not_fit_is_asked_again_and_the_least_until_then);
    tcase_add_test(tcase, two_that_move_by_as_much_do_not_pass_for_a_new_sum);
    tcase_add_test(tcase, what_xen_takes_for_itself_is_a_new_sum);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
