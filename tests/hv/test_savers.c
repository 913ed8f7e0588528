/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is being saved, as processes tell it; the processes are files of a folder of the test. */
#include <check.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "hv/savers.h"

static char proc[64];
static struct savers savers;
static int kernel; /* the other end of its news, where it has some */

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
    if (!savers.has_news)
        return;
    close(savers.news);
    close(kernel);
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

/* --- with the kernel's news of programs that begin -------------------------------------------- */

static void begin_news(void)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    kernel = ends[0];
    savers.news = ends[1];
    savers.has_news = true;
    assert_check(7, 1000, 0); /* all that was there before */
}

static void tell(const struct proc_event *event)
{
    char message[NLMSG_SPACE(sizeof(struct cn_msg) + sizeof(*event))] = {0};

    memcpy(message + NLMSG_HDRLEN + sizeof(struct cn_msg), event, sizeof(*event));
    ck_assert_int_eq(send(kernel, message, sizeof(message), 0), (ssize_t)sizeof(message));
}

static void tell_began(int pid)
{
    struct proc_event event = {.what = PROC_EVENT_EXEC};

    event.event_data.exec.process_pid = event.event_data.exec.process_tgid = pid;
    tell(&event);
}

/* As the kernel does while a process names itself. */
static void tell_named(int pid)
{
    struct proc_event event = {.what = PROC_EVENT_COMM};

    event.event_data.comm.process_pid = event.event_data.comm.process_tgid = pid;
    tell(&event);
}

START_TEST(news_of_a_saver_have_it_looked_for)
{
    begin_news();
    run_process(69, "sh\n", "sh|");
    run_saver(70, 7);
    tell_began(69);
    tell_began(70);
    tell_named(getpid());
    assert_check(7, 1000 + SAVERS_FRESH_MS, ERR_NOT_FOUND);
    /* Whoever is being saved is looked for as without news. */
    run_saver(71, 8);
    tell_named(getpid());
    assert_check(8, 1000 + 2 * SAVERS_FRESH_MS, ERR_NOT_FOUND);
}
END_TEST

/* Else the test before would show nothing. */
START_TEST(with_news_of_others_processes_are_looked_at_now_and_then_only)
{
    begin_news();
    run_process(69, "sh\n", "sh|");
    run_saver(70, 7); /* nobody tells */
    tell_began(69);
    tell_began(4711); /* has ended */
    tell_named(getpid());
    assert_check(7, 1000 + SAVERS_NEWS_MS - 1, 0);
    tell_named(getpid());
    assert_check(7, 1000 + SAVERS_NEWS_MS, ERR_NOT_FOUND);
}
END_TEST

START_TEST(news_that_do_not_reach_to_now_are_not_relied_on)
{
    begin_news();
    run_saver(70, 7);
    run_process(69, "sh\n", "sh|");
    tell_began(69);
    tell_named(getpid() + 1);
    assert_check(7, 1000 + SAVERS_FRESH_MS, ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_process_that_cannot_be_looked_at_may_be_a_saver)
{
    char path[128];

    begin_news();
    snprintf(path, sizeof(path), "%s/71", proc);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/71/comm", proc);
    ck_assert_int_eq(symlink("comm", path), 0);
    tell_began(71);
    tell_named(getpid());
    assert_check(7, 1000 + SAVERS_FRESH_MS, ERR_BUSY);
}
END_TEST

START_TEST(news_cut_short_are_no_news)
{
    begin_news();
    run_saver(70, 7);
    for (size_t length = 1; length < NLMSG_SPACE(sizeof(struct cn_msg)) + 32; length++) {
        char message[256] = {0};

        ck_assert_int_eq(send(kernel, message, length, 0), (ssize_t)length);
    }
    assert_check(7, 1000 + SAVERS_FRESH_MS, ERR_NOT_FOUND);
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
    tcase_add_test(tests, news_of_a_saver_have_it_looked_for);
    tcase_add_test(tests, with_news_of_others_processes_are_looked_at_now_and_then_only);
    tcase_add_test(tests, news_that_do_not_reach_to_now_are_not_relied_on);
    tcase_add_test(tests, a_process_that_cannot_be_looked_at_may_be_a_saver);
    tcase_add_test(tests, news_cut_short_are_no_news);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
