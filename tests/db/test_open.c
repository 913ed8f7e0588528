/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening: what is ours is made or brought up to date; what is not, or is in use, is refused by
 * name and left as it is. */
#include <check.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/internal.h"
#include "db/schema.h"
#include "db/sql.h"
#include "tests/db/disk.h"
#include "tests/db/ground.h"

static const struct db_limits no_limits;

/* Opening path must fail with that code, and say so in a line that has all the words. */
static void assert_refused(const char *path, enum err_code code, const char *const *words)
{
    struct db *db;
    struct err err;

    ck_assert_int_eq(db_open(path, &no_limits, &db, &err), -1);
    ck_assert_msg(err.code == code, "%s: %s", err_code_name(err.code), err.text);
    ck_assert_msg(strstr(err.text, path) != NULL, "'%s' does not name %s", err.text, path);
    for (; *words; words++)
        ck_assert_msg(strstr(err.text, *words) != NULL, "'%s' does not say '%s'", err.text, *words);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static mode_t mode_of(const char *suffix)
{
    char path[128];
    struct stat what;

    snprintf(path, sizeof(path), "%s%s", ground_path, suffix);
    ck_assert_msg(stat(path, &what) == 0, "%s", path);
    return what.st_mode & 07777;
}

START_TEST(a_new_database_is_nobody_elses_to_read)
{
    struct db *db;

    umask(0);
    db = ground_open();
    ck_assert_uint_eq(mode_of(""), 0600);
    ck_assert_uint_eq(mode_of("-wal"), 0600);
    ck_assert_uint_eq(mode_of("-shm"), 0600);
    ck_assert_uint_eq(mode_of(".lock"), 0600);
    db_close(db);
}
END_TEST

static int64_t number(struct db *db, const char *sql)
{
    int64_t value;
    struct err err;

    ck_assert_msg(sql_number(db->connection.handle, sql, &value, &err) == 0, "%s", err.text);
    return value;
}

START_TEST(the_connection_is_a_careful_one)
{
    struct db *db = ground_open();
    char mode[16];
    int defensive = 0;

    ck_assert_int_eq(
        sql_text(db->connection.handle, "PRAGMA journal_mode", mode, sizeof(mode), NULL), 0);
    ck_assert_str_eq(mode, "wal");
    ck_assert_int_eq(number(db, "PRAGMA synchronous"), 2);
    ck_assert_int_eq(number(db, "PRAGMA foreign_keys"), 1);
    ck_assert_int_eq(number(db, "PRAGMA trusted_schema"), 0);
    ck_assert_int_gt(number(db, "PRAGMA busy_timeout"), 0);
    sqlite3_db_config(db->connection.handle, SQLITE_DBCONFIG_DEFENSIVE, -1, &defensive);
    ck_assert_int_eq(defensive, 1);
    ck_assert_int_eq(number(db, "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND "
                                "name NOT LIKE 'sqlite_%'"),
                     8);
    ck_assert_int_eq(number(db, "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND "
                                "name NOT LIKE 'sqlite_%' AND NOT strict"),
                     0);
    db_close(db);
}
END_TEST

START_TEST(an_empty_file_becomes_a_database)
{
    struct db *db;

    ground_write(ground_path, "", 0);
    db = ground_open();
    ck_assert_int_eq(number(db, "PRAGMA user_version"), schema_version());
    ck_assert_int_eq(number(db, "PRAGMA application_id"), SCHEMA_APPLICATION_ID);
    ck_assert_int_eq(db_last_event(db), 0);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "");
}
END_TEST

/* --- versions --------------------------------------------------------------------------------- */

/* Makes ground_path out of tests/db/NAME. */
static void make_saved(const char *name)
{
    const char *source = getenv("XENMEM_SRC");
    char path[512];
    size_t length;
    char *sql;

    snprintf(path, sizeof(path), "%s/tests/db/%s", source ? source : ".", name);
    sql = ground_read(path, &length);
    ground_sql(ground_path, sql);
    free(sql);
}

/* The schema, as SQLite keeps it. */
static char *schema_of(struct db *db)
{
    static const char sql[] =
        "SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_master ORDER BY name)";
    char *text = calloc(1, 8192);

    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(sql_text(db->connection.handle, sql, text, 8192, NULL), 0);
    return text;
}

