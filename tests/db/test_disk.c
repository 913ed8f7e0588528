/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk that is slow, full, broken or loses power, and a process that is killed: the caller is
 * never held up, what was acknowledged is there, what was refused is not. */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/internal.h"
#include "tests/db/disk.h"
#include "tests/db/ground.h"

static void make(void)
{
    ground_make();
    disk_install();
}

static void note(struct db *db, int64_t id)
{
    const struct db_event event = event_of(id, "web1", id);

    db_note(db, &event);
}

static int post_vm(struct db *db, const char *name, struct answer *answer, struct err *err)
{
    const struct db_change change = change_vm(name, 1);

    return db_post(db, &change, 1, answer ? answer_take : NULL, answer, err);
}

/* --- slow ------------------------------------------------------------------------------------- */

START_TEST(a_slow_disk_holds_nobody_up)
{
    struct db *db = ground_open();
    struct answer first = {0}, last = {0};
    struct pollfd ready = {.fd = db_fd(db), .events = POLLIN};

    disk_hold();
    ck_assert_int_eq(post_vm(db, "web1", &first, NULL), 0);
    disk_await_held();
    for (int i = 1; i <= 1000; i++) {
        note(db, i);
        ck_assert_int_eq(post_vm(db, "web2", NULL, NULL), 0);
    }
    ck_assert_int_eq(post_vm(db, "web3", &last, NULL), 0);
    db_dispatch(db);
    ck_assert(!db_is_failing(db, NULL));
    ck_assert_int_eq(poll(&ready, 1, 0), 0);
    ck_assert(!first.came && !last.came);
    disk_let_go();
    ck_assert_int_eq(answer_await(db, &last), 0);
    ck_assert(first.came && first.rc == 0);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm web1 7 1 4096\nvm web2 7 1 4096\nvm web3 7 1 4096\n");
}
END_TEST

START_TEST(what_waits_is_bounded_and_what_finds_no_place_is_counted)
{
    struct db *db = ground_open();
    struct answer first = {0};
    struct answer *answers = calloc(AWAITED_MAX, sizeof(*answers));
    struct err err;

    ck_assert_ptr_nonnull(answers);
    disk_hold();
    ck_assert_int_eq(post_vm(db, "first", &first, NULL), 0);
    disk_await_held();
    for (int i = 1; i < AWAITED_MAX; i++)
        ck_assert_int_eq(post_vm(db, "web1", &answers[i], NULL), 0);
    ck_assert_int_eq(post_vm(db, "late", &answers[0], &err), -1);
    ck_assert_int_eq(err.code, ERR_BUSY);
    for (int i = 1; i <= KEPT_MAX + 5; i++)
        note(db, i);
    ck_assert_int_eq(db_dropped(db), 5);
    disk_let_go();
    ck_assert_int_eq(answer_await(db, &answers[AWAITED_MAX - 1]), 0);
    ck_assert_int_eq(post_vm(db, "late", &answers[0], &err), 0);
    ck_assert_int_eq(answer_await(db, &answers[0]), 0);
    db_close(db);
    free(answers);
    db = ground_open();
    ck_assert_int_eq(db_last_event(db), KEPT_MAX);
    db_close(db);
}
END_TEST

/* The daemon must be able to end, whatever the disk does. */
START_TEST(closing_does_not_wait_for_ever)
{
    struct db *db = ground_open();
    struct db *second;
    const struct db_limits limits = {0};
    struct err err;

    disk_hold();
    ck_assert_int_eq(post_vm(db, "web1", NULL, NULL), 0);
    disk_await_held();
    db_close(db);
    ck_assert_int_eq(db_open(ground_path, &limits, &second, &err), -1);
    ck_assert_int_eq(err.code, ERR_BUSY);
}
END_TEST

/* --- failing ---------------------------------------------------------------------------------- */

