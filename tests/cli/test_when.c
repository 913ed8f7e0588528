/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moments as people type them, and which of them do not exist. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "cli/when.h"

#define NOW INT64_C(1738317630000) /* 2025-01-31 10:00:30 UTC */

/* Central European Time, spelt out so that no table of zones is needed. */
static void set_up(void)
{
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
}

static void assert_is(const char *text, int64_t expected)
{
    struct err err;
    int64_t ms = -1;

    ck_assert_msg(when_parse(text, NOW, &ms, &err) == 0, "%s", err.text);
    ck_assert_msg(ms == expected, "'%s' is %" PRId64, text, ms);
}

static void assert_refused(const char *text, const char *why)
{
    struct err err = {.code = ERR_NONE};
    int64_t ms = -1;

    ck_assert_msg(when_parse(text, NOW, &ms, &err) == -1, "'%s' was taken", text);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strstr(err.text, why) != NULL, "'%s' does not say '%s'", err.text, why);
}

START_TEST(a_duration_is_so_long_ago)
{
    assert_is("15m", NOW - 15 * 60000);
    assert_is("500ms", NOW - 500);
    assert_is("2d", NOW - 2 * INT64_C(86400000));
    assert_is("3650d", NOW - 3650 * INT64_C(86400000));
}
END_TEST

START_TEST(a_date_is_local_time_unless_it_says_its_zone)
{
    assert_is("2025-01-31T10:00:30Z", NOW);
    assert_is("2025-01-31 11:00:30", NOW);
    assert_is("2025-01-31T11:00:30", NOW);
    assert_is("2025-01-31T12:30:30+02:30", NOW);
    assert_is("2025-01-31T07:00:30-03:00", NOW);
    assert_is("2025-01-31", NOW - 39630000);
    assert_is("2025-01-31T00:00", NOW - 39630000);
    assert_is("2025-07-01T02:00", INT64_C(1751328000000)); /* summer */
    assert_is("1970-01-01T00:00Z", 0);
}
END_TEST

START_TEST(a_date_that_does_not_exist_is_refused)
{
    static const char *const dates[] = {
        "2025-02-29",           "2025-02-30", "2025-13-01",       "2025-00-10",
        "2025-01-00",           "2025-04-31", "2025-01-01T24:00", "2025-01-01T10:60",
        "2025-01-01T10:00:61Z", "1900-02-29", "2025-03-30T02:30", /* the hour that is skipped in
                                                                     spring */
    };

    for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++)
        assert_refused(dates[i], "does not exist");
    assert_is("2024-02-29T00:00Z", INT64_C(1709164800000));
}
END_TEST

START_TEST(what_is_no_moment_is_refused)
{
    static const char *const texts[] = {
        "",
        "-",
        "yesterday",
        "15",
        "2025",
        "2025-1-1",
        "2025-01-31T",
        "2025-01-31T10",
        "2025-01-31T10:00:30.5Z",
        "2025-01-31T10:00+2",
        "2025-01-31T10:00+15:00",
        "2025-01-31Zx",
        "+2025-01-31",
        "20250131",
        " 2025-01-31",
        "99999-01-01",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_refused(texts[i], "neither a duration");
    assert_refused("8hh", "duration");
    assert_refused("0m", "outside");
    assert_refused("4000d", "outside");
    assert_refused("-15m", "neither");
    assert_refused("1969-12-31T23:59:59Z", "before 1970");
}
END_TEST

START_TEST(moments_are_shown_in_local_time)
{
    char text[WHEN_TEXT];

    ck_assert_str_eq(when_format(NOW, text), "2025-01-31 11:00:30");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("when");
    TCase *tests = tcase_create("when");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, a_duration_is_so_long_ago);
    tcase_add_test(tests, a_date_is_local_time_unless_it_says_its_zone);
    tcase_add_test(tests, a_date_that_does_not_exist_is_refused);
    tcase_add_test(tests, what_is_no_moment_is_refused);
    tcase_add_test(tests, moments_are_shown_in_local_time);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
