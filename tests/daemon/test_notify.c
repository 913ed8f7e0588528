/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd's side of sd_notify is played by a datagram socket. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/notify.h"

/* A bound datagram socket; abstract: no file is left behind. */
static int listen_at(const char *abstract_name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(abstract_name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path + 1, abstract_name, length);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)),
                     0);
    return fd;
}

START_TEST(what_is_sent_arrives)
{
    char name[64], path[65], got[64] = "";
    int fd;

    snprintf(name, sizeof(name), "xenmem-test-notify-%d", (int)getpid());
    snprintf(path, sizeof(path), "@%s", name);
    fd = listen_at(name);
    setenv("NOTIFY_SOCKET", path, 1);
    notify_send("READY=1");
    ck_assert_int_eq(recv(fd, got, sizeof(got) - 1, 0), 7);
    ck_assert_str_eq(got, "READY=1");
    close(fd);
}
END_TEST

START_TEST(without_a_listener_nothing_happens)
{
    char longer[200];

    unsetenv("NOTIFY_SOCKET");
    notify_send("READY=1");
    setenv("NOTIFY_SOCKET", "", 1);
    notify_send("READY=1");
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    notify_send("READY=1");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    setenv("NOTIFY_SOCKET", longer, 1);
    notify_send("READY=1");
}
END_TEST

static int64_t watchdog(const char *usec, const char *pid)
{
    setenv("WATCHDOG_USEC", usec, 1);
    if (pid)
        setenv("WATCHDOG_PID", pid, 1);
    else
        unsetenv("WATCHDOG_PID");
    return notify_watchdog_ms();
}

START_TEST(the_watchdog_is_fed_twice_as_often_as_it_bites)
{
    char self[16], other[16];

    snprintf(self, sizeof(self), "%d", (int)getpid());
    snprintf(other, sizeof(other), "%d", (int)getpid() + 1);
    ck_assert_int_eq(watchdog("30000000", NULL), 15000);
    ck_assert_int_eq(watchdog("30000000", self), 15000);
    ck_assert_int_eq(watchdog("1000", self), 1);
    ck_assert_int_eq(watchdog("30000000", other), 0);
}
END_TEST

START_TEST(nonsense_in_the_environment_is_no_watchdog)
{
    ck_assert_int_eq(watchdog("", NULL), 0);
    ck_assert_int_eq(watchdog("0", NULL), 0);
    ck_assert_int_eq(watchdog("-5", NULL), 0);
    ck_assert_int_eq(watchdog("soon", NULL), 0);
    ck_assert_int_eq(watchdog("99999999999999999999", NULL), 0);
    unsetenv("WATCHDOG_USEC");
    ck_assert_int_eq(notify_watchdog_ms(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify");
    TCase *tests = tcase_create("notify");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, what_is_sent_arrives);
    tcase_add_test(tests, without_a_listener_nothing_happens);
    tcase_add_test(tests, the_watchdog_is_fed_twice_as_often_as_it_bites);
    tcase_add_test(tests, nonsense_in_the_environment_is_no_watchdog);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