START_TEST(whoever_waits_is_refused_at_once_with_the_reason)
{
    struct db *db = ground_open();
    struct answer answer = {0};
    struct err why;

    disk_fail(0, SQLITE_FULL);
    ck_assert_int_eq(post_vm(db, "web1", &answer, NULL), 0);
    ck_assert_int_eq(answer_await(db, &answer), -1);
    ck_assert_str_eq(answer.err.text, "database: database or disk is full");
    ck_assert(db_is_failing(db, &why));
    ck_assert_str_eq(why.text, answer.err.text);
    disk_mend();
    answer = (struct answer){0};
    ck_assert_int_eq(post_vm(db, "web2", &answer, NULL), 0);
    ck_assert_int_eq(answer_await(db, &answer), 0);
    ck_assert(!db_is_failing(db, NULL));
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm web2 7 1 4096\n");
}
END_TEST

/* Nobody posts anything else meanwhile: the edges tell by themselves. */
START_TEST(what_nobody_waits_for_is_kept_and_written_later)
{
    struct db *db = ground_open();

    disk_fail(0, SQLITE_IOERR_WRITE);
    for (int i = 1; i <= 100; i++)
        note(db, i);
    ck_assert_int_eq(post_vm(db, "web1", NULL, NULL), 0);
    ground_await_failing(db, true);
    for (int i = 101; i <= 200; i++)
        note(db, i);
    disk_mend();
    ground_await_failing(db, false);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 3}), "198 199 200");
    ck_assert_int_eq(db_dropped(db), 0);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm web1 7 1 4096\n");
}
END_TEST

/* Subscribers are told at the first failure, and the journal has the row all the same in the end.
 */
START_TEST(a_journal_row_is_kept_also_where_somebody_waits_for_it)
{
    struct db *db = ground_open();
    const struct db_change change = {.kind = DB_ADD_EVENT, .event = event_of(5, "web1", 5)};
    struct answer answer = {0};

    disk_fail(0, SQLITE_FULL);
    ck_assert_int_eq(db_post(db, &change, 1, answer_take, &answer, NULL), 0);
    ck_assert_int_eq(answer_await(db, &answer), -1);
    disk_mend();
    ground_await_failing(db, false);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 3}), "5");
    db_close(db);
}
END_TEST

START_TEST(what_is_kept_while_the_disk_fails_is_bounded)
{
    struct db *db = ground_open();
    struct answer answer = {0};

    disk_fail(0, SQLITE_FULL);
    for (int i = 1; i <= KEPT_MAX; i++)
        note(db, i);
    ground_await_failing(db, true);
    for (int i = 1; i <= 50; i++) {
        const struct db_change change = {.kind = DB_ADD_EVENT,
                                         .event = event_of(KEPT_MAX + i, NULL, 1)};

        note(db, KEPT_MAX + 100 + i);
        answer = (struct answer){0};
        ck_assert_int_eq(db_post(db, &change, 1, answer_take, &answer, NULL), 0);
        ck_assert_int_eq(answer_await(db, &answer), -1);
    }
    ck_assert_int_eq(db_dropped(db), 100);
    disk_mend();
    ground_await_failing(db, false);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 2}), "9999 10000");
    db_close(db);
}
END_TEST

START_TEST(reading_goes_on_while_writing_fails)
{
    struct db *db = ground_open();

    note(db, 1);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 3}), "1");
    disk_fail(0, SQLITE_FULL);
    note(db, 2);
    ground_await_failing(db, true);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 3}), "1");
    disk_mend();
    ground_await_failing(db, false);
    db_close(db);
}
END_TEST

START_TEST(another_programs_lock_is_a_failure_that_passes)
{
    struct db *db = ground_open();
    struct answer answer = {0};
    sqlite3 *handle;

    ck_assert_int_eq(sqlite3_open(ground_path, &handle), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(post_vm(db, "web1", &answer, NULL), 0);
    note(db, 1);
    ck_assert_int_eq(answer_await(db, &answer), -1);
    ck_assert_int_eq(answer.err.code, ERR_BUSY);
    ck_assert_str_eq(answer.err.text, "database: database is locked");
    sqlite3_close(handle);
    ground_await_failing(db, false);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 3}), "1");
    db_close(db);
}
END_TEST

/* --- every point of failure ------------------------------------------------------------------- */

