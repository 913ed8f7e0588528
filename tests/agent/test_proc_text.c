/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's texts: of several kernels, and as no kernel should write them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/proc_text.h"
#include "base/err.h"

/* A copy of exactly that size, so that a sanitizer sees a read behind its end. */
static int parse(const char *text, size_t length, struct meminfo *out)
{
    char *exact = malloc(length > 0 ? length : 1);
    struct err err;
    int rc;

    memcpy(exact, text, length);
    rc = proc_text_meminfo(exact, length, out, &err);
    free(exact);
    return rc;
}

static int parse_text(const char *text, struct meminfo *out)
{
    return parse(text, strlen(text), out);
}

static size_t saved_text(const char *name, char *buf, size_t room)
{
    const char *source = getenv("XENMEM_SRC");
    char path[4096];
    size_t length;
    FILE *file;

    snprintf(path, sizeof(path), "%s/tests/agent/texts/%s", source ? source : ".", name);
    file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    length = fread(buf, 1, room, file);
    fclose(file);
    return length;
}

static struct meminfo parse_saved(const char *name)
{
    char text[8192];
    size_t length = saved_text(name, text, sizeof(text));
    struct meminfo info;

    ck_assert_int_eq(parse(text, length, &info), 0);
    return info;
}

START_TEST(linux_6_1_of_a_small_guest)
{
    struct meminfo info = parse_saved("meminfo-6.1");

    ck_assert_int_eq(info.total.v, 229444);
    ck_assert_int_eq(info.free.v, 173808);
    ck_assert_int_eq(info.available.v, 180220);
    ck_assert_int_eq(info.cached.v, 22188);
    ck_assert_int_eq(info.shmem.v, 404);
    ck_assert_int_eq(info.anonymous.v, 4192);
    ck_assert_int_eq(info.unevictable.v, 21784);
    ck_assert_int_eq(info.reclaimable.v, 5660);
    ck_assert_int_eq(info.unreclaimable.v, 9956);
    ck_assert_int_eq(info.kernel_stack.v, 864);
    ck_assert_int_eq(info.page_tables.v, 356);
    ck_assert_int_eq(info.per_cpu.v, 68);
}
END_TEST

START_TEST(linux_6_18_with_swap_in_use)
{
    struct meminfo info = parse_saved("meminfo-6.18");

    ck_assert_int_eq(info.total.v, 8123456);
    ck_assert_int_eq(info.available.v, 3190544);
    ck_assert_int_eq(info.swap_total.v, 2097148);
    ck_assert_int_eq(info.swap_free.v, 1572860);
    ck_assert_int_eq(info.second_page_tables.v, 1024);
    /* SwapCached is not Cached. */
    ck_assert_int_eq(info.cached.v, 3054264);
}
END_TEST

START_TEST(linux_4_19_with_huge_pages)
{
    struct meminfo info = parse_saved("meminfo-4.19");

    ck_assert_int_eq(info.huge.v, 32768);
    ck_assert_int_eq(info.second_page_tables.v, 0);
    ck_assert_int_eq(info.available.v, 288420);
}
END_TEST

START_TEST(linux_2_6_32_does_not_say_what_is_available)
{
    struct meminfo info = parse_saved("meminfo-2.6.32");

    ck_assert_int_eq(info.available.v, 214580 + (178432 + 1012344 - 2344 + 118656) / 2);
    ck_assert_int_eq(info.per_cpu.v, 0);
}
END_TEST

START_TEST(a_text_cut_anywhere_harms_nothing)
{
    char text[8192];
    size_t length = saved_text("meminfo-6.1", text, sizeof(text));
    struct meminfo info;

    for (size_t cut = 0; cut <= length; cut++) {
        if (parse(text, cut, &info))
            continue;
        /* A number is taken whole or not at all. */
        ck_assert_int_eq(info.total.v, 229444);
        ck_assert(info.cached.v == 0 || info.cached.v == 22188);
        ck_assert_int_le(info.available.v, info.total.v);
    }
}
END_TEST

