/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In dom0 of a real Xen: how long from a guest's report to its new target in xenstore, and how long
 * from a write to the answer of a program that does nothing but wait for it and write, through the
 * same xenstore. One of each in turn, so that both meet the same machine.
 *
 * usage: reaction DOMID FIRST_MIB STEP_MIB COUNT
 *
 * The guest's own agent must be silent: its reports are written here, each of STEP_MIB more need.
 */
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#define ASK        "/xenmem-bench/ask"
#define ANSWER     "/xenmem-bench/answer"
#define PATH_ROOM  64
#define TEXT_ROOM  256
#define LIMIT_MS   10000
#define COUNT_MOST 200

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct xs_handle *connect_store(void)
{
    struct xs_handle *xs = xs_open(0);

    if (!xs) {
        perror("reaction: xenstore");
        exit(1);
    }
    return xs;
}

static void write_text(struct xs_handle *xs, const char *path, const char *text, size_t length)
{
    if (!xs_write(xs, XBT_NULL, path, text, (unsigned)length)) {
        perror(path);
        exit(1);
    }
}

/* Until a watch fires; 0 where none does in time. */
static int wait_for_watch(struct xs_handle *xs)
{
    struct pollfd poll_fd = {.fd = xs_fileno(xs), .events = POLLIN};
    char **event = NULL;

    while (!(event = xs_check_watch(xs)))
        if (poll(&poll_fd, 1, LIMIT_MS) <= 0)
            return 0;
    free(event);
    return 1;
}

/* What is watched fires once for having been watched. */
static void watch(struct xs_handle *xs, const char *path)
{
    if (!xs_watch(xs, path, "w") || !wait_for_watch(xs)) {
        perror(path);
        exit(1);
    }
}

/* The program that does nothing but answer. */
static pid_t start_answering(void)
{
    pid_t pid = fork();
    struct xs_handle *xs;

    if (pid)
        return pid;
    xs = connect_store();
    watch(xs, ASK);
    write_text(xs, ANSWER, "ready", 5);
    while (1)
        if (wait_for_watch(xs))
            write_text(xs, ANSWER, "done", 4);
}

/* µs from writing to the watch on what answers; −1 where nothing does. */
static int64_t ask(struct xs_handle *writer, struct xs_handle *waiter, const char *path,
                   const char *text, size_t length)
{
    int64_t begin = now_us();

    write_text(writer, path, text, length);
    return wait_for_watch(waiter) ? now_us() - begin : -1;
}

static size_t make_report(int64_t need_mib, int turn, char text[TEXT_ROOM])
{
    long long need_kib = (long long)need_mib * 1024;

    return (size_t)snprintf(text, TEXT_ROOM,
                            "xenmem1 seq=%lld need=%lld floor=0 total=%lld avail=0 swap=0 cache=0 "
                            "swapin=0 swapout=0 some=0 full=0 oom=0 balloon=1",
                            (1LL << 50) + turn, need_kib, need_kib);
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static void tell(const char *what, int64_t *spent_us, int count)
{
    if (count == 0) {
        printf("%-36s nothing came\n", what);
        return;
    }
    qsort(spent_us, (size_t)count, sizeof(*spent_us), by_size);
    printf("%-36s %8.1f ms median of %d, %.1f to %.1f\n", what, (double)spent_us[count / 2] / 1000,
           count, (double)spent_us[0] / 1000, (double)spent_us[count - 1] / 1000);
}

int main(int argc, char **argv)
{
    static int64_t bare_us[COUNT_MOST], target_us[COUNT_MOST];
    struct xs_handle *writer, *answers, *targets;
    char report_path[PATH_ROOM], target_path[PATH_ROOM], text[TEXT_ROOM];
    int count = argc == 5 ? atoi(argv[4]) : 0, n_bare = 0, n_targets = 0;
    pid_t answering;

    if (count < 1 || count > COUNT_MOST) {
        fputs("usage: reaction DOMID FIRST_MIB STEP_MIB COUNT (to 200)\n", stderr);
        return 2;
    }
    snprintf(report_path, sizeof(report_path), "/local/domain/%.10s/data/xenmem", argv[1]);
    snprintf(target_path, sizeof(target_path), "/local/domain/%.10s/memory/target", argv[1]);
    answering = start_answering(); /* before there is a thread */
    writer = connect_store();
    answers = connect_store();
    targets = connect_store();
    watch(targets, target_path);
    watch(answers, ANSWER);
    wait_for_watch(answers); /* "ready", unless it was there before the watch */
    for (int turn = 0; turn < count; turn++) {
        int64_t need_mib = atoi(argv[2]) + (int64_t)turn * atoi(argv[3]);
        int64_t spent = ask(writer, answers, ASK, "?", 1);

        if (spent >= 0)
            bare_us[n_bare++] = spent;
        spent = ask(writer, targets, report_path, text, make_report(need_mib, turn, text));
        if (spent >= 0)
            target_us[n_targets++] = spent;
        /* Anywhere in the daemon's second. */
        usleep(900000 + (useconds_t)turn % 7 * 100000);
    }
    tell("bare write, watch, write", bare_us, n_bare);
    tell("report to new target", target_us, n_targets);
    kill(answering, SIGKILL);
    waitpid(answering, NULL, 0);
    return 0;
}
