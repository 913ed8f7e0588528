/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces: what is wrong in one is named with its line. Replays: what is counted is what a pencil
 * would count. */
#include <check.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "sim/replay.h"
#include "sim/replay_output.h"
#include "sim/replay_page.h"

#define HEAD "vm,timestamp_s,provisioned_kib,used_kib\n"
#define GIB  INT64_C(1048576)

static char folder[64], path[96], page_path[96];
static struct samples samples;
static struct err err;

static void make_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/xenmem-test-replay-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/trace.csv", folder);
    snprintf(page_path, sizeof(page_path), "%s/page.html", folder);
    samples = (struct samples){0};
}

static void remove_folder(void)
{
    samples_fini(&samples);
    unlink(path);
    unlink(page_path);
    rmdir(folder);
}

static void write_bytes(const void *bytes, size_t length)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static size_t pack(const char *text, uint8_t *out, size_t room)
{
    size_t length = 0;

    ck_assert_int_eq(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, (const uint8_t *)text,
                                             strlen(text), out, &length, room),
                     LZMA_OK);
    return length;
}

/* --- traces ---------------------------------------------------------------------------------- */

static const char two_vms[] = HEAD "a,0,2097152,100\na,300,2097152,200\n"
                                   "b,0,1048576,300\nb,300,1048576,400\n";

static void assert_two_vms(void)
{
    ck_assert_uint_eq(samples.n_vms, 2);
    ck_assert_uint_eq(samples.n_times, 2);
    ck_assert_int_eq(samples.interval_s, 300);
    ck_assert_str_eq(samples.vms[1].name, "b");
    ck_assert_int_eq(samples.vms[0].provisioned.v, 2 * GIB);
    ck_assert_int_eq(samples.used_kib[1], 200);
    ck_assert_int_eq(samples.used_kib[3], 400);
}

START_TEST(test_text_is_read)
{
    write_bytes(two_vms, strlen(two_vms));
    ck_assert_msg(samples_read(path, &samples, &err) == 0, "%s", err.text);
    assert_two_vms();
}
END_TEST

START_TEST(test_packed_text_is_read)
{
    uint8_t packed[1024];

    write_bytes(packed, pack(two_vms, packed, sizeof(packed)));
    ck_assert_msg(samples_read(path, &samples, &err) == 0, "%s", err.text);
    assert_two_vms();
}
END_TEST

START_TEST(test_packed_text_that_was_cut_off)
{
    uint8_t packed[1024];
    size_t length = pack(two_vms, packed, sizeof(packed));

    for (size_t cut = 6; cut < length; cut++) {
        write_bytes(packed, cut);
        ck_assert_int_eq(samples_read(path, &samples, &err), -1);
        ck_assert_int_eq(err.code, ERR_INVALID);
        ck_assert_ptr_nonnull(strstr(err.text, "the .xz ends too early"));
        ck_assert_uint_eq(samples.n_vms, 0);
    }
}
END_TEST

