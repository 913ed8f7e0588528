/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Amounts and spans: arithmetic that cannot go wrong silently, and text that is read strictly. */
#include <check.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/units.h"

static int64_t parsed(const char *text)
{
    struct kib size;
    struct err err;

    ck_assert_msg(kib_parse(text, &size, &err) == 0, "'%s' refused: %s", text, err.text);
    return size.v;
}

static void assert_size_refused(const char *text)
{
    struct kib size = kib(-77);
    struct err err;

    ck_assert_msg(kib_parse(text, &size, &err) == -1, "'%s' accepted", text);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_int_eq(size.v, -77);
}

START_TEST(sizes_are_read_with_their_units)
{
    ck_assert_int_eq(parsed("0"), 0);
    ck_assert_int_eq(parsed("1k"), 1);
    ck_assert_int_eq(parsed("512m"), 512 * 1024);
    ck_assert_int_eq(parsed("512M"), 512 * 1024);
    ck_assert_int_eq(parsed("2g"), 2 * 1024 * 1024);
    ck_assert_int_eq(parsed("1.5 GiB"), 1536 * 1024);
    ck_assert_int_eq(parsed("0.001k"), 0);
    ck_assert_int_eq(parsed("1024t"), KIB_LIMIT);
}
END_TEST

START_TEST(what_is_not_a_size_is_refused)
{
    static const char *const texts[] = {"",
                                        "m",
                                        "512",
                                        "-1m",
                                        "+1m",
                                        "1 m m",
                                        "1mm",
                                        "1e3m",
                                        "1.m",
                                        "1..5m",
                                        "0x10m",
                                        "1025t",
                                        "1pib",
                                        "1m ",
                                        " 1m",
                                        "1,5g",
                                        "1.2345g",
                                        "nan",
                                        "1024.001t",
                                        "99999999999999999999g",
                                        "9223372036854775807k"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_size_refused(texts[i]);
}
END_TEST

START_TEST(exact_text_reads_back_the_same)
{
    static const int64_t sizes[] = {0, 1, 3, 1023, 1024, 1025, 1 << 20, (1 << 20) + 4, KIB_LIMIT};
    char text[UNITS_TEXT];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        ck_assert_int_eq(parsed(kib_format_exact(kib(sizes[i]), text)), sizes[i]);
}
END_TEST

START_TEST(people_see_two_decimals_where_they_tell_something)
{
    char text[UNITS_TEXT];

    ck_assert_str_eq(kib_format(kib(0), text), "0 KiB");
    ck_assert_str_eq(kib_format(kib(512 * 1024), text), "512 MiB");
    ck_assert_str_eq(kib_format(kib_gib(2), text), "2 GiB");
    ck_assert_str_eq(kib_format(kib(1536 * 1024), text), "1.50 GiB");
    ck_assert_str_eq(kib_format(kib(-4), text), "-4 KiB");
}
END_TEST

START_TEST(scaling_survives_the_largest_sizes)
{
    ck_assert_int_eq(kib_scale(kib(KIB_LIMIT), 2000, 100).v, KIB_LIMIT * 20);
    ck_assert_int_eq(kib_scale(kib(7), 1, 2).v, 3);
    ck_assert_int_eq(kib_scale(kib(-7), 1, 2).v, -4);
    ck_assert_int_eq(kib_scale(kib(INT64_MAX), INT64_MAX, INT64_MAX).v, INT64_MAX);
}
END_TEST

START_TEST(an_overflow_stops_the_program)
{
    (void)kib_add(kib(INT64_MAX), kib(1));
}
END_TEST

START_TEST(a_product_beyond_64_bits_stops_the_program)
{
    (void)kib_scale(kib(INT64_MAX), 3, 2);
}
END_TEST

START_TEST(clamping_and_rounding)
{
    ck_assert_int_eq(kib_clamp(kib(5), kib(1), kib(3)).v, 3);
    ck_assert_int_eq(kib_clamp(kib(0), kib(1), kib(3)).v, 1);
    ck_assert_int_eq(kib_clamp(kib(2), kib(4), kib(3)).v, 4);
    ck_assert_int_eq(kib_floor(kib(4097), KIB_GRANULE).v, 4096);
    ck_assert_int_eq(kib_ceil(kib(4097), KIB_GRANULE).v, 6144);
    ck_assert_int_eq(kib_ceil(kib(4096), KIB_GRANULE).v, 4096);
    ck_assert_int_eq(kib_excess(kib(3), kib(5)).v, 0);
    ck_assert_int_eq(kib_excess(kib(5), kib(3)).v, 2);
}
END_TEST

START_TEST(pages_of_a_broken_source_are_bounded)
{
    ck_assert_int_eq(kib_from_pages(UINT64_MAX).v, KIB_LIMIT);
    ck_assert_int_eq(kib_from_pages(3).v, 12);
    ck_assert_int_eq((int64_t)kib_to_pages(kib(13)), 3);
}
END_TEST

START_TEST(durations_are_read_and_written)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"500ms", 500}, {"90s", 90000}, {"15m", 900000}, {"8h", 28800000}, {"2d", 172800000}};
    char text[UNITS_TEXT];
    int64_t ms;

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        ck_assert_int_eq(duration_parse(good[i].text, &ms, NULL), 0);
        ck_assert_int_eq(ms, good[i].ms);
    }
    ck_assert_str_eq(duration_format(90000, text), "90s");
    ck_assert_str_eq(duration_format(120000, text), "2m");
    ck_assert_str_eq(duration_format(0, text), "0s");
}
END_TEST

START_TEST(what_is_not_a_duration_is_refused)
{
    static const char *const texts[] = {"",     "8",  "8hh",   "h",   "-1h",
                                        "1.5h", "0s", "4000d", "8 h", "99999999999999999999h"};
    int64_t ms = -1;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        ck_assert_msg(duration_parse(texts[i], &ms, NULL) == -1, "'%s' accepted", texts[i]);
    ck_assert_int_eq(ms, -1);
}
END_TEST

START_TEST(integers_keep_to_their_range)
{
    int64_t value = -1;

    ck_assert_int_eq(integer_parse("100", 0, 100, &value, NULL), 0);
    ck_assert_int_eq(value, 100);
    ck_assert_int_eq(integer_parse("101", 0, 100, &value, NULL), -1);
    ck_assert_int_eq(integer_parse("-1", 0, 100, &value, NULL), -1);
    ck_assert_int_eq(integer_parse("1 ", 0, 100, &value, NULL), -1);
    ck_assert_int_eq(integer_parse("", 0, 100, &value, NULL), -1);
    ck_assert_int_eq(integer_parse("99999999999999999999", 0, INT64_MAX, &value, NULL), -1);
    ck_assert_int_eq(value, 100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("units");
    TCase *tests = tcase_create("units");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, sizes_are_read_with_their_units);
    tcase_add_test(tests, what_is_not_a_size_is_refused);
    tcase_add_test(tests, exact_text_reads_back_the_same);
    tcase_add_test(tests, people_see_two_decimals_where_they_tell_something);
    tcase_add_test(tests, scaling_survives_the_largest_sizes);
    tcase_add_test_raise_signal(tests, an_overflow_stops_the_program, 6);
    tcase_add_test_raise_signal(tests, a_product_beyond_64_bits_stops_the_program, 6);
    tcase_add_test(tests, clamping_and_rounding);
    tcase_add_test(tests, pages_of_a_broken_source_are_bounded);
    tcase_add_test(tests, durations_are_read_and_written);
    tcase_add_test(tests, what_is_not_a_duration_is_refused);
    tcase_add_test(tests, integers_keep_to_their_range);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
