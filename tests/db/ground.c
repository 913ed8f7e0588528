/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/db/ground.h"

#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char ground_folder[64];
char ground_path[96];

static char text[65536];

void ground_make(void)
{
    strcpy(ground_folder, "/tmp/xenmem-test-db-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(ground_folder));
    snprintf(ground_path, sizeof(ground_path), "%s/xenmem.db", ground_folder);
}

void ground_remove(void)
{
    DIR *folder = opendir(ground_folder);
    struct dirent *entry;
    char path[512];

    while (folder && (entry = readdir(folder))) {
        snprintf(path, sizeof(path), "%s/%s", ground_folder, entry->d_name);
        (void)unlink(path);
    }
    if (folder)
        closedir(folder);
    (void)rmdir(ground_folder);
}

struct db *ground_open_limited(int64_t event_age_ms, int64_t event_count)
{
    const struct db_limits limits = {.event_age_ms = event_age_ms, .event_count = event_count};
    struct db *db;
    struct err err;

    ck_assert_msg(db_open(ground_path, &limits, &db, &err) == 0, "%s", err.text);
    return db;
}

struct db *ground_open(void)
{
    return ground_open_limited(0, 0);
}

/* --- answers ---------------------------------------------------------------------------------- */

void answer_take(void *arg, int rc, const struct err *err)
{
    static int order;
    struct answer *answer = arg;

    ck_assert(!answer->came);
    *answer = (struct answer){true, rc, *err, ++order};
}

static void dispatch_next(struct db *db)
{
    struct pollfd ready = {.fd = db_fd(db), .events = POLLIN};

    ck_assert_int_eq(poll(&ready, 1, GROUND_WAIT_MS), 1);
    db_dispatch(db);
}

int answer_await(struct db *db, struct answer *answer)
{
    while (!answer->came)
        dispatch_next(db);
    return answer->rc;
}

int ground_change(struct db *db, const struct db_change *changes, size_t count, struct err *err)
{
    struct answer answer = {0};

    if (db_post(db, changes, count, answer_take, &answer, err))
        return -1;
    answer_await(db, &answer);
    if (err)
        *err = answer.err;
    return answer.rc;
}

void ground_await_failing(struct db *db, bool failing)
{
    while (db_is_failing(db, NULL) != failing)
        dispatch_next(db);
}

/* --- changes ---------------------------------------------------------------------------------- */

struct db_change change_vm(const char *name, int64_t target_kib)
{
    return (struct db_change){
        .kind = DB_PUT_VM,
        .vm = {.name = name, .uuid = {7}, .target_kib = target_kib, .static_max_kib = 4096}};
}

struct db_change change_layer(int64_t id, const char *kind)
{
    return (struct db_change){
        .kind = DB_ADD_LAYER,
        .layer = {.id = id, .kind = kind, .name = "", .created_ms = 5, .expires_ms = 9}};
}

struct db_change change_setting(int64_t layer, const char *match, const char *key, int64_t value)
{
    return (struct db_change){
        .kind = DB_PUT_SETTING,
        .setting = {.layer = layer, .scope = "vm", .match = match, .key = key, .value = value}};
}

struct db_event event_of(int64_t id, const char *vm, int64_t time_ms)
{
    return (struct db_event){.id = id,
                             .time_ms = time_ms,
                             .kind = "vm-low",
                             .vm = vm,
                             .domid = -1,
                             .uid = -1,
                             .detail = "a=1"};
}

/* --- contents --------------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static void add_text(const char *format, ...)
{
    size_t length = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + length, sizeof(text) - length, format, args);
    va_end(args);
}

static void add_vm(void *arg, const struct db_vm *vm)
{
    (void)arg;
    add_text("vm %s %d %" PRId64 " %" PRId64 "\n", vm->name, vm->uuid[0], vm->target_kib,
             vm->static_max_kib);
}

static void add_layer(void *arg, const struct db_layer *layer)
{
    (void)arg;
    add_text("layer %" PRId64 " %s '%s' %" PRId64 " %" PRId64 "\n", layer->id, layer->kind,
             layer->name, layer->created_ms, layer->expires_ms);
}

static void add_setting(void *arg, const struct db_setting *setting)
{
    (void)arg;
    add_text("setting %" PRId64 " %s '%s' %" PRId64 " %s=%" PRId64 "\n", setting->layer,
             setting->scope, setting->match, setting->ordinal, setting->key, setting->value);
}

const char *ground_contents(void)
{
    const struct db_visitor visitor = {NULL, add_vm, add_layer, add_setting, NULL, NULL};
    struct db *db = ground_open();
    struct err err;

    text[0] = '\0';
    ck_assert_msg(db_load(db, &visitor, &err) == 0, "%s", err.text);
    db_close(db);
    return text;
}

static void add_rows(void *arg, const struct db_event *rows, size_t count)
{
    (void)arg;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        add_text("%s%" PRId64, i > 0 ? " " : "", rows[i].id);
}

static void note_end(void *arg, int rc, const struct err *err)
{
    ck_assert_msg(rc == 0, "%s", err->text);
    *(bool *)arg = true;
}

const char *ground_rows(struct db *db, const struct db_filter *filter)
{
    bool came = false;

    ck_assert_int_eq(db_query_events(db, filter, add_rows, note_end, &came, NULL), 0);
    while (!came)
        dispatch_next(db);
    return text;
}

/* --- files ------------------------------------------------------------------------------------ */

void ground_sql(const char *path, const char *sql)
{
    sqlite3 *handle;

    ck_assert_int_eq(sqlite3_open(path, &handle), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(handle, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(handle));
    ck_assert_int_eq(sqlite3_close(handle), SQLITE_OK);
}

char *ground_read(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *bytes;
    long size;

    ck_assert_msg(file != NULL, "%s", path);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    rewind(file);
    bytes = calloc(1, (size_t)size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    *length = (size_t)size;
    return bytes;
}

void ground_write(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}
