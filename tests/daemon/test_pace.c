/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How soon guests' reports are answered. */
#include <check.h>
#include <stdlib.h>

#include "daemon/pace.h"

static struct pace pace;

static void setup(void)
{
    pace = (struct pace){.gap_ms = 200, .burst = 3};
}

START_TEST(after_a_quiet_time_it_is_at_once)
{
    ck_assert_int_eq(pace_take(&pace, 50000), 0);
    for (int64_t now_ms = 51000; now_ms < 60000; now_ms += 200)
        ck_assert_int_eq(pace_take(&pace, now_ms), 0);
}
END_TEST

START_TEST(a_few_in_a_row_are_at_once_then_evenly)
{
    ck_assert_int_eq(pace_take(&pace, 50000), 0);
    ck_assert_int_eq(pace_take(&pace, 50010), 0);
    ck_assert_int_eq(pace_take(&pace, 50020), 0);
    ck_assert_int_eq(pace_take(&pace, 50020), 180);
    ck_assert_int_eq(pace_take(&pace, 50200), 200);
    ck_assert_int_eq(pace_take(&pace, 50400), 200);
}
END_TEST

START_TEST(a_flood_is_answered_five_times_a_second)
{
    int64_t now_ms = 50000;
    int count = 0;

    for (; now_ms < 60000; count++)
        now_ms += pace_take(&pace, now_ms) + 1;
    ck_assert_int_ge(count, 10 * 5);
    ck_assert_int_le(count, 10 * 5 + 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pace");
    TCase *tcase = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, after_a_quiet_time_it_is_at_once);
    tcase_add_test(tcase, a_few_in_a_row_are_at_once_then_evenly);
    tcase_add_test(tcase, a_flood_is_answered_five_times_a_second);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
