/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration files: what is in them arrives, and whatever is wrong in them is named with its
 * line. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "conf/conf.h"

static char path[64];
static char heard[4096]; /* what was told, a line a call */
static struct err err;

static void write_bytes(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static int hear(void *arg, const char *section, const char *key, const char *value, int line,
                struct err *why)
{
    size_t length = strlen(heard);

    if (arg && key && strcmp(key, arg) == 0)
        return err_set(why, ERR_NOT_FOUND, "no key '%s'", key);
    snprintf(heard + length, sizeof(heard) - length, "%d [%s] %s=%s\n", line, section,
             key ? key : "-", value ? value : "-");
    return 0;
}

static int read_text(const char *text)
{
    write_bytes(text, strlen(text));
    heard[0] = '\0';
    return conf_read(path, hear, NULL, &err);
}

static void assert_reads(const char *text, const char *expected)
{
    ck_assert_msg(read_text(text) == 0, "refused: %s", err.text);
    ck_assert_str_eq(heard, expected);
}

/* The refusal must be "PATH:LINE: …" and have what in it. */
static void assert_refused(const char *text, int line, const char *what)
{
    char start[96];

    ck_assert_msg(read_text(text) == -1, "accepted: %s", text);
    ck_assert_int_eq(err.code, ERR_INVALID);
    snprintf(start, sizeof(start), "%s:%d: ", path, line);
    ck_assert_msg(strncmp(err.text, start, strlen(start)) == 0, "'%s' is not at line %d", err.text,
                  line);
    ck_assert_msg(strstr(err.text, what) != NULL, "'%s' does not say '%s'", err.text, what);
}

static void make_path(void)
{
    int fd;

    snprintf(path, sizeof(path), "/tmp/xenmem-test-conf-XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void remove_path(void)
{
    unlink(path);
}

START_TEST(sections_and_keys_arrive_in_order_with_their_lines)
{
    assert_reads("# a comment\n\n[host]\nreserve = 64m\n; another\n[vm web*]\npriority=7\n",
                 "3 [host] -=-\n4 [host] reserve=64m\n6 [vm web*] -=-\n7 [vm web*] priority=7\n");
}
END_TEST

START_TEST(a_section_may_have_a_pattern_with_brackets)
{
    assert_reads(
        "[vm web[12]*]\nx = 1\n[vm [!a-f]] # why\ny = 2\n",
        "1 [vm web[12]*] -=-\n2 [vm web[12]*] x=1\n3 [vm [!a-f]] -=-\n4 [vm [!a-f]] y=2\n");
    assert_reads("[vm a[[]b]\n[vm c[]\n", "1 [vm a[[]b] -=-\n2 [vm c[] -=-\n");
    assert_refused("[vm web[12]] x\n", 1, "behind");
}
END_TEST

START_TEST(an_empty_file_says_nothing)
{
    assert_reads("", "");
    assert_reads("\n\n  \n# only this\n", "");
}
END_TEST

START_TEST(blanks_comments_and_line_ends_do_not_matter)
{
    assert_reads("[ \t vm web*\t]\n[b]\n", "1 [vm web*] -=-\n2 [b] -=-\n");
    assert_reads("[host]  # why\r\n\t reserve  =  1 GiB  ; enough\r\n   # indented\r\n a = b",
                 "1 [host] -=-\n2 [host] reserve=1 GiB\n4 [host] a=b\n");
}
END_TEST

/* The parser that is underneath takes either. */
START_TEST(a_colon_is_no_separator)
{
    assert_refused("[a]\nreserve: 1g\n", 2, "'key = value'");
    assert_refused("[a]\nreserve : a = b\n", 2, "'='");
    assert_reads("[a]\nlisten = ::1:9100\n; so: what\n", "1 [a] -=-\n2 [a] listen=::1:9100\n");
}
END_TEST

START_TEST(a_byte_order_mark_does_not_hide_the_first_section)
{
    assert_reads("\xef\xbb\xbf[a]\nx = 1\n", "1 [a] -=-\n2 [a] x=1\n");
}
END_TEST

START_TEST(an_indented_line_is_a_key_of_its_own)
{
    assert_reads("[a]\nx = 1\n  y = 2\n", "1 [a] -=-\n2 [a] x=1\n3 [a] y=2\n");
    assert_refused("[a]\nx = 1\n  2\n", 3, "neither");
}
END_TEST

START_TEST(a_value_keeps_its_equals_signs)
{
    assert_reads("[a]\nx = sim:/tmp/a=b\n", "1 [a] -=-\n2 [a] x=sim:/tmp/a=b\n");
    assert_reads("[a]\nx =\n", "1 [a] -=-\n2 [a] x=\n");
}
END_TEST

START_TEST(keys_before_any_section_have_none)
{
    assert_reads("x = 1\n", "1 [] x=1\n");
}
END_TEST

START_TEST(lines_that_mean_nothing_are_refused)
{
    assert_refused("[a]\nx = 1\nnonsense\ny = 2\n", 3, "neither");
    assert_refused("nonsense\n", 1, "neither");
    assert_refused("[a]\n= 5\n", 2, "without a key");
    assert_refused("[a\n", 1, "no ']'");
    assert_refused("[]\n", 1, "without a name");
    assert_refused("[  ]\n", 1, "without a name");
    assert_refused("[a] b = c\n", 1, "behind");
}
END_TEST

START_TEST(the_first_mistake_is_the_one_that_is_named)
{
    assert_refused("[a]\nnonsense\nx = 1\nx = 2\n", 2, "neither");
    assert_refused("[a]\nx = 1\nx = 2\nnonsense\n", 3, "twice");
}
END_TEST

START_TEST(nothing_is_told_of_what_is_behind_a_mistake)
{
    assert_refused("[a]\nx = 1\nnonsense\ny = 2\n[b]\n", 3, "neither");
    ck_assert_str_eq(heard, "1 [a] -=-\n2 [a] x=1\n");
    assert_refused("[a]\nx = 1\n[b\ny = 2\n", 3, "no ']'");
    ck_assert_str_eq(heard, "1 [a] -=-\n2 [a] x=1\n");
    assert_refused("[a]\nx = 1\nx = 2\ny = 2\n", 3, "twice");
    ck_assert_str_eq(heard, "1 [a] -=-\n2 [a] x=1\n");
}
END_TEST

START_TEST(nothing_is_said_twice)
{
    assert_refused("[a]\nx = 1\ny = 2\nx = 1\n", 4, "'x' is there twice in [a]");
    assert_refused("[a]\nx = 1\n[b]\nx = 1\n[a]\ny = 1\n", 5, "[a] is there twice");
}
END_TEST

/* A text of count times c in front of end. */
static const char *long_text(const char *front, char c, size_t count, const char *end)
{
    static char text[100000];

    snprintf(text, sizeof(text), "%s", front);
    memset(text + strlen(front), c, count);
    snprintf(text + strlen(front) + count, sizeof(text) - strlen(front) - count, "%s", end);
    return text;
}

START_TEST(what_would_be_cut_is_refused)
{
    ck_assert_int_eq(read_text(long_text("[a]\nx=", 'y', CONF_LINE_MAX - 2, "\n")), 0);
    ck_assert_uint_eq(strlen(strstr(heard, "x=")), CONF_LINE_MAX + 1);
    assert_refused(long_text("[a]\nx=", 'y', CONF_LINE_MAX - 1, "\n"), 2, "longer than");
    assert_refused(long_text("[a]\nx=", 'y', 90000, ""), 2, "longer than");
    ck_assert_int_eq(read_text(long_text("[", 'a', CONF_SECTION_MAX, "]\n")), 0);
    assert_refused(long_text("[", 'a', CONF_SECTION_MAX + 1, "]\n"), 1, "longer than");
}
END_TEST

START_TEST(control_characters_are_refused)
{
    assert_refused("[a]\nx = \x1b[2J\n", 2, "control character (27)");
    write_bytes("[a]\nx = 1\0 2\n", 13);
    ck_assert_int_eq(conf_read(path, hear, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, ":2: byte 6 is a control character (0)"));
}
END_TEST

START_TEST(there_is_an_end_to_keys)
{
    char text[4096] = "[a]\n";

    for (int i = 0; i <= CONF_KEYS_MAX; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "key%d = 1\n", i);
    assert_refused(text, CONF_KEYS_MAX + 2, "more than");
}
END_TEST

START_TEST(a_refusal_of_the_reader_is_handed_up_with_its_line)
{
    char expected[128];

    write_bytes("[a]\ny = 1\nx = 1\nnonsense\n", 25);
    ck_assert_int_eq(conf_read(path, hear, (void *)"x", &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    snprintf(expected, sizeof(expected), "%s:3: no key 'x'", path);
    ck_assert_str_eq(err.text, expected);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
    ck_assert_int_eq(conf_read("/nowhere/at.all", hear, NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.text, "/nowhere/at.all: No such file or directory");
    ck_assert_int_eq(conf_read("/tmp", hear, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/tmp: "));
    ck_assert_int_eq(conf_read("/nowhere/at.all", hear, NULL, NULL), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf");
    TCase *tests = tcase_create("conf");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make_path, remove_path);
    tcase_add_test(tests, sections_and_keys_arrive_in_order_with_their_lines);
    tcase_add_test(tests, a_section_may_have_a_pattern_with_brackets);
    tcase_add_test(tests, an_empty_file_says_nothing);
    tcase_add_test(tests, blanks_comments_and_line_ends_do_not_matter);
    tcase_add_test(tests, a_colon_is_no_separator);
    tcase_add_test(tests, a_byte_order_mark_does_not_hide_the_first_section);
    tcase_add_test(tests, an_indented_line_is_a_key_of_its_own);
    tcase_add_test(tests, a_value_keeps_its_equals_signs);
    tcase_add_test(tests, keys_before_any_section_have_none);
    tcase_add_test(tests, lines_that_mean_nothing_are_refused);
    tcase_add_test(tests, the_first_mistake_is_the_one_that_is_named);
    tcase_add_test(tests, nothing_is_told_of_what_is_behind_a_mistake);
    tcase_add_test(tests, nothing_is_said_twice);
    tcase_add_test(tests, what_would_be_cut_is_refused);
    tcase_add_test(tests, control_characters_are_refused);
    tcase_add_test(tests, there_is_an_end_to_keys);
    tcase_add_test(tests, a_refusal_of_the_reader_is_handed_up_with_its_line);
    tcase_add_test(tests, what_cannot_be_read_is_named);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
