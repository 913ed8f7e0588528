/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failures: filled once, given context on their way up, always one line. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

START_TEST(context_is_put_in_front_on_the_way_up)
{
    struct err err;

    ck_assert_int_eq(err_set(&err, ERR_BUSY, "lock is held by %s", "xl"), -1);
    ck_assert_int_eq(err_wrap(&err, "set target"), -1);
    ck_assert_int_eq(err_wrap(&err, "start %s", "web1"), -1);
    ck_assert_str_eq(err.text, "start web1: set target: lock is held by xl");
    ck_assert_int_eq(err.code, ERR_BUSY);
}
END_TEST

START_TEST(the_system_tells_why)
{
    struct err err;

    err_set_errno(&err, ERR_FAILED, ENOENT, "open %s", "/nowhere");
    ck_assert_str_eq(err.text, "open /nowhere: No such file or directory");
}
END_TEST

START_TEST(text_from_outside_cannot_break_the_line)
{
    struct err err;

    err_set(&err, ERR_INVALID, "no VM named %s", "a\nb\x1b[2J");
    ck_assert_str_eq(err.text, "no VM named a?b?[2J");
}
END_TEST

START_TEST(long_texts_are_cut_not_overrun)
{
    struct err err;
    char longer[4096];

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    err_set(&err, ERR_FAILED, "%s", longer);
    err_wrap(&err, "%s", longer);
    ck_assert_uint_lt(strlen(err.text), sizeof(err.text));
}
END_TEST

START_TEST(nobody_has_to_listen)
{
    ck_assert_int_eq(err_set(NULL, ERR_FAILED, "dropped"), -1);
    ck_assert_int_eq(err_wrap(NULL, "dropped"), -1);
}
END_TEST

START_TEST(names_of_codes_read_back)
{
    for (int code = 0; code < ERR_CODE_COUNT; code++)
        ck_assert_int_eq(err_code_by_name(err_code_name((enum err_code)code)), code);
    ck_assert_int_eq(err_code_by_name("no such name"), ERR_FAILED);
}
END_TEST

START_TEST(advice_goes_behind)
{
    struct err err;

    err_set_errno(&err, ERR_DENIED, EACCES, "open %s", "/nowhere");
    ck_assert_int_eq(err_advise(&err, "name another %s", "file"), -1);
    ck_assert_int_eq(err.code, ERR_DENIED);
    ck_assert_str_eq(err.text, "open /nowhere: Permission denied; name another file");
    ck_assert_int_eq(err_advise(NULL, "dropped"), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("err");
    TCase *tests = tcase_create("err");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, context_is_put_in_front_on_the_way_up);
    tcase_add_test(tests, the_system_tells_why);
    tcase_add_test(tests, text_from_outside_cannot_break_the_line);
    tcase_add_test(tests, long_texts_are_cut_not_overrun);
    tcase_add_test(tests, nobody_has_to_listen);
    tcase_add_test(tests, advice_goes_behind);
    tcase_add_test(tests, names_of_codes_read_back);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
