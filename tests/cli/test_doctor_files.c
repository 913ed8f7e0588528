/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor says of the clock, which comes from the world as an argument; its files are tried end
 * to end (tests/e2e/test_doctor.py). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor_files.h"

static char found[128];

static void add(void *arg, const struct file_finding *finding)
{
    (void)arg;
    ck_assert(finding->text[0] && finding->advice[0]);
    strcat(found, finding->check);
    strcat(found, finding->wrong ? ":wrong " : ":risk ");
}

static const char *look(enum clock_state clock)
{
    found[0] = '\0';
    doctor_files_look("/nonexistent", clock, add, NULL);
    return found;
}

START_TEST(a_clock_that_nobody_sets_is_a_risk)
{
    ck_assert_str_eq(look(CLOCK_STATE_ALONE), "clock:risk ");
}
END_TEST

START_TEST(one_that_is_set_or_not_known_is_not)
{
    ck_assert_str_eq(look(CLOCK_STATE_SYNCHRONISED), "");
    ck_assert_str_eq(look(CLOCK_STATE_UNKNOWN), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("doctor's files");
    TCase *tests = tcase_create("clock");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, a_clock_that_nobody_sets_is_a_risk);
    tcase_add_test(tests, one_that_is_set_or_not_known_is_not);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
