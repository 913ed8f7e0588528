/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for the kernel's signal. In place of /proc/pressure/memory, which only a machine without
 * memory makes speak, a connection: its urgent data are told by the same POLLPRI. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/trigger.h"
#include "base/err.h"

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Both ends of a connection of this machine to itself. */
static void connect_pair(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(ends[0], (struct sockaddr *)&address, length), 0);
    ends[1] = accept(listener, NULL, NULL);
    ck_assert_int_ge(ends[1], 0);
    close(listener);
}

START_TEST(a_signal_ends_the_wait_at_once)
{
    struct trigger trigger;
    int64_t begin = now_ms();
    int ends[2];

    connect_pair(ends);
    trigger.fd = ends[1];
    ck_assert_int_eq(send(ends[0], "!", 1, MSG_OOB), 1);
    ck_assert(trigger_wait(&trigger, 60000));
    ck_assert_int_lt(now_ms() - begin, 30000);
    trigger_close(&trigger);
    close(ends[0]);
}
END_TEST

START_TEST(without_a_signal_it_is_the_clock_that_ends_it)
{
    struct trigger trigger;
    int ends[2];
    int64_t begin = now_ms();

    connect_pair(ends);
    trigger.fd = ends[1];
    ck_assert_int_eq(send(ends[0], "?", 1, 0), 1); /* something, but nothing urgent */
    ck_assert(!trigger_wait(&trigger, 50));
    ck_assert_int_ge(now_ms() - begin, 49);
    trigger_close(&trigger);
    close(ends[0]);
}
END_TEST

START_TEST(a_signal_that_breaks_leaves_the_clock)
{
    struct trigger trigger;
    int64_t begin;

    trigger.fd = 4000; /* not open: POLLNVAL, as an error would be */
    ck_assert(!trigger_wait(&trigger, 60000));
    ck_assert_int_eq(trigger.fd, -1);
    begin = now_ms();
    ck_assert(!trigger_wait(&trigger, 50));
    ck_assert_int_ge(now_ms() - begin, 49);
}
END_TEST

START_TEST(it_asks_in_the_kernels_words)
{
    char folder[] = "/tmp/xenmem-trigger-XXXXXX", path[96], text[64];
    struct trigger trigger;
    FILE *file;
    size_t length;
    struct err err;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(trigger_open(&trigger, folder, &err), -1); /* a kernel without PSI */
    ck_assert_int_eq(err.code, ERR_FAILED);
    ck_assert_int_eq(trigger.fd, -1);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/proc%s", folder, i ? "/pressure" : "");
        ck_assert_int_eq(mkdir(path, 0700), 0);
    }
    snprintf(path, sizeof(path), "%s/proc/pressure/memory", folder);
    fclose(fopen(path, "w"));
    ck_assert_int_eq(trigger_open(&trigger, folder, &err), 0);
    trigger_close(&trigger);
    file = fopen(path, "r");
    length = fread(text, 1, sizeof(text), file);
    fclose(file);
    ck_assert_uint_eq(length, sizeof(TRIGGER_TEXT));
    ck_assert_str_eq(text, "some 150000 2000000");
    snprintf(text, sizeof(text), "rm -r %s", folder);
    ck_assert_int_eq(system(text), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trigger");
    TCase *tests = tcase_create("trigger");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, a_signal_ends_the_wait_at_once);
    tcase_add_test(tests, without_a_signal_it_is_the_clock_that_ends_it);
    tcase_add_test(tests, a_signal_that_breaks_leaves_the_clock);
    tcase_add_test(tests, it_asks_in_the_kernels_words);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
