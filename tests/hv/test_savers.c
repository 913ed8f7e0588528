/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is being saved, as processes tell it; the processes are files of a folder of the test. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "hv/savers.h"

static char proc[64];
static struct savers savers;

static void setup(void)
{
    strcpy(proc, "/tmp/xenmem-test-savers-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(proc));
    savers = (struct savers){.proc = proc};
}

static void tear_down(void)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -r %s", proc);
    ck_assert_int_eq(system(command), 0);
}

static void put(int pid, const char *name, const char *bytes, size_t length)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%d/%s", proc, pid, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

/* words: of its command line, each ended by a '|'. */
static void run_process(int pid, const char *name, const char *words)
{
    char path[128], text[256];
    size_t length = strlen(words);

    snprintf(path, sizeof(path), "%s/%d", proc, pid);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    put(pid, "comm", name, strlen(name));
    for (size_t i = 0; i < length; i++)
        text[i] = words[i];
    for (size_t i = 0; i < length; i++)
        if (text[i] == '|')
            text[i] = '\0';
    put(pid, "cmdline", text, length);
}

static void run_saver(int pid, int domid)
{
    char words[96];

    snprintf(words, sizeof(words), "libxl-save-helper|--save-domain|12|-1|%d|0|", domid);
    run_process(pid, "libxl-save-help\n", words);
}

static void assert_check(uint32_t domid, int64_t now_ms, enum err_code code)
{
    struct err err = {0};
    int rc = savers_check(&savers, domid, now_ms, &err);

    ck_assert_int_eq(rc, code ? -1 : 0);
    ck_assert_int_eq(err.code, code);
}

START_TEST(who_is_saved_is_not_written_and_the_others_are)
{
    run_process(1, "init\n", "init|");
    run_saver(70, 7);
    run_process(71, "libxl-save-help\n", "libxl-save-helper|--restore-domain|12|-1|8|0|");
    assert_check(7, 1000, ERR_NOT_FOUND);
    assert_check(8, 1000, 0);
    assert_check(12, 1000, 0);
}
END_TEST

START_TEST(what_was_seen_a_moment_ago_is_not_asked_again)
{
    assert_check(7, 1000, 0);
    run_saver(70, 7);
    assert_check(7, 1000 + SAVERS_FRESH_MS - 1, 0);
    assert_check(7, 1000 + SAVERS_FRESH_MS, ERR_NOT_FOUND);
}
END_TEST

/* Nobody is seen to be saved then, which is not the same as that nobody is. */
START_TEST(where_processes_cannot_be_seen_nobody_is_written)
{
    assert_check(7, 1000, 0);
    savers.proc = "/nowhere";
    assert_check(7, 2000, ERR_BUSY);
    assert_check(7, 2001, ERR_BUSY);
    savers.proc = proc;
    assert_check(7, 2002, 0);
}
END_TEST

START_TEST(one_that_cannot_be_read_may_be_a_saver_and_one_that_ended_is_nothing)
{
    char path[128];

    run_process(70, "libxl-save-help\n", "");
    snprintf(path, sizeof(path), "%s/71", proc);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    assert_check(7, 1000, 0);
    snprintf(path, sizeof(path), "%s/71/comm", proc);
    ck_assert_int_eq(symlink("comm", path), 0);
    assert_check(7, 2000, ERR_BUSY);
}
END_TEST

START_TEST(more_of_them_than_can_be_remembered_are_as_good_as_unseen)
{
    for (int i = 0; i <= SAVERS_MAX; i++)
        run_saver(100 + i, 1 + i);
    assert_check(1000, 1000, ERR_BUSY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("savers");
    TCase *tests = tcase_create("savers");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, tear_down);
    tcase_add_test(tests, who_is_saved_is_not_written_and_the_others_are);
    tcase_add_test(tests, what_was_seen_a_moment_ago_is_not_asked_again);
    tcase_add_test(tests, where_processes_cannot_be_seen_nobody_is_written);
    tcase_add_test(tests, one_that_cannot_be_read_may_be_a_saver_and_one_that_ended_is_nothing);
    tcase_add_test(tests, more_of_them_than_can_be_remembered_are_as_good_as_unseen);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