START_TEST(test_packed_text_that_is_damaged)
{
    uint8_t packed[1024];
    size_t length = pack(two_vms, packed, sizeof(packed));

    packed[length / 2] ^= 0xff;
    write_bytes(packed, length);
    ck_assert_int_eq(samples_read(path, &samples, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

static const struct wrong {
    const char *text, *line, *what;
} wrongs[] = {
    {"", ":1: ", "no line of column names"},
    {HEAD, ":2: ", "no samples"},
    {"vm,timestamp_s,used_kib\na,0,1\n", ":1: ", "no column provisioned_kib"},
    {"timestamp_s,provisioned_kib,used_kib\n0,9,1\n", ":1: ", "no column vm"},
    {HEAD "a,0,9\n", ":2: ", "not 4 columns"},
    {HEAD "a,0,9,1\na,300,9,x\n", ":3: ", "used_kib"},
    {HEAD "a,0,9,1\na,300,9,-1\n", ":3: ", "used_kib"},
    {HEAD "a,0,9,1\na,300,9,100000000000000000000\n", ":3: ", "used_kib"},
    {HEAD "a,0,9,1\na,300,100000000000000000000,1\n", ":3: ", "provisioned_kib"},
    {HEAD "a,0,9,1\na,1e3,9,1\n", ":3: ", "timestamp_s"},
    {HEAD "a,0,9,1\na,300,9,1\na,200,9,1\n", ":4: ", "time goes backwards: 200 after 300"},
    {HEAD "a,0,9,1\na,300,9,1\na,900,9,1\n", ":4: ", "a gap: 900 where 600 is due"},
    {HEAD "a,0,9,1\na,300,9,1\nb,300,9,1\n", ":4: ", "a gap: VM b begins at 300"},
    {HEAD "a,0,9,1\na,300,9,1\nb,0,9,1\n", ":5: ", "VM b ends after 1 samples"},
    {HEAD "a,0,9,1\na,300,9,1\nb,0,9,1\nb,300,9,1\nb,600,9,1\n", ":6: ", "more samples of VM b"},
    {HEAD "a,0,9,1\na,300,9,1\nb,0,9,1\nb,300,9,1\na,0,9,1\n", ":6: ", "VM a was there already"},
    {HEAD "a,0,9,1\na,300,8,1\n", ":3: ", "provisioned_kib of VM a was 9 and is 8"},
    {HEAD "a,0,9,1\n", ":3: ", "but one sample"},
};

START_TEST(test_wrong_line_is_named)
{
    const struct wrong *wrong = &wrongs[_i];

    write_bytes(wrong->text, strlen(wrong->text));
    ck_assert_int_eq(samples_read(path, &samples, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strstr(err.text, wrong->line) && strstr(err.text, wrong->what), "%s", err.text);
    ck_assert_uint_eq(samples.n_vms, 0);
}
END_TEST

/* --- replays --------------------------------------------------------------------------------- */

static const struct replay_options usual = {.density_permille = 1000, .rate_mib = 16};

static void read_text(const char *text)
{
    write_bytes(text, strlen(text));
    ck_assert_msg(samples_read(path, &samples, &err) == 0, "%s", err.text);
}

static struct replay_result run(const struct replay_options *options, enum replay_policy policy)
{
    struct replay_result result;

    ck_assert_msg(replay_run(&samples, options, policy, NULL, NULL, &result, &err) == 0, "%s",
                  err.text);
    ck_assert_uint_eq(result.invariant_violations, 0);
    return result;
}

/* 10,000 MiB on a host as large, of which it may have 9,900: what it needs beyond is unmet. */
START_TEST(test_static_by_pencil)
{
    struct replay_result result;

    read_text(HEAD "a,0,10240000,0\na,10,10240000,10240000\n");
    result = run(&usual, REPLAY_STATIC);
    ck_assert_double_eq_tol(replay_unmet_part(&result), 0.01, 1e-6);
    ck_assert_double_eq_tol(result.worst_vm, 0.01, 1e-6);
    ck_assert_double_eq_tol(result.moved_kib, 0, 1e-9);
    replay_result_fini(&result);
}
END_TEST

/* The need rises to the half of the way between two samples after half of the time. */
START_TEST(test_need_on_a_line)
{
    struct replay_options options = usual;
    struct replay_result held, linear;

    read_text(HEAD "a,0,10240000,0\na,20,10240000,1024000\n");
    held = run(&options, REPLAY_STATIC);
    options.linear = true;
    linear = run(&options, REPLAY_STATIC);
    ck_assert_double_eq_tol(held.need_kib_s, 2 * 1024000.0 * 10, 1);
    ck_assert_double_eq_tol(linear.need_kib_s, 2.5 * 1024000.0 * 10, 1);
    replay_result_fini(&held);
    replay_result_fini(&linear);
}
END_TEST

/* Two equal VMs that both began with half of it; one falls idle and the other needs nearly all that
 * it may have: it gets it, at the speed of two balloons, and squeezed's formula never gives it. */
static const char one_rises[] =
    HEAD "a,0,4194304,1048576\na,600,4194304,3670016\na,1200,4194304,3670016\n"
         "b,0,4194304,1048576\nb,600,4194304,524288\nb,1200,4194304,524288\n";

START_TEST(test_memory_follows_need)
{
    struct replay_options options = usual;
    struct replay_result xenmem, proportional;

    options.density_permille = 1500;
    read_text(one_rises);
    xenmem = run(&options, REPLAY_XENMEM);
    proportional = run(&options, REPLAY_PROPORTIONAL);
    ck_assert_double_gt(xenmem.unmet_kib_s, 0); /* a balloon takes its time */
    ck_assert_double_lt(xenmem.unmet_kib_s, proportional.unmet_kib_s / 5);
    ck_assert_uint_eq(xenmem.minimum_violations, 0);
    ck_assert_uint_gt(xenmem.changes, 0);
    replay_result_fini(&xenmem);
    replay_result_fini(&proportional);
}
END_TEST

START_TEST(test_faster_balloons_leave_less_unmet)
{
    struct replay_options options = usual;
    struct replay_result slow, fast;

    options.density_permille = 1500;
    read_text(one_rises);
    slow = run(&options, REPLAY_XENMEM);
    options.rate_mib = 256;
    fast = run(&options, REPLAY_XENMEM);
    ck_assert_double_lt(fast.unmet_kib_s, slow.unmet_kib_s / 2);
    replay_result_fini(&slow);
    replay_result_fini(&fast);
}
END_TEST

/* A host each: what one VM leaves cannot help the other. */
START_TEST(test_hosts_are_apart)
{
    struct replay_options options = usual;
    struct replay_result together, apart;

    options.density_permille = 1500;
    read_text(one_rises);
    together = run(&options, REPLAY_XENMEM);
    options.group = 1;
    apart = run(&options, REPLAY_XENMEM);
    ck_assert_double_gt(apart.unmet_kib_s, together.unmet_kib_s);
    replay_result_fini(&together);
    replay_result_fini(&apart);
}
END_TEST

/* The smaller minimum is 256 MiB, and nobody begins below it, however small the host. */
START_TEST(test_nobody_begins_below_the_minimum)
{
    struct replay_options options = usual;
    struct replay_result result;

    options.density_permille = 2000;
    read_text(HEAD "a,0,524288,1\na,300,524288,1\nb,0,8388608,1\nb,300,8388608,1\n");
    result = run(&options, REPLAY_XENMEM);
    ck_assert_uint_eq(result.minimum_violations, 0);
    replay_result_fini(&result);
}
END_TEST

START_TEST(test_page_is_whole_and_names_are_text)
{
    struct replay_result result;
    const struct replay_page page_of = {page_path, "<b>", "A test.", &samples, &result, 1};
    char text[200000];
    FILE *page;
    size_t n;

    read_text(HEAD "<b>,0,1048576,1024\n<b>,300,1048576,1024\n");
    result = run(&usual, REPLAY_XENMEM);
    ck_assert_msg(replay_write_page(&page_of, &err) == 0, "%s", err.text);
    page = fopen(page_path, "r");
    ck_assert_ptr_nonnull(page);
    n = fread(text, 1, sizeof(text) - 1, page);
    fclose(page);
    text[n] = '\0';
    ck_assert_ptr_nonnull(strstr(text, "</svg>"));
    ck_assert_ptr_nonnull(strstr(text, "</html>"));
    ck_assert_ptr_null(strstr(text, "<b>"));
    ck_assert_ptr_null(strstr(text, "http"));
    replay_result_fini(&result);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *traces = tcase_create("traces");
    TCase *replays = tcase_create("replays");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(traces, make_folder, remove_folder);
    tcase_add_test(traces, test_text_is_read);
    tcase_add_test(traces, test_packed_text_is_read);
    tcase_add_test(traces, test_packed_text_that_was_cut_off);
    tcase_add_test(traces, test_packed_text_that_is_damaged);
    tcase_add_loop_test(traces, test_wrong_line_is_named, 0,
                        (int)(sizeof(wrongs) / sizeof(*wrongs)));
    suite_add_tcase(suite, traces);
    tcase_add_checked_fixture(replays, make_folder, remove_folder);
    tcase_add_test(replays, test_static_by_pencil);
    tcase_add_test(replays, test_need_on_a_line);
    tcase_add_test(replays, test_memory_follows_need);
    tcase_add_test(replays, test_faster_balloons_leave_less_unmet);
    tcase_add_test(replays, test_hosts_are_apart);
    tcase_add_test(replays, test_nobody_begins_below_the_minimum);
    tcase_add_test(replays, test_page_is_whole_and_names_are_text);
    suite_add_tcase(suite, replays);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