START_TEST(without_the_total_there_is_nothing_to_say)
{
    struct meminfo info = {.total = kib(7)};

    ck_assert_int_eq(parse_text("", &info), -1);
    ck_assert_int_eq(parse_text("\n\n\n", &info), -1);
    ck_assert_int_eq(parse_text("MemFree: 1 kB\nMemAvailable: 1 kB\n", &info), -1);
    ck_assert_int_eq(parse_text("MemTotal: 1 kB\n", &info), -1);
    ck_assert_int_eq(parse_text("MemTotal: 1 kB\nMemFree: 1 kB", &info), -1);
    ck_assert_int_eq(info.total.v, 7);
}
END_TEST

START_TEST(a_figure_that_is_none_counts_as_not_said)
{
    static const char *const bad[] = {"-5 kB",
                                      "18446744073709551615 kB",
                                      "99999999999999999999999 kB",
                                      "1099511627777 kB",
                                      "12",
                                      "12 MB",
                                      "12 kB more",
                                      "12  kB",
                                      "twelve kB",
                                      "1 2 kB",
                                      "+12 kB",
                                      "0x12 kB",
                                      "",
                                      " kB"};
    struct meminfo info;
    char text[256];

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        snprintf(text, sizeof(text), "MemTotal: 100 kB\nMemFree: 50 kB\nSwapTotal: %s\n", bad[i]);
        ck_assert_int_eq(parse_text(text, &info), 0);
        ck_assert_msg(info.swap_total.v == 0, "%s", bad[i]);
        snprintf(text, sizeof(text), "MemTotal: %s\nMemFree: 50 kB\n", bad[i]);
        ck_assert_msg(parse_text(text, &info) == -1, "%s", bad[i]);
    }
}
END_TEST

START_TEST(the_largest_size_is_taken)
{
    struct meminfo info;

    ck_assert_int_eq(
        parse_text("MemTotal: 1099511627776 kB\nMemAvailable: 1099511627776 kB\n", &info), 0);
    ck_assert_int_eq(info.total.v, KIB_LIMIT);
    ck_assert_int_eq(info.available.v, KIB_LIMIT);
}
END_TEST

START_TEST(no_more_is_available_than_there_is)
{
    struct meminfo info;

    ck_assert_int_eq(parse_text("MemTotal: 100 kB\nMemAvailable: 200 kB\n", &info), 0);
    ck_assert_int_eq(info.available.v, 100);
    ck_assert_int_eq(parse_text("MemTotal: 100 kB\nMemFree: 90 kB\nCached: 90 kB\n", &info), 0);
    ck_assert_int_eq(info.available.v, 100);
}
END_TEST

START_TEST(the_first_of_two_counts)
{
    struct meminfo info;

    ck_assert_int_eq(parse_text("MemTotal: 100 kB\nMemTotal: 7 kB\nMemFree: 1 kB\n", &info), 0);
    ck_assert_int_eq(info.total.v, 100);
}
END_TEST

START_TEST(binary_is_passed_over)
{
    static const char text[] = "\0\xff\x1b\n\0\0\0MemTotal: 5 kB\nMemTotal: 100 kB\n\x80MemFree\n"
                               "MemFree: 1 kB\nCached: 1\0 kB\n";
    struct meminfo info;

    ck_assert_int_eq(parse(text, sizeof(text) - 1, &info), 0);
    ck_assert_int_eq(info.total.v, 100);
    ck_assert_int_eq(info.cached.v, 0);
}
END_TEST

static struct pressure pressure_of(const char *text)
{
    struct pressure pressure = {-1, -1};

    proc_text_pressure(text, strlen(text), &pressure);
    return pressure;
}