static bool has(const char *contents, const char *name)
{
    char line[64];

    snprintf(line, sizeof(line), "vm %.40s ", name);
    return strstr(contents, line) != NULL;
}

/* Three transactions in one commit, with the disk failing at its n-th write: each is there as a
 * whole if it was acknowledged, and not at all if it was refused. */
START_TEST(wherever_the_disk_fails_answers_are_true)
{
    static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC};
    const struct db_change pairs[3][2] = {
        {change_vm("a1", 1), change_vm("a2", 1)},
        {change_vm("b1", 1), change_setting(9, "b1", "buffer", 1)},
        {change_vm("c1", 1), change_setting(1, "c1", "buffer", 1)},
    };
    bool failed = true;

    for (int after = 0; failed; after++) {
        struct db *db = ground_open();
        struct answer answers[3] = {0};
        const char *contents;

        disk_fail(after, codes[_i]);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(db_post(db, pairs[i], 2, answer_take, &answers[i], NULL), 0);
        answer_await(db, &answers[2]);
        failed = disk_has_failed();
        disk_mend();
        db_close(db);
        contents = ground_contents();
        ck_assert_int_eq(has(contents, "a1"), answers[0].rc == 0);
        ck_assert_int_eq(has(contents, "a2"), answers[0].rc == 0);
        ck_assert_int_eq(answers[1].rc, -1);
        ck_assert(!has(contents, "b1"));
        ck_assert_int_eq(has(contents, "c1"), answers[2].rc == 0);
        ck_assert_int_eq(strstr(contents, "buffer") != NULL, answers[2].rc == 0);
        ck_assert(failed || (answers[0].rc == 0 && answers[2].rc == 0));
        ground_remove();
        ground_make();
    }
}
END_TEST

/* Everywhere: files that may not grow. */
START_TEST(files_that_may_not_grow_are_borne_too)
{
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    struct rlimit small = {64 * 1024, RLIM_INFINITY};
    struct db *db = ground_open();

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 1; i <= 5000; i++)
        note(db, i);
    ground_await_failing(db, true);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    ground_await_failing(db, false);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 2}), "4999 5000");
    db_close(db);
}
END_TEST

/* --- power cut -------------------------------------------------------------------------------- */

