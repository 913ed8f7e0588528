/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at a folder that plays /proc and /sys. */
#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/kernel.h"
#include "base/err.h"

#define HELD    "/sys/devices/system/xen_memory/xen_memory0/info/current_kb"
#define MEMINFO "/proc/meminfo"

static char root[64];

static const char *below_root(const char *path)
{
    static _Thread_local char full[256];

    snprintf(full, sizeof(full), "%s%s", root, path);
    return full;
}

static void make_folders(const char *path)
{
    char full[256];

    snprintf(full, sizeof(full), "%s", below_root(path));
    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
}

static void put(const char *path, const char *text)
{
    FILE *file;

    make_folders(path);
    file = fopen(below_root(path), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void make_root(void)
{
    snprintf(root, sizeof(root), "/tmp/xenmem-kernel-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    put(MEMINFO, "MemTotal: 1000000 kB\nMemAvailable: 600000 kB\n");
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void remove_root(void)
{
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct kernel_view look(void)
{
    struct kernel_view view;
    struct err err;

    ck_assert_int_eq(kernel_look(root, &view, &err), 0);
    return view;
}

START_TEST(the_balloon_driver_knows_what_the_domain_holds)
{
    struct kernel_view view;

    put(HELD, "1048576\n");
    view = look();
    ck_assert(view.balloon);
    ck_assert_int_eq(view.held.v, 1048576);
    ck_assert_int_eq(view.memory.available.v, 600000);
}
END_TEST

START_TEST(without_a_balloon_driver_it_holds_what_the_kernel_has)
{
    struct kernel_view view = look();

    ck_assert(!view.balloon);
    ck_assert_int_eq(view.held.v, 1000000);
    put(HELD, "a balloon\n");
    ck_assert(!look().balloon);
}
END_TEST

START_TEST(pressure_and_counters_where_the_kernel_has_them)
{
    struct kernel_view view = look();

    ck_assert_int_eq(view.pressure.some, 0);
    ck_assert_uint_eq(view.counters.oom_kills, 0);
    put("/proc/pressure/memory", "some avg10=1.50 avg60=0.00 avg300=0.00 total=9\n");
    put("/proc/vmstat", "pswpin 1\noom_kill 2\n");
    view = look();
    ck_assert_int_eq(view.pressure.some, 150);
    ck_assert_uint_eq(view.counters.oom_kills, 2);
}
END_TEST

START_TEST(of_a_text_without_end_the_beginning_counts)
{
    FILE *file;

    put("/proc/vmstat", "oom_kill 2\n");
    file = fopen(below_root("/proc/vmstat"), "a");
    for (int i = 0; i < 100000; i++)
        fprintf(file, "nr_of_something_%d 1\n", i);
    fclose(file);
    ck_assert_uint_eq(look().counters.oom_kills, 2);
}
END_TEST

START_TEST(what_is_missing_is_named)
{
    struct kernel_view view = {.held = kib(7)};
    struct err err;

    unlink(below_root(MEMINFO));
    ck_assert_int_eq(kernel_look(root, &view, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/proc/meminfo: No such file"));
    put(MEMINFO, "garbage\n");
    ck_assert_int_eq(kernel_look(root, &view, &err), -1);
    ck_assert_int_eq(view.held.v, 7);
}
END_TEST

START_TEST(a_root_that_is_too_long_is_refused)
{
    char longer[8192];
    struct kernel_view view;
    struct err err;

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    ck_assert_int_eq(kernel_look(longer, &view, &err), -1);
}
END_TEST

/*
 * A balloon that moves: meminfo is a pipe, whose writer sets what the domain holds before it lets
 * the reader go on. A new pipe is there before the old one is closed, so that no look gets two
 * texts.
 */
struct move {
    const char *held; /* NULL: it rests */
    const char *meminfo;
};

static void *move_balloon(void *arg)
{
    for (const struct move *move = arg; move->meminfo; move++) {
        int pipe = open(below_root(MEMINFO), O_WRONLY);

        unlink(below_root(MEMINFO));
        mkfifo(below_root(MEMINFO), 0600);
        if (move->held)
            put(HELD, move->held);
        if (pipe < 0 || write(pipe, move->meminfo, strlen(move->meminfo)) < 0)
            abort();
        close(pipe);
    }
    return NULL;
}

static struct kernel_view look_while(struct move *moves)
{
    struct kernel_view view;
    pthread_t mover;

    unlink(below_root(MEMINFO));
    ck_assert_int_eq(mkfifo(below_root(MEMINFO), 0600), 0);
    put(HELD, "1000\n");
    ck_assert_int_eq(pthread_create(&mover, NULL, move_balloon, moves), 0);
    view = look();
    pthread_join(mover, NULL);
    return view;
}

START_TEST(where_the_balloon_moved_it_looks_again)
{
    struct move moves[] = {
        {"800\n", "MemTotal: 900 kB\nMemAvailable: 100 kB\n"}, /* of when it held 1000 */
        {NULL, "MemTotal: 700 kB\nMemAvailable: 300 kB\n"},
        {NULL, NULL},
    };
    struct kernel_view view = look_while(moves);

    ck_assert_int_eq(view.held.v, 800);
    ck_assert_int_eq(view.memory.available.v, 300);
}
END_TEST

START_TEST(where_it_keeps_moving_the_most_need_counts)
{
    struct move moves[] = {
        {"990\n", "MemTotal: 900 kB\nMemAvailable: 500 kB\n"},
        {"980\n", "MemTotal: 900 kB\nMemAvailable: 480 kB\n"},
        {"970\n", "MemTotal: 900 kB\nMemAvailable: 500 kB\n"},
        {"960\n", "MemTotal: 900 kB\nMemAvailable: 600 kB\n"},
        {"950\n", "MemTotal: 900 kB\nMemAvailable: 700 kB\n"},
        {NULL, NULL},
    };
    struct kernel_view view = look_while(moves);

    ck_assert_int_eq(view.held.v, 990);
    ck_assert_int_eq(view.memory.available.v, 480);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("kernel");
    TCase *tests = tcase_create("kernel");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make_root, remove_root);
    tcase_add_test(tests, the_balloon_driver_knows_what_the_domain_holds);
    tcase_add_test(tests, without_a_balloon_driver_it_holds_what_the_kernel_has);
    tcase_add_test(tests, pressure_and_counters_where_the_kernel_has_them);
    tcase_add_test(tests, of_a_text_without_end_the_beginning_counts);
    tcase_add_test(tests, what_is_missing_is_named);
    tcase_add_test(tests, a_root_that_is_too_long_is_refused);
    tcase_add_test(tests, where_the_balloon_moved_it_looks_again);
    tcase_add_test(tests, where_it_keeps_moving_the_most_need_counts);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