START_TEST(pressure_in_hundredths)
{
    struct pressure pressure = pressure_of("some avg10=12.05 avg60=3.10 avg300=0.77 total=123456\n"
                                           "full avg10=0.50 avg60=0.00 avg300=0.00 total=654\n");

    ck_assert_int_eq(pressure.some, 1205);
    ck_assert_int_eq(pressure.full, 50);
    pressure = pressure_of("some avg10=100.00 avg60=0.00 avg300=0.00 total=0\n");
    ck_assert_int_eq(pressure.some, 10000);
    ck_assert_int_eq(pressure.full, 0);
}
END_TEST

START_TEST(pressure_that_is_none)
{
    static const char *const bad[] = {"",
                                      "some\n",
                                      "some avg10=\n",
                                      "some avg10=1\n",
                                      "some avg10=1.2 \n",
                                      "some avg10=1.234 \n",
                                      "some avg10=-1.00 \n",
                                      "some avg10=101.00 \n",
                                      "some avg10=1.00",
                                      "some avg10=1.x0 \n",
                                      "some avg60=1.00 \n",
                                      "somewhat avg10=1.00 \n",
                                      "some avg10=1.00\n"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_assert_msg(pressure_of(bad[i]).some == 0, "%s", bad[i]);
    ck_assert_int_eq(pressure_of("some avg10=100.99 \n").some, 10000);
}
END_TEST

START_TEST(counters_by_their_whole_names)
{
    static const char text[] = "nr_free_pages 100\npswpin 11\npswpout 22\noom_kill_disable 9\n"
                               "oom_kill 3\nswap_ra 4\n";
    static const char bad[] = "pswpin -1\npswpout 1 2\noom_kill\noom_kill 99999999999999999999\n";
    struct vmstat counters;

    proc_text_vmstat(text, sizeof(text) - 1, &counters);
    ck_assert_uint_eq(counters.oom_kills, 3);
    ck_assert_uint_eq(counters.swapped_in, 11);
    ck_assert_uint_eq(counters.swapped_out, 22);
    proc_text_vmstat(bad, sizeof(bad) - 1, &counters);
    ck_assert_uint_eq(counters.oom_kills, 0);
    ck_assert_uint_eq(counters.swapped_in, 0);
    ck_assert_uint_eq(counters.swapped_out, 0);
}
END_TEST

START_TEST(what_the_balloon_driver_says)
{
    struct kib held = kib(7);

    ck_assert(proc_text_kib("262144\n", 7, &held));
    ck_assert_int_eq(held.v, 262144);
    ck_assert(!proc_text_kib("262144", 6, &held));
    ck_assert(!proc_text_kib("262144 kB\n", 10, &held));
    ck_assert(!proc_text_kib("-1\n", 3, &held));
    ck_assert(!proc_text_kib("1\n2\n", 4, &held));
    ck_assert(!proc_text_kib("\n", 1, &held));
    ck_assert(!proc_text_kib("", 0, &held));
    ck_assert_int_eq(held.v, 262144);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proc_text");
    TCase *tests = tcase_create("proc_text");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, linux_6_1_of_a_small_guest);
    tcase_add_test(tests, linux_6_18_with_swap_in_use);
    tcase_add_test(tests, linux_4_19_with_huge_pages);
    tcase_add_test(tests, linux_2_6_32_does_not_say_what_is_available);
    tcase_add_test(tests, a_text_cut_anywhere_harms_nothing);
    tcase_add_test(tests, without_the_total_there_is_nothing_to_say);
    tcase_add_test(tests, a_figure_that_is_none_counts_as_not_said);
    tcase_add_test(tests, the_largest_size_is_taken);
    tcase_add_test(tests, no_more_is_available_than_there_is);
    tcase_add_test(tests, the_first_of_two_counts);
    tcase_add_test(tests, binary_is_passed_over);
    tcase_add_test(tests, pressure_in_hundredths);
    tcase_add_test(tests, pressure_that_is_none);
    tcase_add_test(tests, counters_by_their_whole_names);
    tcase_add_test(tests, what_the_balloon_driver_says);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
