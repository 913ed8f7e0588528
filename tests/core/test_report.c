/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guests write: one strict format each, and everything else refused without harm. */
#include <string.h>

#include "base/err.h"
#include "core/report.h"
#include "tests/core/suite.h"

#define GOOD                                                                                       \
    "xenmem1 seq=7 need=1000 floor=200 total=4000 avail=3000 swap=1 cache=500 swapin=0 "           \
    "swapout=9 some=10000 full=0 oom=3 balloon=1"

static void assert_refused(const void *bytes, size_t length)
{
    struct guest_report report = {.sequence = 77};
    struct err err;

    ck_assert_msg(report_decode(bytes, length, &report, &err) == -1, "'%.*s' accepted", (int)length,
                  (const char *)bytes);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_uint_eq(report.sequence, 77);
}

START_TEST(a_report_is_read_field_by_field)
{
    struct guest_report report;

    ck_assert_int_eq(report_decode(GOOD, strlen(GOOD), &report, NULL), 0);
    ck_assert_int_eq(report.source, NEED_AGENT);
    ck_assert_uint_eq(report.sequence, 7);
    ck_assert_int_eq(report.need.v, 1000);
    ck_assert_int_eq(report.floor.v, 200);
    ck_assert_int_eq(report.swap_out_kib_s, 9);
    ck_assert_int_eq(report.psi_some, 10000);
    ck_assert_uint_eq(report.oom_kills, 3);
    ck_assert(report.balloon);
}
END_TEST

START_TEST(what_is_encoded_reads_back_the_same)
{
    struct guest_report report, again;
    char text[REPORT_TEXT_MAX], second[REPORT_TEXT_MAX];
    size_t length;

    ck_assert_int_eq(report_decode(GOOD, strlen(GOOD), &report, NULL), 0);
    length = report_encode(&report, text, sizeof(text));
    ck_assert_str_eq(text, GOOD);
    ck_assert_int_eq(report_decode(text, length, &again, NULL), 0);
    ck_assert_uint_eq(report_encode(&again, second, sizeof(second)), length);
    ck_assert_str_eq(text, second);
}
END_TEST

START_TEST(the_largest_report_fits)
{
    struct guest_report report = {
        .sequence = UINT64_MAX,
        .need = kib(INT64_MAX),
        .floor = kib(INT64_MAX),
        .total = kib(INT64_MAX),
        .available = kib(INT64_MAX),
        .swap_used = kib(INT64_MAX),
        .cache = kib(INT64_MAX),
        .swap_in_kib_s = INT32_MAX,
        .swap_out_kib_s = INT32_MAX,
        .psi_some = INT32_MAX,
        .psi_full = INT32_MAX,
        .oom_kills = UINT64_MAX,
        .balloon = true,
    };
    struct guest_report again;
    char text[REPORT_TEXT_MAX];
    size_t length = report_encode(&report, text, sizeof(text));

    ck_assert_uint_lt(length, sizeof(text));
    ck_assert_int_eq(report_decode(text, length, &again, NULL), 0);
    ck_assert_int_eq(again.need.v, KIB_LIMIT);
    report.need = kib(-5);
    length = report_encode(&report, text, sizeof(text));
    ck_assert_int_eq(report_decode(text, length, &again, NULL), 0);
    ck_assert_int_eq(again.need.v, 0);
}
END_TEST

START_TEST(every_cut_and_every_changed_byte_is_refused_or_harmless)
{
    char text[] = GOOD;

    for (size_t length = 0; length < strlen(GOOD); length++)
        assert_refused(GOOD, length);
    for (size_t at = 0; at < strlen(GOOD); at++) {
        for (int byte = 0; byte < 256; byte++) {
            struct guest_report report;

            text[at] = (char)byte;
            if (text[at] == GOOD[at])
                continue;
            if (report_decode(text, strlen(GOOD), &report, NULL) == 0)
                ck_assert(byte >= '0' && byte <= '9');
        }
        text[at] = GOOD[at];
    }
}
END_TEST

START_TEST(what_can_be_written_in_two_ways_is_refused)
{
    static const char *const texts[] = {
        "xenmem1",
        " " GOOD,
        GOOD " ",
        GOOD "\n",
        GOOD " more=1",
        "xenmem2 seq=7",
        "xenmem1 need=1 seq=7",
        "xenmem1 seq=07 need=1",
        "xenmem1 seq=+7",
        "xenmem1 seq=-7",
        "xenmem1 seq=99999999999999999999",
        "xenmem1  seq=7",
        "xenmem1 seq = 7",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_refused(texts[i], strlen(texts[i]));
    assert_refused(GOOD, sizeof(GOOD)); /* with its NUL */
}
END_TEST

START_TEST(a_size_beyond_the_limit_and_too_long_a_text_are_refused)
{
    char text[4096] = "xenmem1 seq=7 need=1099511627777 floor=0 total=0 avail=0 swap=0 cache=0 "
                      "swapin=0 swapout=0 some=0 full=0 oom=0 balloon=0";

    assert_refused(text, strlen(text));
    memset(text, '1', sizeof(text));
    assert_refused(text, sizeof(text));
}
END_TEST

START_TEST(qubes_writes_one_number)
{
    static const char *const bad[] = {"",           "a4096", "4096a", "4096 1024",
                                      "4096\n1024", "-1",    "04096", "1099511627777"};
    struct guest_report report;

    ck_assert_int_eq(report_decode_qubes("4096", 4, &report, NULL), 0);
    ck_assert_int_eq(report.source, NEED_QUBES);
    ck_assert_int_eq(report.need.v, 4096);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(report_decode_qubes(bad[i], strlen(bad[i]), &report, NULL) == -1, "'%s'",
                      bad[i]);
}
END_TEST

START_TEST(xenserver_writes_two)
{
    struct guest_report report;

    ck_assert_int_eq(report_decode_xenserver("4000", 4, "3000", 4, kib(4100), &report, NULL), 0);
    ck_assert_int_eq(report.source, NEED_XENSERVER);
    ck_assert_int_eq(report.need.v, 1100);
    ck_assert_int_eq(report_decode_xenserver("4000", 4, "9000", 4, kib(4100), &report, NULL), 0);
    ck_assert_int_eq(report.need.v, 0);
    ck_assert_int_eq(report_decode_xenserver("4000", 4, "", 0, kib(4100), &report, NULL), -1);
    ck_assert_int_eq(report_decode_xenserver("x", 1, "1", 1, kib(4100), &report, NULL), -1);
}
END_TEST

int main(void)
{
    return suite_run("report", (const TTest *const[]){
                                   a_report_is_read_field_by_field,
                                   what_is_encoded_reads_back_the_same,
                                   the_largest_report_fits,
                                   every_cut_and_every_changed_byte_is_refused_or_harmless,
                                   what_can_be_written_in_two_ways_is_refused,
                                   a_size_beyond_the_limit_and_too_long_a_text_are_refused,
                                   qubes_writes_one_number,
                                   xenserver_writes_two,
                                   NULL,
                               });
}
