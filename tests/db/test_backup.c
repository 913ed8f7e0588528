/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backups while the database is in use, and what becomes of a damaged one. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/db/ground.h"

static char elsewhere[128];

static void set_up(void)
{
    ground_make();
    snprintf(elsewhere, sizeof(elsewhere), "%s/backup", ground_folder);
}

static int back_up(struct db *db, const char *file, struct err *err)
{
    struct answer answer = {0};

    if (db_backup(db, file, answer_take, &answer, err))
        return -1;
    answer_await(db, &answer);
    *err = answer.err;
    return answer.rc;
}

static void put_vms(struct db *db, int count)
{
    for (int i = 0; i < count; i++) {
        char name[16];
        struct db_change change;

        snprintf(name, sizeof(name), "vm-%d", i);
        change = change_vm(name, i);
        ck_assert_int_eq(ground_change(db, &change, 1, NULL), 0);
    }
}

START_TEST(a_backup_is_a_whole_database)
{
    struct db *db = ground_open();
    struct err err = {0};

    put_vms(db, 3);
    ck_assert_msg(back_up(db, elsewhere, &err) == 0, "%s", err.text);
    put_vms(db, 5);
    ck_assert_msg(back_up(db, elsewhere, &err) == 0, "%s", err.text); /* replaces the older one */
    db_close(db);
    ck_assert_int_eq(rename(elsewhere, ground_path), 0);
    ck_assert_ptr_nonnull(strstr(ground_contents(), "vm vm-4 7 4 4096\n"));
}
END_TEST

START_TEST(a_backup_onto_the_database_itself_is_refused)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    struct db *db = ground_open();
    char path[160], link[160];
    struct err err;

    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s%s", ground_path, suffixes[i]);
        ck_assert_int_eq(back_up(db, path, &err), -1);
        ck_assert_int_eq(err.code, ERR_INVALID);
    }
    snprintf(link, sizeof(link), "%s/link", ground_folder);
    ck_assert_int_eq(symlink(ground_path, link), 0);
    ck_assert_int_eq(back_up(db, link, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "is the database itself"));
    put_vms(db, 1);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm vm-0 7 0 4096\n");
}
END_TEST

START_TEST(what_is_no_backup_is_not_overwritten)
{
    struct db *db = ground_open();
    struct err err;
    size_t length;
    char *bytes;

    ground_write(elsewhere, "precious", 8);
    ck_assert_int_eq(back_up(db, elsewhere, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    bytes = ground_read(elsewhere, &length);
    ck_assert_str_eq(bytes, "precious");
    free(bytes);
    ck_assert_int_eq(back_up(db, "backup", &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_int_eq(back_up(db, "/nowhere/at/all", &err), -1);
    db_close(db);
}
END_TEST

START_TEST(closing_gives_a_backup_up)
{
    struct db *db = ground_open();
    struct answer never = {0};

    put_vms(db, 1);
    ck_assert_int_eq(db_backup(db, elsewhere, answer_take, &never, NULL), 0);
    db_close(db);
}
END_TEST

/* --- damage ------------------------------------------------------------------------------------
 */

/* Flips bytes in the middle of each page but the first. */
static void damage(size_t from)
{
    size_t length;
    char *bytes = ground_read(ground_path, &length);

    for (size_t i = from; i < length; i += 4096)
        for (size_t j = i; j < i + 64 && j < length; j++)
            bytes[j] ^= 0x55;
    ground_write(ground_path, bytes, length);
    free(bytes);
}

static int open_or_begin(char *aside, struct db **db, struct err *err)
{
    const struct db_limits limits = {0};

    return db_open_or_begin(ground_path, &limits, aside, 256, db, err);
}

START_TEST(a_damaged_database_is_set_aside_and_kept)
{
    struct db *db = ground_open();
    char aside[256];
    struct err err;

    put_vms(db, 3);
    db_close(db);
    damage(4096);
    ck_assert_msg(open_or_begin(aside, &db, &err) == 0, "%s", err.text);
    ck_assert_ptr_nonnull(strstr(aside, "xenmem.db.damaged-2"));
    ck_assert_int_eq(access(aside, F_OK), 0);
    put_vms(db, 1);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm vm-0 7 0 4096\n");
}
END_TEST

START_TEST(unless_that_was_asked_for_it_is_refused)
{
    const struct db_limits limits = {0};
    struct db *db = ground_open();
    struct err err;

    db_close(db);
    damage(4096);
    ck_assert_int_eq(db_open(ground_path, &limits, &db, &err), -1);
    ck_assert_int_eq(err.code, ERR_FAILED);
}
END_TEST

START_TEST(a_whole_one_stays_and_another_programs_file_too)
{
    char aside[256];
    struct db *db;
    struct err err;

    ck_assert_int_eq(open_or_begin(aside, &db, &err), 0);
    ck_assert_str_eq(aside, "");
    db_close(db);
    ck_assert_int_eq(unlink(ground_path), 0);
    ground_write(ground_path, "root:x:0:0:root:/root:/bin/sh\n", 30);
    ck_assert_int_eq(open_or_begin(aside, &db, &err), -1);
    ck_assert_str_eq(aside, "");
    ck_assert_int_eq(access(ground_path, F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backup");
    TCase *stories = tcase_create("stories");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(stories, set_up, ground_remove);
    tcase_set_timeout(stories, 120);
    tcase_add_test(stories, a_backup_is_a_whole_database);
    tcase_add_test(stories, a_backup_onto_the_database_itself_is_refused);
    tcase_add_test(stories, what_is_no_backup_is_not_overwritten);
    tcase_add_test(stories, closing_gives_a_backup_up);
    tcase_add_test(stories, a_damaged_database_is_set_aside_and_kept);
    tcase_add_test(stories, unless_that_was_asked_for_it_is_refused);
    tcase_add_test(stories, a_whole_one_stays_and_another_programs_file_too);
    suite_add_tcase(suite, stories);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
