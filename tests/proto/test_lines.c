/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes in, lines out: however they come in, the same lines come out, and none beyond the limit. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "proto/proto.h"

#define LIMIT 20

static struct proto_lines lines;
static char heard[4096]; /* lines so far, each with its length: "3:abc " */

static void make(void)
{
    proto_lines_init(&lines, LIMIT);
    heard[0] = '\0';
}

static void unmake(void)
{
    proto_lines_fini(&lines);
}

static void take_all(void)
{
    const char *line;
    size_t length;

    while ((line = proto_lines_next(&lines, &length))) {
        ck_assert_uint_eq(line[length], 0);
        snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard), "%zu:%s ", length, line);
    }
    ck_assert_ptr_null(proto_lines_next(&lines, &length));
}

static int feed(const char *bytes, size_t length)
{
    int rc = proto_lines_feed(&lines, bytes, length, NULL);

    take_all();
    return rc;
}

START_TEST(portions_do_not_matter)
{
    static const char bytes[] = "one\ntwo\n\nfour and more\r\n12345678901234567890\nrest";
    static const char expected[] = "3:one 3:two 0: 14:four and more\r 20:12345678901234567890 ";

    for (size_t portion = 1; portion <= sizeof(bytes); portion++) {
        proto_lines_fini(&lines);
        make();
        for (size_t at = 0; at < sizeof(bytes) - 1; at += portion) {
            size_t left = sizeof(bytes) - 1 - at;

            ck_assert_int_eq(feed(bytes + at, left < portion ? left : portion), 0);
        }
        ck_assert_str_eq(heard, expected);
        ck_assert_int_eq(feed("\n", 1), 0);
        ck_assert_ptr_nonnull(strstr(heard, "4:rest "));
    }
}
END_TEST

START_TEST(lines_may_wait_while_more_is_fed)
{
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(proto_lines_feed(&lines, "ab\ncd", 5, NULL), 0);
    take_all();
    ck_assert_ptr_nonnull(strstr(heard, "2:ab 4:cdab 4:cdab "));
    ck_assert_int_eq(feed("\n", 1), 0);
}
END_TEST

START_TEST(a_long_line_is_refused_however_it_comes)
{
    char text[3 * LIMIT];
    struct err err;

    memset(text, 'x', sizeof(text));
    ck_assert_int_eq(proto_lines_feed(&lines, text, LIMIT, &err), 0);
    ck_assert_int_eq(proto_lines_feed(&lines, "x", 1, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.text, "a line of more than 20 bytes");
    ck_assert_int_eq(feed("\n", 1), 0);
    ck_assert_int_eq(feed(text, LIMIT + 1), -1);
    text[LIMIT + 1] = '\n';
    ck_assert_int_eq(feed(text, sizeof(text)), -1);
    /* Behind a good one, in one portion and whole: the limit is every line's. */
    text[5] = '\n';
    text[5 + LIMIT + 2] = '\n';
    ck_assert_int_eq(feed(text, sizeof(text)), -1);
}
END_TEST

START_TEST(what_is_refused_is_not_taken)
{
    ck_assert_int_eq(feed("good\nbegun", 10), 0);
    ck_assert_int_eq(feed(" and much too long to be taken\nmore\n", 35), -1);
    ck_assert_int_eq(feed("!\n", 2), 0);
    ck_assert_str_eq(heard, "4:good 6:begun! ");
}
END_TEST

START_TEST(nul_bytes_are_bytes)
{
    const char *line;
    size_t length;

    ck_assert_int_eq(proto_lines_feed(&lines, "a\0b\n\0\n", 6, NULL), 0);
    line = proto_lines_next(&lines, &length);
    ck_assert_uint_eq(length, 3);
    ck_assert_mem_eq(line, "a\0b", 4);
    line = proto_lines_next(&lines, &length);
    ck_assert_uint_eq(length, 1);
    ck_assert_mem_eq(line, "\0", 2);
}
END_TEST

START_TEST(nothing_is_fine)
{
    size_t length;

    ck_assert_ptr_null(proto_lines_next(&lines, &length));
    ck_assert_int_eq(proto_lines_feed(&lines, "", 0, NULL), 0);
    ck_assert_int_eq(proto_lines_feed(&lines, NULL, 0, NULL), 0);
    ck_assert_ptr_null(proto_lines_next(&lines, &length));
}
END_TEST

/* A thousand idle clients that each once sent a long request must not hold its room. */
START_TEST(a_large_buffer_is_given_back)
{
    char *text = calloc(1, PROTO_REQUEST_MAX);
    size_t length;

    ck_assert_ptr_nonnull(text);
    lines.limit = PROTO_REQUEST_MAX;
    memset(text, 'x', PROTO_REQUEST_MAX);
    ck_assert_int_eq(proto_lines_feed(&lines, text, PROTO_REQUEST_MAX, NULL), 0);
    ck_assert_int_eq(proto_lines_feed(&lines, "\n", 1, NULL), 0);
    ck_assert_ptr_nonnull(proto_lines_next(&lines, &length));
    ck_assert_uint_eq(length, PROTO_REQUEST_MAX);
    ck_assert_ptr_null(proto_lines_next(&lines, &length));
    ck_assert_uint_eq(lines.room, 0);
    ck_assert_int_eq(feed("again\n", 6), 0);
    ck_assert_str_eq(heard, "5:again ");
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto: lines");
    TCase *tests = tcase_create("lines");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make, unmake);
    tcase_add_test(tests, portions_do_not_matter);
    tcase_add_test(tests, lines_may_wait_while_more_is_fed);
    tcase_add_test(tests, a_long_line_is_refused_however_it_comes);
    tcase_add_test(tests, what_is_refused_is_not_taken);
    tcase_add_test(tests, nul_bytes_are_bytes);
    tcase_add_test(tests, nothing_is_fine);
    tcase_add_test(tests, a_large_buffer_is_given_back);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
