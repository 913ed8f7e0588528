/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One hook as a process: what it is given, what it does not inherit, and who it is. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/hooks/hook_process.h"
#include "proto/records.h"

#define WAIT_MS 20000

static char path[64];
static char output[8192];

static void make(void)
{
    strcpy(path, "/tmp/xenmem-test-hook-XXXXXX");
    close(mkstemp(path));
    ck_assert_int_eq(chmod(path, 0755), 0);
}

static void unmake(void)
{
    unlink(path);
}

static void write_hook(const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fprintf(file, "#!/bin/sh\n%s\n", text);
    ck_assert_int_eq(fclose(file), 0);
}

static const struct proto_event event = {.id = 41,
                                         .time_ms = 1700000000123,
                                         .kind = "vm-low",
                                         .vm = "web \"1\"",
                                         .domid = 7,
                                         .uid = -1,
                                         .detail = "a=1 b=2"};

static int start(const char *user, pid_t *pid, int *fd, struct err *err)
{
    const char *input = "{\"event\":\"vm-low\"}\n";
    const struct hook_start wanted = {.path = path,
                                      .event = &event,
                                      .input = input,
                                      .length = strlen(input),
                                      .user = user,
                                      .socket = "/run/here"};

    return hook_process_start(&wanted, pid, fd, err);
}

/* Runs it to its end. Returns its status; output has what it wrote. */
static int run(const char *user)
{
    size_t length = 0;
    struct err err;
    ssize_t got;
    int fd, status;
    pid_t pid;

    ck_assert_msg(start(user, &pid, &fd, &err) == 0, "%s", err.text);
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        ck_assert_int_eq(poll(&ready, 1, WAIT_MS), 1);
        got = read(fd, output + length, sizeof(output) - 1 - length);
        ck_assert(got >= 0);
        if (got == 0)
            break;
        length += (size_t)got;
    }
    output[length] = '\0';
    close(fd);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

START_TEST(it_is_given_the_event_three_times)
{
    write_hook("echo \"$#:$1\"; cat; env | sort");
    ck_assert_int_eq(run(""), 0);
    ck_assert_msg(strncmp(output, "1:vm-low\n{\"event\":\"vm-low\"}\n", 28) == 0, "%s", output);
    for (const char *const *line =
             (const char *const[]){"XENMEM_EVENT=vm-low\n", "XENMEM_ID=41\n",
                                   "XENMEM_TIME_MS=1700000000123\n", "XENMEM_VM=web \"1\"\n",
                                   "XENMEM_DOMID=7\n", "XENMEM_UID=\n", "XENMEM_REASON=\n",
                                   "XENMEM_DETAIL=a=1 b=2\n", "XENMEM_SOCKET=/run/here\n", NULL};
         *line; line++)
        ck_assert_msg(strstr(output, *line) != NULL, "no %s in %s", *line, output);
}
END_TEST

START_TEST(it_inherits_nothing)
{
    int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    const char *ignored;
    sigset_t blocked;

    ck_assert_int_ge(fd, 3);
    setenv("SECRET", "leaked", 1);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    write_hook(
        "env; pwd; ls /proc/self/fd | tr '\\n' ' '; grep -E 'Sig(Blk|Ign)' /proc/self/status;"
        " cat /proc/self/oom_score_adj");
    ck_assert_int_eq(run(""), 0);
    ck_assert_ptr_null(strstr(output, "SECRET"));
    ck_assert_ptr_null(strstr(output, "HOME"));
    /* ls has the folder open as well. Signals are looked at in a program that the shell runs: the
     * shell itself blocks them for a moment while it starts one. */
    ck_assert_msg(strstr(output, "\n/\n0 1 2 3 ") != NULL, "%s", output);
    ck_assert_msg(strstr(output, "SigBlk:\t0000000000000000\n") != NULL, "%s", output);
    ck_assert_msg(strstr(output, "\n0\n") != NULL, "%s", output);
    ignored = strstr(output, "SigIgn:\t");
    ck_assert_ptr_nonnull(ignored);
    ck_assert_uint_eq(strtoull(ignored + 8, NULL, 16) & (1u << (SIGPIPE - 1)), 0);
    close(fd);
}
END_TEST

START_TEST(it_leads_a_group_of_its_own)
{
    char text[32];
    struct err err;
    int fd, status;
    pid_t pid;

    write_hook("exec sleep 1000");
    ck_assert_int_eq(start("", &pid, &fd, &err), 0);
    ck_assert_int_eq(getpgid(pid), pid);
    ck_assert_int_eq(kill(-pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ck_assert_int_eq(read(fd, text, sizeof(text)), 0);
    close(fd);
}
END_TEST

START_TEST(its_user_is_the_one_that_was_named)
{
    struct err err;
    pid_t pid;
    int fd;

    write_hook("id -u; id -G; grep CapEff /proc/self/status");
    ck_assert_int_eq(start("nobody-of-that-name", &pid, &fd, &err), -1);
    ck_assert_str_eq(err.text, "there is no user 'nobody-of-that-name'");
    if (geteuid() != 0) /* who is not root can be nobody else */
        return;
    ck_assert_int_eq(run("nobody"), 0);
    ck_assert_msg(strncmp(output, "65534\n65534\nCapEff:\t0000000000000000\n", 38) == 0, "%s",
                  output);
}
END_TEST

START_TEST(what_cannot_be_run_says_so)
{
    int status;

    ck_assert_int_eq(unlink(path), 0);
    status = run("");
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 127);
    make();
    status = run(""); /* an empty file is no program */
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 126);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hook process");
    TCase *tests = tcase_create("hook process");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make, unmake);
    tcase_add_test(tests, it_is_given_the_event_three_times);
    tcase_add_test(tests, it_inherits_nothing);
    tcase_add_test(tests, it_leads_a_group_of_its_own);
    tcase_add_test(tests, its_user_is_the_one_that_was_named);
    tcase_add_test(tests, what_cannot_be_run_says_so);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