START_TEST(a_saved_database_of_version_1_becomes_one_of_today)
{
    struct db *db;
    char *migrated, *fresh;

    make_saved("version-1.sql");
    db = ground_open();
    ck_assert_int_eq(number(db, "PRAGMA user_version"), schema_version());
    ck_assert_int_eq(db_last_event(db), 42);
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 100}), "40 41 42");
    ck_assert_str_eq(ground_rows(db, &(struct db_filter){.limit = 100, .vm = "db1"}), "41");
    migrated = schema_of(db);
    db_close(db);
    ck_assert_str_eq(ground_contents(), "vm db1 17 2097152 4194304\n"
                                        "vm web1 255 1048576 4194304\n"
                                        "layer 2 timed '' 1700000000000 1700003600000\n"
                                        "layer 5 policy 'night' 1700000100000 0\n"
                                        "setting 1 vm 'db1' 0 minimum=1048576\n"
                                        "setting 1 vm 'web1' 0 mode=2\n"
                                        "setting 1 vm 'web1' 0 priority=70\n"
                                        "setting 2 vm 'web1' 0 priority=90\n"
                                        "setting 5 host '' 0 reserve=262144\n"
                                        "setting 5 vm 'web*' 0 maximum=2097152\n"
                                        "setting 5 vm '*' 1 maximum=1048576\n");
    ground_remove();
    ground_make();
    db = ground_open();
    fresh = schema_of(db);
    db_close(db);
    ck_assert_str_eq(migrated, fresh);
    free(migrated);
    free(fresh);
}
END_TEST

/* Opening must fail, and every byte must be as before. */
static void assert_left_alone(enum err_code code, const char *const *words)
{
    size_t before, after;
    char *old = ground_read(ground_path, &before), *now;

    assert_refused(ground_path, code, words);
    now = ground_read(ground_path, &after);
    ck_assert_uint_eq(before, after);
    ck_assert_mem_eq(old, now, before);
    free(old);
    free(now);
}

START_TEST(a_newer_database_is_refused_naming_both_versions)
{
    char sql[64], own[64];

    db_close(ground_open());
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %" PRId64, schema_version() + 6);
    snprintf(own, sizeof(own), "up to %" PRId64 ":", schema_version());
    ground_sql(ground_path, sql);
    assert_left_alone(ERR_UNSUPPORTED, WORDS("of version 7,", own));
}
END_TEST

START_TEST(a_version_that_nobody_ever_wrote_is_damage)
{
    db_close(ground_open());
    ground_sql(ground_path, "PRAGMA user_version = -3");
    assert_left_alone(ERR_FAILED, WORDS("damaged", "-3"));
}
END_TEST

START_TEST(another_programs_database_is_left_alone)
{
    ground_sql(ground_path, "CREATE TABLE recipes (name TEXT)");
    assert_left_alone(ERR_INVALID, WORDS("another program's database"));
    ground_sql(ground_path, "DROP TABLE recipes; PRAGMA application_id = 77");
    assert_left_alone(ERR_INVALID, WORDS("another program's database"));
}
END_TEST

START_TEST(a_file_that_is_no_database_is_left_alone)
{
    char bytes[3000];

    memset(bytes, 'x', sizeof(bytes));
    ground_write(ground_path, bytes, sizeof(bytes));
    assert_left_alone(ERR_FAILED, WORDS("not a database"));
}
END_TEST

/* The migration is one transaction: wherever the disk fails, the next start finds version 0 or the
 * newest, and goes on. */
START_TEST(a_migration_that_is_cut_short_is_made_good_by_the_next)
{
    struct db *db;
    int refused = 0;

    disk_install();
    for (int after = 0;; after++) {
        int rc;

        ground_write(ground_path, "", 0);
        disk_fail(after, after % 2 ? SQLITE_FULL : SQLITE_IOERR_WRITE);
        rc = db_open(ground_path, &no_limits, &db, NULL);
        if (rc == 0)
            db_close(db);
        refused += rc != 0;
        ck_assert(rc == 0 || disk_has_failed());
        if (rc == 0 && !disk_has_failed())
            break;
        disk_mend();
        ck_assert_str_eq(ground_contents(), "");
        ground_remove();
        ck_assert_int_eq(mkdir(ground_folder, 0700), 0);
    }
    ck_assert_int_gt(refused, 5);
}
END_TEST

