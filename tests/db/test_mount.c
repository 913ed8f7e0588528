/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks that are truly full or read-only: mounted for the test, in a mount namespace of its own.
 * Where that is not allowed the whole program counts as skipped. */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/internal.h"
#include "tests/db/ground.h"

#define SKIPPED 77 /* as automake has it */

static void note(struct db *db, int64_t id)
{
    const struct db_event event = event_of(id, "web1", id);

    db_note(db, &event);
}

/* A namespace of our own; who is not root becomes root in it. */
static bool enter_namespace(void)
{
    return (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool mount_small(void)
{
    return enter_namespace() &&
           mount("tmpfs", ground_folder, "tmpfs", 0, "size=256k,mode=0700") == 0;
}

static void make(void)
{
    ground_make();
    ck_assert_msg(mount_small(), "%s", strerror(errno));
}

static void unmake(void)
{
    ck_assert_int_eq(umount(ground_folder), 0);
    ground_remove();
}

static void remount(unsigned long flags)
{
    ck_assert_int_eq(mount("none", ground_folder, NULL, MS_REMOUNT | flags, NULL), 0);
}

static void put_vm(struct db *db)
{
    const struct db_change change = change_vm("web1", 1);
    struct err err;

    ck_assert_msg(ground_change(db, &change, 1, &err) == 0, "%s", err.text);
}

/* Fills what is left of it. */
static void fill_up(const char *path)
{
    static const char block[4096];
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(block, 1, sizeof(block), file) == sizeof(block))
        ;
    fclose(file);
}

START_TEST(a_full_disk_is_borne_until_there_is_room_again)
{
    struct db *db = ground_open();
    char filler[128];

    put_vm(db);
    snprintf(filler, sizeof(filler), "%s/filler", ground_folder);
    fill_up(filler);
    for (int i = 1; i <= 500; i++)
        note(db, i);
    ground_await_failing(db, true);
    ck_assert_int_eq(unlink(filler), 0);
    ground_await_failing(db, false);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 2}), "499 500");
    ck_assert_int_eq(db_dropped(db), 0);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm web1 7 1 4096\n");
}
END_TEST

START_TEST(a_disk_that_becomes_read_only_is_caught_up_with)
{
    struct db *db = ground_open();

    put_vm(db);
    db_close(db);
    db = ground_open();
    note(db, 1);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 2}), "1");
    db_close(db);
    remount(MS_RDONLY);
    db = ground_open();
    note(db, 2);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 2}), "1");
    remount(0);
    ground_await_failing(db, false);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 2}), "1 2");
    db_close(db);
}
END_TEST

/* A daemon starts on it all the same: with what it holds, saying what is wrong, and refusing what
 * somebody waits for. */
START_TEST(a_read_only_disk_is_read_and_named)
{
    const struct db_change change = change_vm("web2", 1);
    struct db *db = ground_open();
    struct err why, err;

    put_vm(db);
    db_close(db);
    remount(MS_RDONLY);
    ck_assert_str_eq(ground_contents(), "vm web1 7 1 4096\n");
    db = ground_open();
    ck_assert(db_is_failing(db, &why));
    ck_assert_msg(strstr(why.text, ground_path) && strstr(why.text, "Read-only"), "%s", why.text);
    ck_assert_int_eq(ground_change(db, &change, 1, &err), -1);
    ck_assert_msg(strstr(err.text, "Read-only"), "%s", err.text);
    db_close(db);
    remount(0);
}
END_TEST

/* Killed with its log not yet put away, and the disk read-only when it comes back. */
START_TEST(a_log_that_was_left_behind_is_read_too)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        put_vm(ground_open());
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    remount(MS_RDONLY);
    ck_assert_str_eq(ground_contents(), "vm web1 7 1 4096\n");
    remount(0);
    ck_assert_str_eq(ground_contents(), "vm web1 7 1 4096\n");
}
END_TEST

START_TEST(where_there_is_no_database_yet_the_disk_is_named)
{
    const struct db_limits limits = {0};
    struct db *db;
    struct err err;

    remount(MS_RDONLY);
    ck_assert_int_eq(db_open(ground_path, &limits, &db, &err), -1);
    ck_assert_msg(strstr(err.text, "Read-only") || strstr(err.text, "No such file"), "%s",
                  err.text);
    remount(0);
}
END_TEST

static bool may_mount(void)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(enter_namespace() && mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0 ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    Suite *suite = suite_create("db: mount");
    TCase *tests = tcase_create("mount");
    SRunner *runner;
    int failed;

    if (!may_mount()) {
        printf("SKIPPED: no disk may be mounted here, neither as root nor in a user namespace\n");
        return SKIPPED;
    }
    runner = srunner_create(suite);
    tcase_add_checked_fixture(tests, make, unmake);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_full_disk_is_borne_until_there_is_room_again);
    tcase_add_test(tests, a_disk_that_becomes_read_only_is_caught_up_with);
    tcase_add_test(tests, a_read_only_disk_is_read_and_named);
    tcase_add_test(tests, a_log_that_was_left_behind_is_read_too);
    tcase_add_test(tests, where_there_is_no_database_yet_the_disk_is_named);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