/* The copy that a power cut leaves of ground_path. */
static void cut_power(char cut_folder[64])
{
    strcpy(cut_folder, "/tmp/xenmem-test-db-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(cut_folder));
    disk_copy_after_power_cut(cut_folder);
}

/* What is in the copy; it is removed. */
static const char *contents_after_cut(const char *cut_folder)
{
    char folder[64], path[96];
    const char *contents;

    memcpy(folder, ground_folder, sizeof(folder));
    memcpy(path, ground_path, sizeof(path));
    snprintf(ground_folder, sizeof(ground_folder), "%s", cut_folder);
    snprintf(ground_path, sizeof(ground_path), "%s/xenmem.db", cut_folder);
    contents = ground_contents();
    ground_remove();
    memcpy(ground_folder, folder, sizeof(folder));
    memcpy(ground_path, path, sizeof(path));
    return contents;
}

START_TEST(what_was_acknowledged_survives_a_power_cut)
{
    struct db *db = ground_open();
    char names[40][16], cut[64];
    const char *contents;

    for (int i = 0; i < 40; i++) {
        struct db_change change;

        snprintf(names[i], sizeof(names[i]), "vm%d", i);
        change = change_vm(names[i], i);
        ck_assert_int_eq(ground_change(db, &change, 1, NULL), 0);
        if (i % 8 != 0)
            continue;
        cut_power(cut);
        contents = contents_after_cut(cut);
        for (int before = 0; before <= i; before++)
            ck_assert_msg(has(contents, names[before]), "%s is lost", names[before]);
    }
    db_close(db);
}
END_TEST

/* So that the test above can fail: without synchronous, this disk loses the same change. */
START_TEST(this_disk_does_lose_what_was_not_synced)
{
    char cut[64];
    sqlite3 *handle;

    db_close(ground_open());
    ck_assert_int_eq(sqlite3_open(ground_path, &handle), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(handle,
                                  "PRAGMA synchronous = OFF; INSERT INTO vm VALUES ('web1', "
                                  "zeroblob(16), 1, 1)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    cut_power(cut);
    ck_assert_str_eq(contents_after_cut(cut), "");
    ck_assert_int_eq(sqlite3_close(handle), SQLITE_OK);
    ck_assert_str_eq(ground_contents(), "vm web1 0 1 1\n");
}
END_TEST

/* --- kill -9 ---------------------------------------------------------------------------------- */

/* Writes one VM after the other, and says each number down the pipe once it is acknowledged. */
__attribute__((noreturn)) static void write_until_killed(int out)
{
    struct db *db = ground_open();

    for (int32_t i = 0;; i++) {
        char name[16];
        const struct db_change changes[2] = {change_vm(name, i),
                                             change_setting(1, name, "buffer", i)};

        snprintf(name, sizeof(name), "vm%d", i % 50);
        note(db, i + 1);
        if (ground_change(db, changes, 2, NULL) || write(out, &i, sizeof(i)) != sizeof(i))
            _exit(1);
    }
}

/* How far it came before it was killed after at least `least` acknowledgements; −1 where it failed
 * by itself. */
static int32_t run_and_kill(int32_t least)
{
    int32_t last = -1, number;
    int status, ends[2];
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    if (child == 0)
        write_until_killed(ends[1]);
    close(ends[1]);
    while (last < least && read(ends[0], &number, sizeof(number)) == sizeof(number))
        last = number;
    kill(child, SIGKILL);
    while (read(ends[0], &number, sizeof(number)) == sizeof(number))
        last = number;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    close(ends[0]);
    return WIFSIGNALED(status) ? last : -1;
}

START_TEST(a_kill_loses_nothing_that_was_acknowledged)
{
    int32_t last = run_and_kill(_i * 17);
    const char *contents;

    ck_assert_int_ge(last, _i * 17);
    contents = ground_contents();
    for (int32_t i = last > 49 ? last - 49 : 0; i <= last; i++) {
        char vm[64], setting[64], later_vm[64], later_setting[64];

        /* What came after the last acknowledgement may be there too, but only as a whole. */
        snprintf(vm, sizeof(vm), "vm vm%d 7 %d ", i % 50, i);
        snprintf(setting, sizeof(setting), "'vm%d' 0 buffer=%d\n", i % 50, i);
        snprintf(later_vm, sizeof(later_vm), "vm vm%d 7 %d ", i % 50, i + 50);
        snprintf(later_setting, sizeof(later_setting), "'vm%d' 0 buffer=%d\n", i % 50, i + 50);
        ck_assert_msg((strstr(contents, vm) && strstr(contents, setting)) ||
                          (strstr(contents, later_vm) && strstr(contents, later_setting)),
                      "%s is lost", vm);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("db: disk");
    TCase *tests = tcase_create("disk");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make, ground_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_slow_disk_holds_nobody_up);
    tcase_add_test(tests, what_waits_is_bounded_and_what_finds_no_place_is_counted);
    tcase_add_test(tests, closing_does_not_wait_for_ever);
    tcase_add_test(tests, whoever_waits_is_refused_at_once_with_the_reason);
    tcase_add_test(tests, what_nobody_waits_for_is_kept_and_written_later);
    tcase_add_test(tests, a_journal_row_is_kept_also_where_somebody_waits_for_it);
    tcase_add_test(tests, what_is_kept_while_the_disk_fails_is_bounded);
    tcase_add_test(tests, reading_goes_on_while_writing_fails);
    tcase_add_test(tests, another_programs_lock_is_a_failure_that_passes);
    tcase_add_loop_test(tests, wherever_the_disk_fails_answers_are_true, 0, 3);
    tcase_add_test(tests, files_that_may_not_grow_are_borne_too);
    tcase_add_test(tests, what_was_acknowledged_survives_a_power_cut);
    tcase_add_test(tests, this_disk_does_lose_what_was_not_synced);
    tcase_add_loop_test(tests, a_kill_loses_nothing_that_was_acknowledged, 0, 6);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
