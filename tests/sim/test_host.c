/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenmem-sim as it is: a process of its own, watched over its socket, ill-treated, stopped. */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "hv/hv.h"
#include "hv/sim/demand.h"
#include "hv/sim/sim.h"

#define LIMIT_S 60 /* for anything to become true */

static char program[4096], folder[64], scenario[96], output[96];
static char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
static pid_t host;
static struct err err;

static void nap(void)
{
    const struct timespec pause = {.tv_nsec = 20000000};

    nanosleep(&pause, NULL);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void write_scenario(const char *text)
{
    FILE *file = fopen(scenario, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* Starts the program with up to six words; its output goes to a file. */
static pid_t start(const char *a, const char *b, const char *c, const char *d, const char *e)
{
    char *const argv[] = {program, (char *)a, (char *)b, (char *)c, (char *)d, (char *)e, NULL};
    pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execv(program, argv);
        _exit(127);
    }
    return pid;
}

static int exit_code_of(pid_t pid)
{
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* What the program that ran last wrote. */
static const char *said(void)
{
    static char text[8192];
    FILE *file = fopen(output, "r");
    size_t length = 0;

    if (file) {
        length = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
    }
    text[length] = '\0';
    return text;
}

static int xl(const char *command, const char *a, const char *b)
{
    return exit_code_of(start("xl", scenario, command, a, b));
}

/* The host is started anew, and answers. */
static struct hv *start_host(void)
{
    char backend[sizeof(socket_path) + 8];
    struct hv *hv = NULL;

    host = start("host", scenario, NULL, NULL, NULL);
    ck_assert_msg(sim_socket_path(scenario, socket_path, sizeof(socket_path), &err) == 0, "%s",
                  err.text);
    snprintf(backend, sizeof(backend), "sim:%s", socket_path);
    for (int64_t end_ms = now_ms() + LIMIT_S * 1000; hv_open(backend, &hv, &err);) {
        if (now_ms() > end_ms || waitpid(host, NULL, WNOHANG) == host)
            ck_abort_msg("the host does not start: %s: %s", err.text, said());
        nap();
    }
    return hv;
}

static void begin(void)
{
    snprintf(program, sizeof(program), "%s/sim/xenmem-sim", getenv("XENMEM_BUILD"));
    snprintf(folder, sizeof(folder), "/tmp/xenmem-test-sim-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(scenario, sizeof(scenario), "%s/a.scenario", folder);
    snprintf(output, sizeof(output), "%s/output", folder);
    write_scenario("[host]\nsize = 8g\n"
                   "[vm web1]\nmemory = 1g\nmaxmem = 2g\ndemand = 300m\n"
                   "[vm db1]\ntype = pvh\nmemory = 1g\nstart = off\n");
}

static void end(void)
{
    if (host > 0) {
        kill(host, SIGCONT);
        kill(host, SIGTERM);
        waitpid(host, NULL, 0);
    }
    host = 0;
    unlink(scenario);
    unlink(output);
    rmdir(folder);
}

static const struct hv_domain *find(const struct hv_view *view, const char *name)
{
    for (size_t i = 0; i < view->n_domains; i++)
        if (strcmp(view->domains[i].name, name) == 0)
            return &view->domains[i];
    return NULL;
}

/* Looks until that domain has so much, or is gone (−1). */
static void wait_for(struct hv *hv, const char *name, struct kib assigned)
{
    int64_t end_ms = now_ms() + LIMIT_S * 1000;

    for (;;) {
        const struct hv_domain *domain;
        struct hv_view view;

        ck_assert_msg(hv_read(hv, now_ms(), &view, &err) == 0, "%s", err.text);
        domain = find(&view, name);
        if (domain ? domain->assigned.v == assigned.v : assigned.v < 0)
            return;
        ck_assert_msg(now_ms() < end_ms, "%s never had %lld KiB", name, (long long)assigned.v);
        nap();
    }
}

/* One look at web1. */
static struct hv_domain web1_of(struct hv *hv)
{
    const struct hv_domain *domain;
    struct hv_view view;

    ck_assert_msg(hv_read(hv, now_ms(), &view, &err) == 0, "%s", err.text);
    domain = find(&view, "web1");
    if (!domain)
        ck_abort_msg("web1 is gone");
    return *domain;
}

START_TEST(a_host_is_watched_and_written_to)
{
    struct hv *hv = start_host();
    struct hv_ref ref = web1_of(hv).ref;

    ck_assert_str_eq(hv_kind(hv), "simulated");
    wait_for(hv, "web1", kib_gib(1));
    ck_assert_int_eq(hv_set_target(hv, &ref, kib_mib(512), kib_mib(513), &err), 0);
    wait_for(hv, "web1", kib_mib(512));
    ck_assert_int_eq(web1_of(hv).own_target.v, kib_mib(512).v);
    ck_assert_int_eq(hv_set_cap(hv, &ref, kib_mib(600), &err), 0);
    ck_assert_int_eq(web1_of(hv).cap.v, kib_mib(600).v);
    ck_assert_int_eq(xl("mem-set", "web1", "550m"), 0);
    ck_assert_int_eq(web1_of(hv).own_target.v, kib_mib(512).v);
    ck_assert_int_eq(hv_adopt_target(hv, &ref, &err), 0);
    ck_assert_int_eq(web1_of(hv).own_target.v, kib_mib(550).v);
    ref.uuid[3] ^= 1;
    ck_assert_int_eq(hv_set_cap(hv, &ref, kib_mib(700), &err), -1);
    ck_assert_int_eq(err.code, ERR_NOT_FOUND);
    hv_close(hv);
}
END_TEST

/* Waits until a descriptor says so; what has changed. */
static unsigned wait_changes(struct hv *hv)
{
    struct pollfd polls[HV_MAX_FDS];
    int fds[HV_MAX_FDS];
    size_t n_fds = hv_fds(hv, fds);
    unsigned changes;

    for (size_t i = 0; i < n_fds; i++)
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    ck_assert_int_gt(poll(polls, n_fds, LIMIT_S * 1000), 0);
    ck_assert_msg(hv_drain(hv, &changes, &err) == 0, "%s", err.text);
    return changes;
}

START_TEST(its_changes_wake_the_watcher)
{
    struct hv *hv = start_host();

    ck_assert_int_eq(xl("create", "db1", NULL), 0);
    while (!(wait_changes(hv) & HV_DOMAINS))
        continue;
    hv_close(hv);
}
END_TEST

/* A change that arrives before an answer must wake it as well. */
START_TEST(no_change_is_lost_on_the_way_to_an_answer)
{
    struct hv *hv = start_host();
    struct hv_ref ref = web1_of(hv).ref;

    ck_assert_int_eq(xl("create", "db1", NULL), 0);
    ck_assert_int_eq(hv_set_cap(hv, &ref, kib_gib(2), &err), 0);
    while (!(wait_changes(hv) & HV_DOMAINS))
        continue;
    hv_close(hv);
}
END_TEST

START_TEST(it_goes_on_while_nobody_watches)
{
    char backend[sizeof(socket_path) + 8];
    struct hv *hv = start_host();

    hv_close(hv);
    ck_assert_int_eq(xl("mem-set", "web1", "700m"), 0);
    snprintf(backend, sizeof(backend), "sim:%s", socket_path);
    ck_assert_int_eq(hv_open(backend, &hv, &err), 0);
    wait_for(hv, "web1", kib_mib(700));
    hv_close(hv);
}
END_TEST

START_TEST(where_nobody_listens_it_is_said)
{
    struct hv *hv;

    ck_assert_int_eq(hv_open("sim:/nonexistent", &hv, &err), -1);
    ck_assert_int_eq(err.code, ERR_UNREACHABLE);
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent"));
}
END_TEST

START_TEST(its_xl_answers_as_xl_does)
{
    hv_close(start_host());
    ck_assert_int_eq(xl("list", NULL, NULL), 0);
    ck_assert_ptr_nonnull(strstr(said(), "Domain-0"));
    ck_assert_ptr_nonnull(strstr(said(), "web1"));
    ck_assert_int_eq(xl("create", "big", "memory=7g"), 3);
    ck_assert_ptr_nonnull(strstr(said(), "can't allocate low memory for domain: Out of memory"));
    ck_assert_int_eq(xl("create", "new", "memory=1g"), 0);
    ck_assert_int_eq(xl("list", NULL, NULL), 0);
    ck_assert_ptr_nonnull(strstr(said(), "new"));
    ck_assert_int_eq(xl("destroy", "new", NULL), 0);
    ck_assert_int_eq(xl("list", NULL, NULL), 0);
    ck_assert_ptr_null(strstr(said(), "new"));
    ck_assert_int_eq(xl("pause", "nobody", NULL), 1);
    ck_assert_int_eq(xl("dance", NULL, NULL), 2);
}
END_TEST

START_TEST(a_second_host_of_the_same_file_is_refused)
{
    struct hv *hv = start_host();
    struct hv_view view;
    char link[128];

    ck_assert_int_eq(exit_code_of(start("host", scenario, NULL, NULL, NULL)), 1);
    ck_assert_ptr_nonnull(strstr(said(), "runs already"));
    /* By another name it is the same file. */
    snprintf(link, sizeof(link), "%s/link", folder);
    ck_assert_int_eq(symlink(scenario, link), 0);
    ck_assert_int_eq(exit_code_of(start("host", link, NULL, NULL, NULL)), 1);
    unlink(link);
    ck_assert_int_eq(hv_read(hv, now_ms(), &view, &err), 0);
    hv_close(hv);
}
END_TEST

START_TEST(stopped_it_leaves_nothing_and_its_watcher_knows)
{
    struct hv *hv = start_host();
    struct hv_view view;
    struct stat what;

    ck_assert_int_eq(exit_code_of(start("stop", scenario, NULL, NULL, NULL)), 0);
    ck_assert_int_eq(exit_code_of(host), 0);
    host = 0;
    ck_assert_int_ne(stat(socket_path, &what), 0);
    ck_assert_int_eq(hv_read(hv, now_ms(), &view, &err), -1);
    ck_assert_int_eq(err.code, ERR_UNREACHABLE);
    hv_close(hv);
    ck_assert_int_eq(exit_code_of(start("stop", scenario, NULL, NULL, NULL)), 5);
    ck_assert_int_eq(xl("list", NULL, NULL), 5);
}
END_TEST

START_TEST(a_killed_one_is_in_nobodys_way)
{
    hv_close(start_host());
    kill(host, SIGKILL);
    ck_assert_int_eq(exit_code_of(host), -SIGKILL);
    hv_close(start_host());
}
END_TEST

START_TEST(a_host_that_does_not_answer_is_not_waited_for_long)
{
    struct hv *hv = start_host();
    struct hv_view view;
    int64_t began;

    kill(host, SIGSTOP);
    began = now_ms();
    ck_assert_int_eq(hv_read(hv, began, &view, &err), -1);
    ck_assert_int_eq(err.code, ERR_UNREACHABLE);
    ck_assert_int_ge(now_ms() - began, 1900);
    began = now_ms();
    ck_assert_int_eq(hv_read(hv, began, &view, &err), -1); /* and never again */
    ck_assert_int_lt(now_ms() - began, 1000);
    hv_close(hv);
}
END_TEST

static int connect_raw(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, socket_path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

START_TEST(hostile_bytes_do_not_kill_it)
{
    struct hv *hv = start_host();
    struct hv_view view;

    for (uint64_t round = 0; round < 50; round++) {
        uint8_t bytes[5000];
        int fd = connect_raw();

        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)sim_random(round, i);
        if (round % 2) /* a length that looks sound, and then nonsense */
            memcpy(bytes, (const uint8_t[]){(uint8_t)(round * 3), 0, 0, 0, 5}, 5);
        (void)!send(fd, bytes, sizeof(bytes) - round * 100, MSG_NOSIGNAL);
        close(fd);
        ck_assert_msg(hv_read(hv, now_ms(), &view, &err) == 0, "%s", err.text);
    }
    hv_close(hv);
}
END_TEST

START_TEST(whoever_only_connects_does_not_keep_others_out)
{
    struct hv *hv = start_host();
    struct hv_view view;
    int fds[80];

    for (int i = 0; i < 80; i++)
        fds[i] = connect_raw();
    ck_assert_msg(hv_read(hv, now_ms(), &view, &err) == 0, "%s", err.text);
    for (int i = 0; i < 80; i++)
        close(fds[i]);
    ck_assert_int_eq(xl("list", NULL, NULL), 0);
    hv_close(hv);
}
END_TEST

START_TEST(a_wrong_scenario_ends_with_2_and_its_line)
{
    write_scenario("[host]\nsize = 8g\n\n[vm web1]\nmemory = 1g\n\nmaxmen = 2g\n");
    ck_assert_int_eq(exit_code_of(start("host", scenario, NULL, NULL, NULL)), 2);
    ck_assert_ptr_nonnull(strstr(said(), "a.scenario:7: "));
    ck_assert_int_eq(exit_code_of(start("host", "/nonexistent", NULL, NULL, NULL)), 2);
}
END_TEST

START_TEST(wrong_usage_ends_with_2)
{
    ck_assert_int_eq(exit_code_of(start(NULL, NULL, NULL, NULL, NULL)), 2);
    ck_assert_int_eq(exit_code_of(start("fly", NULL, NULL, NULL, NULL)), 2);
    ck_assert_int_eq(exit_code_of(start("host", NULL, NULL, NULL, NULL)), 2);
    ck_assert_int_eq(exit_code_of(start("host", scenario, scenario, NULL, NULL)), 2);
    ck_assert_int_eq(exit_code_of(start("host", scenario, "--speed", "0", NULL)), 2);
    ck_assert_int_eq(exit_code_of(start("host", scenario, "--sped", NULL, NULL)), 2);
    ck_assert_int_eq(exit_code_of(start("xl", scenario, NULL, NULL, NULL)), 2);
    ck_assert_int_eq(exit_code_of(start("stop", NULL, NULL, NULL, NULL)), 2);
    ck_assert_int_eq(exit_code_of(start("--help", NULL, NULL, NULL, NULL)), 0);
    ck_assert_ptr_nonnull(strstr(said(), "mem-set NAME SIZE"));
    ck_assert_int_eq(exit_code_of(start("--version", NULL, NULL, NULL, NULL)), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host");
    TCase *tcase = tcase_create("processes");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 2 * LIMIT_S);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_host_is_watched_and_written_to);
    tcase_add_test(tcase, its_changes_wake_the_watcher);
    tcase_add_test(tcase, no_change_is_lost_on_the_way_to_an_answer);
    tcase_add_test(tcase, it_goes_on_while_nobody_watches);
    tcase_add_test(tcase, where_nobody_listens_it_is_said);
    tcase_add_test(tcase, its_xl_answers_as_xl_does);
    tcase_add_test(tcase, a_second_host_of_the_same_file_is_refused);
    tcase_add_test(tcase, stopped_it_leaves_nothing_and_its_watcher_knows);
    tcase_add_test(tcase, a_killed_one_is_in_nobodys_way);
    tcase_add_test(tcase, a_host_that_does_not_answer_is_not_waited_for_long);
    tcase_add_test(tcase, hostile_bytes_do_not_kill_it);
    tcase_add_test(tcase, whoever_only_connects_does_not_keep_others_out);
    tcase_add_test(tcase, a_wrong_scenario_ends_with_2_and_its_line);
    tcase_add_test(tcase, wrong_usage_ends_with_2);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
