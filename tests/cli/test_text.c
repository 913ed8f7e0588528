/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from guests and files reaches terminals and programs without doing anything to them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

static char *written;
static size_t written_length;

/* What put writes of text. Valid until the next call. */
static const char *written_by(void (*put)(FILE *to, const char *text), const char *text)
{
    FILE *to;

    free(written);
    to = open_memstream(&written, &written_length);
    ck_assert_ptr_nonnull(to);
    put(to, text);
    fclose(to);
    return written;
}

static void tear_down(void)
{
    free(written);
    written = NULL;
}

START_TEST(utf8_is_told_from_what_is_not)
{
    static const char *const good[] = {
        "",           "web1",
        "d\u00fcrer", "\u65e5\u672c",
        "\U0001f600", "\x7f\xc2\x80\u07ff\u0800\uffff\U00010000\U0010ffff"};
    static const char *const bad[] = {
        "\x80",             /* continues nothing */
        "\xc3",             /* ends too soon */
        "\xc0\xaf",         /* overlong */
        "\xe0\x80\xaf",     /* overlong */
        "\xf0\x80\x80\xaf", /* overlong */
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* above Unicode */
        "\xff",
        "a\xe6\x97z",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ck_assert_msg(text_is_utf8(good[i]), "good %zu", i);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(!text_is_utf8(bad[i]), "bad %zu", i);
}
END_TEST

START_TEST(plain_text_stays_as_it_is)
{
    ck_assert_str_eq(written_by(text_put, "d\u00fcrer \u65e5\u672c 1"),
                     "d\u00fcrer \u65e5\u672c 1");
}
END_TEST

START_TEST(nothing_reaches_a_terminal_that_it_would_obey)
{
    ck_assert_str_eq(written_by(text_put, "a\x1b[2Jb\r\n\a\x7f"), "a?[2Jb????");
    ck_assert_str_eq(written_by(text_put, "a\xc2\x9b"
                                          "2Jb"),
                     "a?2Jb");                                                 /* CSI as C1 */
    ck_assert_str_eq(written_by(text_put, "a\u202eb\u2066c\u200f"), "a?b?c?"); /* turns */
    ck_assert_str_eq(written_by(text_put, "a\x9b\xff"
                                          "b\xe6\x97"),
                     "a??b??");
}
END_TEST

START_TEST(cleaned_text_is_the_same_and_never_ends_within_a_character)
{
    char buf[6];

    ck_assert_str_eq(text_clean("a\x1b", buf, sizeof(buf)), "a?");
    ck_assert_str_eq(text_clean("abcd\u00fc", buf, sizeof(buf)), "abcd");
    ck_assert_str_eq(text_clean("abc\u00fcd", buf, sizeof(buf)), "abc\u00fc");
    ck_assert_str_eq(text_clean("abc", buf, 1), "");
}
END_TEST

START_TEST(width_counts_columns_and_not_bytes)
{
    ck_assert_uint_eq(text_width(""), 0);
    ck_assert_uint_eq(text_width("web1"), 4);
    ck_assert_uint_eq(text_width("d\u00fcrer"), 5);
    ck_assert_uint_eq(text_width("\u65e5\u672c"), 4);
    ck_assert_uint_eq(text_width("e\u0301"), 1);
    ck_assert_uint_eq(text_width("\x1b\xff"), 2); /* "??" */
}
END_TEST

START_TEST(json_stays_the_same_json_and_is_harmless)
{
    ck_assert_str_eq(written_by(text_put_json, "{\n  \"a\": \"\\n\xc2\x9b\x7f\u202e\u00fc\"\n}"),
                     "{\n  \"a\": \"\\n\\u009b\\u007f\\u202e\u00fc\"\n}");
}
END_TEST

START_TEST(a_json_string_is_quoted)
{
    ck_assert_str_eq(written_by(text_put_json_string, "a\"b\\c\nd\xff"),
                     "\"a\\\"b\\\\c\\u000ad?\"");
}
END_TEST

START_TEST(amounts_read_as_people_write_them)
{
    char buf[64], small[12];

    ck_assert_str_eq(text_amounts("target from_kib=1048576 to_kib=512", buf, sizeof(buf)),
                     "target from=1 GiB to=512 KiB");
    ck_assert_str_eq(text_amounts("a_kib=x b_kib=-1 c_kib=", buf, sizeof(buf)),
                     "a_kib=x b_kib=-1 c_kib=");
    ck_assert_str_eq(text_amounts("a_kib=99999999999999999999", buf, sizeof(buf)),
                     "a_kib=99999999999999999999");
    ck_assert_str_eq(text_amounts("from_kib=1048576 to_kib=1", small, sizeof(small)),
                     "from=1 GiB ");
}
END_TEST

START_TEST(csv_is_quoted_where_it_needs_it)
{
    ck_assert_str_eq(written_by(text_put_csv, "plain text"), "plain text");
    ck_assert_str_eq(written_by(text_put_csv, ""), "");
    ck_assert_str_eq(written_by(text_put_csv, "a,b"), "\"a,b\"");
    ck_assert_str_eq(written_by(text_put_csv, "say \"a\""), "\"say \"\"a\"\"\"");
    ck_assert_str_eq(written_by(text_put_csv, " a"), "\" a\"");
    ck_assert_str_eq(written_by(text_put_csv, "a\nb\x1b"), "\"a?b?\"");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, NULL, tear_down);
    tcase_add_test(tests, utf8_is_told_from_what_is_not);
    tcase_add_test(tests, plain_text_stays_as_it_is);
    tcase_add_test(tests, nothing_reaches_a_terminal_that_it_would_obey);
    tcase_add_test(tests, cleaned_text_is_the_same_and_never_ends_within_a_character);
    tcase_add_test(tests, width_counts_columns_and_not_bytes);
    tcase_add_test(tests, json_stays_the_same_json_and_is_harmless);
    tcase_add_test(tests, a_json_string_is_quoted);
    tcase_add_test(tests, amounts_read_as_people_write_them);
    tcase_add_test(tests, csv_is_quoted_where_it_needs_it);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
