/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables: columns stand straight whatever is in them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/table.h"

static const struct column columns[] = {{"NAME", false}, {"SIZE", true}, {"STATE", false}};

static struct table *table;
static char *written;
static size_t written_length;

static void set_up(void)
{
    table = table_new(columns, 3);
}

static void tear_down(void)
{
    table_free(table);
    free(written);
    written = NULL;
}

static void add_row(const char *name, const char *size, const char *state)
{
    table_add(table, name);
    table_add(table, size);
    table_add(table, state);
}

static const char *print(size_t width)
{
    FILE *to;

    free(written);
    to = open_memstream(&written, &written_length);
    table_print(table, width, to);
    fclose(to);
    return written;
}

START_TEST(an_empty_table_is_its_headings)
{
    ck_assert_str_eq(print(0), "NAME  SIZE  STATE\n");
}
END_TEST

START_TEST(columns_are_as_wide_as_what_is_in_them)
{
    add_row("web1", "1.50 GiB", "running");
    add_row("a-longer-name", "9 MiB", NULL);
    ck_assert_str_eq(print(0), "NAME               SIZE  STATE\n"
                               "web1           1.50 GiB  running\n"
                               "a-longer-name     9 MiB  -\n");
}
END_TEST

START_TEST(characters_are_counted_as_a_terminal_shows_them)
{
    add_row("d\u00fcrer", "1", "a");
    add_row("\u65e5\u672c\u8a9e", "2", "b");
    add_row("esc\x1b", "3", "c");
    ck_assert_str_eq(print(0), "NAME    SIZE  STATE\n"
                               "d\u00fcrer      1  a\n"
                               "\u65e5\u672c\u8a9e     2  b\n"
                               "esc?       3  c\n");
}
END_TEST

START_TEST(a_narrow_terminal_gets_narrower_gaps_but_all_of_the_text)
{
    add_row("web1", "1.50 GiB", "running");
    ck_assert_str_eq(print(23), "NAME      SIZE  STATE\nweb1  1.50 GiB  running\n");
    ck_assert_str_eq(print(22), "NAME     SIZE STATE\nweb1 1.50 GiB running\n");
    ck_assert_str_eq(print(5), "NAME     SIZE STATE\nweb1 1.50 GiB running\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("table");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_empty_table_is_its_headings);
    tcase_add_test(tests, columns_are_as_wide_as_what_is_in_them);
    tcase_add_test(tests, characters_are_counted_as_a_terminal_shows_them);
    tcase_add_test(tests, a_narrow_terminal_gets_narrower_gaps_but_all_of_the_text);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
