/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/db/disk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"

/* One open file; the real one's object stands behind it. */
struct disk_file {
    sqlite3_file base;
    const char *name; /* whole path; SQLite's, as long as it is open; NULL for a temporary one */
    bool dirty;       /* written since the last sync */
    uint8_t *synced;  /* then: what it was before */
    sqlite3_int64 n_synced;
    struct disk_file *next; /* of all that are open */
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool hold, held;
    int until_failure; /* writes that still succeed; −1: all */
    int code;          /* of those that do not */
    bool failed;
    struct disk_file *open;
    sqlite3_vfs *real;
} disk = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, .until_failure = -1};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)((struct disk_file *)(void *)file + 1);
}

static const sqlite3_io_methods *methods_of(sqlite3_file *file)
{
    return real_of(file)->pMethods;
}

/* --- what the tests steer --------------------------------------------------------------------- */

void disk_hold(void)
{
    pthread_mutex_lock(&disk.mutex);
    disk.hold = true;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_let_go(void)
{
    pthread_mutex_lock(&disk.mutex);
    disk.hold = false;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.mutex);
}

void disk_await_held(void)
{
    pthread_mutex_lock(&disk.mutex);
    while (!disk.held)
        pthread_cond_wait(&disk.changed, &disk.mutex);
    pthread_mutex_unlock(&disk.mutex);
}

void disk_fail(int after, int code)
{
    pthread_mutex_lock(&disk.mutex);
    disk.until_failure = after;
    disk.code = code;
    disk.failed = false;
    pthread_mutex_unlock(&disk.mutex);
}

bool disk_has_failed(void)
{
    bool failed;

    pthread_mutex_lock(&disk.mutex);
    failed = disk.failed;
    pthread_mutex_unlock(&disk.mutex);
    return failed;
}

void disk_mend(void)
{
    disk_fail(-1, SQLITE_OK);
}

static void wait_while_held(void)
{
    pthread_mutex_lock(&disk.mutex);
    while (disk.hold) {
        disk.held = true;
        pthread_cond_broadcast(&disk.changed);
        pthread_cond_wait(&disk.changed, &disk.mutex);
    }
    disk.held = false;
    pthread_mutex_unlock(&disk.mutex);
}

/* SQLITE_OK, or what a write fails with. */
static int next_outcome(void)
{
    int code = SQLITE_OK;

    pthread_mutex_lock(&disk.mutex);
    if (disk.until_failure > 0)
        disk.until_failure--;
    else if (disk.until_failure == 0)
        code = disk.code;
    disk.failed |= code != SQLITE_OK;
    pthread_mutex_unlock(&disk.mutex);
    return code;
}

/* --- what a power cut leaves ------------------------------------------------------------------ */

/* Before the first change since the last sync: keeps what is there. */
static void keep_synced(struct disk_file *file)
{
    sqlite3_file *real = real_of(&file->base);

    if (file->dirty)
        return;
    file->dirty = true;
    invariant(real->pMethods->xFileSize(real, &file->n_synced) == SQLITE_OK);
    file->synced = malloc(file->n_synced > 0 ? (size_t)file->n_synced : 1);
    invariant(file->synced);
    if (file->n_synced > 0)
        invariant(real->pMethods->xRead(real, file->synced, (int)file->n_synced, 0) == SQLITE_OK);
}

static void forget_synced(struct disk_file *file)
{
    free(file->synced);
    file->synced = NULL;
    file->dirty = false;
}

static void copy_synced(struct disk_file *file, const char *folder)
{
    const char *slash = strrchr(file->name, '/');
    bool was_dirty = file->dirty;
    char path[512];
    FILE *copy;

    snprintf(path, sizeof(path), "%s/%s", folder, slash + 1);
    copy = fopen(path, "wb");
    invariant(copy);
    keep_synced(file);
    invariant(fwrite(file->synced, 1, (size_t)file->n_synced, copy) == (size_t)file->n_synced);
    invariant(fclose(copy) == 0);
    if (!was_dirty)
        forget_synced(file);
}

void disk_copy_after_power_cut(const char *folder)
{
    pthread_mutex_lock(&disk.mutex);
    for (struct disk_file *file = disk.open; file; file = file->next)
        if (file->name)
            copy_synced(file, folder);
    pthread_mutex_unlock(&disk.mutex);
}

/* --- SQLite's files ----------------------------------------------------------------------------
 */

static int on_close(sqlite3_file *file)
{
    struct disk_file *own = (struct disk_file *)(void *)file;
    struct disk_file **at = &disk.open;

    pthread_mutex_lock(&disk.mutex);
    while (*at != own)
        at = &(*at)->next;
    *at = own->next;
    pthread_mutex_unlock(&disk.mutex);
    forget_synced(own);
    return methods_of(file)->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 at)
{
    return methods_of(file)->xRead(real_of(file), bytes, length, at);
}

static int on_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at)
{
    int code = next_outcome();

    if (code != SQLITE_OK)
        return code;
    keep_synced((struct disk_file *)(void *)file);
    return methods_of(file)->xWrite(real_of(file), bytes, length, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = next_outcome();

    if (code != SQLITE_OK)
        return code;
    keep_synced((struct disk_file *)(void *)file);
    return methods_of(file)->xTruncate(real_of(file), size);
}

static int on_sync(sqlite3_file *file, int flags)
{
    int code;

    wait_while_held();
    code = next_outcome();
    if (code == SQLITE_OK)
        code = methods_of(file)->xSync(real_of(file), flags);
    if (code == SQLITE_OK)
        forget_synced((struct disk_file *)(void *)file);
    return code;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return methods_of(file)->xFileSize(real_of(file), size);
}

static int on_lock(sqlite3_file *file, int level)
{
    return methods_of(file)->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return methods_of(file)->xUnlock(real_of(file), level);
}

static int on_check_reserved(sqlite3_file *file, int *result)
{
    return methods_of(file)->xCheckReservedLock(real_of(file), result);
}

static int on_control(sqlite3_file *file, int what, void *arg)
{
    return methods_of(file)->xFileControl(real_of(file), what, arg);
}

static int on_sector_size(sqlite3_file *file)
{
    return methods_of(file)->xSectorSize(real_of(file));
}

static int on_characteristics(sqlite3_file *file)
{
    return methods_of(file)->xDeviceCharacteristics(real_of(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return methods_of(file)->xShmMap(real_of(file), page, size, extend, out);
}

static int on_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return methods_of(file)->xShmLock(real_of(file), offset, count, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    methods_of(file)->xShmBarrier(real_of(file));
}

static int on_shm_unmap(sqlite3_file *file, int delete)
{
    return methods_of(file)->xShmUnmap(real_of(file), delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                   int *out_flags)
{
    struct disk_file *own = (struct disk_file *)(void *)file;
    int code;

    (void)vfs;
    memset(own, 0, sizeof(*own));
    memset(real_of(file), 0, (size_t)disk.real->szOsFile);
    code = disk.real->xOpen(disk.real, name, real_of(file), flags, out_flags);
    if (code != SQLITE_OK)
        return code;
    own->base.pMethods = &methods;
    own->name = name;
    pthread_mutex_lock(&disk.mutex);
    own->next = disk.open;
    disk.open = own;
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

void disk_install(void)
{
    static sqlite3_vfs vfs;

    if (disk.real)
        return;
    disk.real = sqlite3_vfs_find(NULL);
    invariant(disk.real);
    vfs = *disk.real;
    vfs.zName = "disk-of-the-tests";
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct disk_file) + disk.real->szOsFile;
    vfs.xOpen = on_open;
    invariant(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
}