/* --- in use ----------------------------------------------------------------------------------- */

START_TEST(a_second_daemon_is_kept_out)
{
    struct db *db = ground_open();
    char link[128];

    assert_refused(ground_path, ERR_BUSY, WORDS("in use by another xenmemd"));
    snprintf(link, sizeof(link), "%s/link.db", ground_folder);
    ck_assert_int_eq(symlink(ground_path, link), 0);
    assert_refused(link, ERR_BUSY, WORDS("in use by another xenmemd"));
    ck_assert_int_eq(
        ground_change(db, &(struct db_change){.kind = DB_FORGET_VM, .vm.name = "x"}, 1, NULL), 0);
    db_close(db);
    db_close(ground_open());
}
END_TEST

START_TEST(other_programs_may_look_meanwhile)
{
    struct db *db = ground_open();
    const struct db_change change = change_vm("web1", 100);

    ck_assert_int_eq(ground_change(db, &change, 1, NULL), 0);
    ground_sql(ground_path, "SELECT * FROM vm");
    ck_assert_int_eq(ground_change(db, &change, 1, NULL), 0);
    db_close(db);
}
END_TEST

START_TEST(one_that_another_program_holds_is_refused_after_a_while)
{
    sqlite3 *handle;

    db_close(ground_open());
    ck_assert_int_eq(sqlite3_open(ground_path, &handle), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_refused(ground_path, ERR_BUSY, WORDS("locked"));
    sqlite3_close(handle);
    db_close(ground_open());
}
END_TEST

/* --- places ----------------------------------------------------------------------------------- */

START_TEST(where_it_cannot_be_the_path_is_named)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/none/xenmem.db", ground_folder);
    assert_refused(path, ERR_FAILED, WORDS("No such file or directory"));
    assert_refused(ground_folder, ERR_FAILED, WORDS("unable to open"));
    snprintf(path, sizeof(path), "%s.lock", ground_folder);
    unlink(path);
}
END_TEST

START_TEST(a_path_beyond_all_bounds_is_refused)
{
    char path[6000];
    struct db *db;
    struct err err;

    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    ck_assert_int_eq(db_open(path, &no_limits, &db, &err), -1);
    ck_assert_int_eq(db_open(path, &no_limits, &db, NULL), -1);
}
END_TEST

