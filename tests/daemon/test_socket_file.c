/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's place in the file system: one holder at a time, and no dead one in the way. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/clients/socket_file.h"

static char folder[64];
static char path[100];

static void make_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/xenmem-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/run/xenmemd.sock", folder);
}

static void remove_folder(void)
{
    static const char *const leftovers[] = {"run/xenmemd.sock", "run/xenmemd.sock.lock"};
    char name[128];

    for (size_t i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "%s/%s", folder, leftovers[i]);
        unlink(name);
    }
    snprintf(name, sizeof(name), "%s/run", folder);
    rmdir(name);
    ck_assert_int_eq(rmdir(folder), 0);
}

static int connect_to(const char *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, where, strlen(where) + 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void assert_opens(struct socket_file *file, mode_t mode)
{
    struct err err;

    ck_assert_msg(socket_file_open(file, path, mode, &err) == 0, "%s", err.text);
}

START_TEST(it_listens_in_a_folder_that_it_makes)
{
    struct socket_file file;
    struct stat there;
    int client;

    assert_opens(&file, 0600);
    ck_assert_int_eq(stat(path, &there), 0);
    ck_assert_uint_eq(there.st_mode & 0777, 0600);
    client = connect_to(path);
    ck_assert_int_ge(client, 0);
    close(client);
    socket_file_close(&file);
    ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(its_mode_can_change)
{
    struct socket_file file;
    struct stat there;
    struct err err;

    assert_opens(&file, 0666);
    ck_assert_int_eq(stat(path, &there), 0);
    ck_assert_uint_eq(there.st_mode & 0777, 0666);
    ck_assert_int_eq(socket_file_set_mode(&file, 0600, &err), 0);
    ck_assert_int_eq(stat(path, &there), 0);
    ck_assert_uint_eq(there.st_mode & 0777, 0600);
    socket_file_close(&file);
}
END_TEST

START_TEST(a_second_daemon_is_refused_and_disturbs_nothing)
{
    struct socket_file first, second;
    struct err err;
    int client;

    assert_opens(&first, 0600);
    ck_assert_int_eq(socket_file_open(&second, path, 0600, &err), -1);
    ck_assert_int_eq(err.code, ERR_BUSY);
    ck_assert_ptr_nonnull(strstr(err.text, "xenmemd already runs on"));
    ck_assert_ptr_nonnull(strstr(err.text, path));
    client = connect_to(path);
    ck_assert_int_ge(client, 0);
    close(client);
    socket_file_close(&first);
    assert_opens(&second, 0600);
    socket_file_close(&second);
}
END_TEST

START_TEST(what_a_killed_daemon_left_is_no_obstacle)
{
    struct socket_file file;
    pid_t pid = fork();

    if (pid == 0) {
        if (socket_file_open(&file, path, 0600, NULL))
            _exit(1);
        _exit(0); /* without closing, as after a kill */
    }
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(access(path, F_OK), 0);
    assert_opens(&file, 0600);
    socket_file_close(&file);
}
END_TEST

START_TEST(another_program_on_the_path_is_left_alone)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct socket_file file;
    struct err err;
    char own[80];
    int other = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(own, sizeof(own), "%s/run", folder);
    ck_assert_int_eq(mkdir(own, 0755), 0);
    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(bind(other, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(other, 1), 0);
    ck_assert_int_eq(socket_file_open(&file, path, 0600, &err), -1);
    ck_assert_int_eq(err.code, ERR_BUSY);
    ck_assert_int_eq(access(path, F_OK), 0);
    close(other);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
    struct socket_file file;
    struct err err;
    char own[80];

    snprintf(own, sizeof(own), "%s/run", folder);
    ck_assert_int_eq(mkdir(own, 0755), 0);
    close(open(path, O_CREAT | O_WRONLY, 0644));
    ck_assert_int_eq(socket_file_open(&file, path, 0600, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "not a socket"));
    ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(paths_that_cannot_be_are_refused)
{
    struct socket_file file;
    struct err err;
    char longer[200];

    memset(longer, 'x', sizeof(longer) - 1);
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    ck_assert_int_eq(socket_file_open(&file, longer, 0600, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_int_eq(socket_file_open(&file, "", 0600, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_int_eq(socket_file_open(&file, "/proc/no/such/folder.sock", 0600, &err), -1);
    ck_assert_int_eq(file.fd, -1);
    socket_file_close(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("socket_file");
    TCase *tests = tcase_create("socket_file");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, it_listens_in_a_folder_that_it_makes);
    tcase_add_test(tests, its_mode_can_change);
    tcase_add_test(tests, a_second_daemon_is_refused_and_disturbs_nothing);
    tcase_add_test(tests, what_a_killed_daemon_left_is_no_obstacle);
    tcase_add_test(tests, another_program_on_the_path_is_left_alone);
    tcase_add_test(tests, a_file_that_is_no_socket_is_left_alone);
    tcase_add_test(tests, paths_that_cannot_be_are_refused);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