/* In a child that is nobody: root may everything. */
START_TEST(who_may_not_is_told_so)
{
    pid_t child;
    int status;

    db_close(ground_open());
    ck_assert_int_eq(chmod(ground_path, 0), 0);
    ck_assert_int_eq(chmod(ground_folder, 0755), 0);
    child = fork();
    if (child == 0) {
        struct db *db;
        struct err err;

        if (getuid() == 0 && setuid(65534))
            _exit(2);
        if (db_open(ground_path, &no_limits, &db, &err) == 0 || err.code != ERR_DENIED)
            _exit(3);
        _exit(strstr(err.text, ground_path) ? 0 : 4);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* --- damage ----------------------------------------------------------------------------------- */

static void fill(void)
{
    struct db *db = ground_open();
    struct db_change changes[40];
    char names[20][16];

    for (int i = 0; i < 20; i++) {
        snprintf(names[i], sizeof(names[i]), "vm-%d", i);
        changes[2 * i] = change_vm(names[i], 100 + i);
        changes[2 * i + 1] = change_setting(1, names[i], "minimum", 50 + i);
    }
    ck_assert_int_eq(ground_change(db, changes, 40, NULL), 0);
    for (int i = 1; i <= 40; i++) {
        const struct db_event event = event_of(i, names[i % 20], 1000 * i);

        db_note(db, &event);
    }
    db_close(db);
}

static void ignore_vm(void *arg, const struct db_vm *vm)
{
    *(size_t *)arg += strlen(vm->name) + vm->uuid[15];
}

static void ignore_layer(void *arg, const struct db_layer *layer)
{
    *(size_t *)arg += strlen(layer->kind);
}

static void ignore_setting(void *arg, const struct db_setting *setting)
{
    *(size_t *)arg += strlen(setting->match) + strlen(setting->key);
}

/* What a daemon does with it, whatever comes of it. */
static void use(struct db *db)
{
    size_t sum = 0;
    const struct db_visitor visitor = {&sum, ignore_vm, ignore_layer, ignore_setting, NULL, NULL};
    const struct db_change changes[] = {change_vm("vm-3", 1),
                                        change_setting(1, "vm-3", "buffer", 7),
                                        {.kind = DB_FORGET_VM, .vm.name = "vm-5"}};
    struct err err;

    (void)db_load(db, &visitor, &err);
    (void)ground_change(db, changes, 3, &err);
    db_close(db);
}

/* One byte in so many, one at a time, in one of three ways. */
START_TEST(flipped_bytes_are_refused_or_borne_but_never_fatal)
{
    size_t length;
    char *good;
    int refused = 0, opened = 0;

    fill();
    good = ground_read(ground_path, &length);
    for (size_t at = (size_t)_i; at < length; at += at < 200 ? 3 : 211) {
        static const char with[] = {'\xff', '\x01', '\x80'};
        struct db *db;
        struct err err;

        good[at] = (char)(good[at] ^ with[at % 3]);
        ground_write(ground_path, good, length);
        good[at] = (char)(good[at] ^ with[at % 3]);
        if (db_open(ground_path, &no_limits, &db, &err)) {
            ck_assert_msg(strstr(err.text, ground_path) != NULL, "byte %zu: %s", at, err.text);
            refused++;
        } else {
            use(db);
            opened++;
        }
    }
    ck_assert_int_gt(refused, 10);
    ck_assert_int_gt(opened, 10);
    free(good);
}
END_TEST

START_TEST(a_table_that_is_not_as_it_should_be_is_borne)
{
    struct db *db;
    struct err err;

    db_close(ground_open());
    ground_sql(ground_path, "DROP TABLE vm; CREATE TABLE vm (name TEXT PRIMARY KEY, uuid, "
                            "target_kib, static_max_kib); INSERT INTO vm VALUES ('a', NULL, 'b', "
                            "3.5); INSERT INTO vm VALUES (NULL, x'00', NULL, NULL)");
    db = ground_open();
    use(db);
    ground_sql(ground_path, "DROP TABLE vm");
    ck_assert_int_eq(db_open(ground_path, &no_limits, &db, &err), -1);
    ck_assert_msg(strstr(err.text, "no such table: vm") != NULL, "%s", err.text);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
    db_close(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("db: opening");
    TCase *tests = tcase_create("opening");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, ground_make, ground_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_new_database_is_nobody_elses_to_read);
    tcase_add_test(tests, the_connection_is_a_careful_one);
    tcase_add_test(tests, an_empty_file_becomes_a_database);
    tcase_add_test(tests, a_saved_database_of_version_1_becomes_one_of_today);
    tcase_add_test(tests, a_newer_database_is_refused_naming_both_versions);
    tcase_add_test(tests, a_version_that_nobody_ever_wrote_is_damage);
    tcase_add_test(tests, another_programs_database_is_left_alone);
    tcase_add_test(tests, a_file_that_is_no_database_is_left_alone);
    tcase_add_test(tests, a_migration_that_is_cut_short_is_made_good_by_the_next);
    tcase_add_test(tests, a_second_daemon_is_kept_out);
    tcase_add_test(tests, other_programs_may_look_meanwhile);
    tcase_add_test(tests, one_that_another_program_holds_is_refused_after_a_while);
    tcase_add_test(tests, where_it_cannot_be_the_path_is_named);
    tcase_add_test(tests, a_path_beyond_all_bounds_is_refused);
    tcase_add_test(tests, who_may_not_is_told_so);
    tcase_add_loop_test(tests, flipped_bytes_are_refused_or_borne_but_never_fatal, 0, 3);
    tcase_add_test(tests, a_table_that_is_not_as_it_should_be_is_borne);
    tcase_add_test(tests, closing_nothing_is_fine);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
