/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups, online. A thread with a connection of its own reads one state of the database, whatever
 * is written meanwhile, into a new file beside the wanted one, which takes its name once it is
 * whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "db/internal.h"
#include "db/sql.h"

#define PAGES_A_STEP 256

struct backup {
    struct db *db;
    char file[PATH_MAX];    /* where it is to be */
    char partial[PATH_MAX]; /* where it is made */
    pthread_t thread;
    atomic_bool given_up, ended;
    db_done_fn *done;
    void *arg;
};

/* --- what is there -----------------------------------------------------------------------------
 */

static bool is_same_file(const struct stat *what, const char *path, const char *suffix)
{
    char other_path[PATH_MAX + 8];
    struct stat other;

    snprintf(other_path, sizeof(other_path), "%s%s", path, suffix);
    return stat(other_path, &other) == 0 && other.st_dev == what->st_dev &&
           other.st_ino == what->st_ino;
}

/* Has it the mark of our databases? */
static bool is_ours(const char *path)
{
    static const char magic[] = "SQLite format 3";
    char head[72] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd >= 0 ? read(fd, head, sizeof(head)) : -1;

    if (fd >= 0)
        close(fd);
    return got == (ssize_t)sizeof(head) && memcmp(head, magic, sizeof(magic)) == 0 &&
           memcmp(head + 68, "xmem", 4) == 0;
}

static int check_place(const struct db *db, const char *file, struct err *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    struct stat what;

    if (file[0] != '/' || strlen(file) + 16 >= PATH_MAX)
        return err_set(err, ERR_INVALID, "'%.200s' is no absolute path of a file", file);
    if (stat(file, &what)) {
        if (errno == ENOENT)
            return 0;
        return err_set_errno(err, ERR_FAILED, errno, "%s", file);
    }
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
        if (is_same_file(&what, db->path, suffixes[i]))
            return err_set(err, ERR_INVALID,
                           "%s is the database itself: a backup needs another file", file);
    if (!S_ISREG(what.st_mode) || !is_ours(file))
        return err_set(err, ERR_INVALID, "%s exists and is no backup of xenmem: name another file",
                       file);
    return 0;
}

/* --- the copy ----------------------------------------------------------------------------------
 */

static int copy_pages(struct backup *backup, struct sqlite3 *from, struct sqlite3 *to,
                      struct err *err)
{
    struct sqlite3_backup *copy;
    int result;

    /* An open read transaction holds one state of it: nothing begins anew when it is written to. */
    if (sql_run(from, "BEGIN; SELECT count(*) FROM sqlite_master", err))
        return -1;
    copy = sqlite3_backup_init(to, "main", from, "main");
    if (!copy)
        return sql_failed(to, err);
    do
        result = sqlite3_backup_step(copy, PAGES_A_STEP);
    while (result == SQLITE_OK && !atomic_load(&backup->given_up));
    sqlite3_backup_finish(copy);
    if (result == SQLITE_DONE)
        return 0;
    if (result == SQLITE_OK)
        return err_set(err, ERR_UNREACHABLE, "xenmemd is stopping");
    return sql_failed(to, err);
}

static int copy_database(struct backup *backup, struct err *err)
{
    struct sqlite3 *from = NULL, *to = NULL;
    int rc = -1;

    if (sqlite3_open_v2(backup->db->path, &from, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        sql_failed(from, err);
    else if (sqlite3_open_v2(backup->partial, &to, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        sql_failed(to, err);
    else
        rc = copy_pages(backup, from, to, err);
    sqlite3_close(from);
    if (sqlite3_close(to) != SQLITE_OK)
        rc = err_set(err, ERR_FAILED, "the copy cannot be closed");
    return rc;
}

static int sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) ? -1 : 0;

    if (fd >= 0)
        close(fd);
    return rc;
}

/* Whole, on disk, and only then under its name; and the name is on disk too. */
static int put_in_place(const struct backup *backup, struct err *err)
{
    char folder[PATH_MAX];
    char *slash;

    snprintf(folder, sizeof(folder), "%s", backup->file);
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    if (sync_path(backup->partial) || rename(backup->partial, backup->file) ||
        sync_path(slash ? folder : "."))
        return err_set_errno(err, ERR_FAILED, errno, "%s", backup->file);
    return 0;
}

static void *backup_main(void *arg)
{
    struct backup *backup = arg;
    struct job *answer = job_new(NULL, 0);

    answer->done = backup->done;
    answer->arg = backup->arg;
    answer->rc = copy_database(backup, &answer->err);
    if (answer->rc == 0)
        answer->rc = put_in_place(backup, &answer->err);
    if (answer->rc) {
        err_wrap(&answer->err, "back up to %s", backup->file);
        (void)unlink(backup->partial);
    }
    atomic_store(&backup->ended, true);
    writer_hand_back(backup->db, answer);
    return NULL;
}

/* --- for others --------------------------------------------------------------------------------
 */

void backup_end(struct backup *backup)
{
    if (!backup)
        return;
    atomic_store(&backup->given_up, true);
    pthread_join(backup->thread, NULL);
    free(backup);
}

static int make_partial(struct backup *backup, struct err *err)
{
    int fd;

    snprintf(backup->partial, sizeof(backup->partial), "%.*s.XXXXXX", PATH_MAX - 8, backup->file);
    fd = mkostemp(backup->partial, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_FAILED, errno, "make %s",
                             backup->file);
    close(fd);
    return 0;
}

int db_backup(struct db *db, const char *file, db_done_fn *done, void *arg, struct err *err)
{
    struct backup *backup;
    int result;

    if (check_place(db, file, err))
        return -1;
    if (db->backup && !atomic_load(&db->backup->ended))
        return err_set(err, ERR_BUSY, "a backup to %s is going on", db->backup->file);
    backup_end(db->backup);
    db->backup = NULL;
    backup = calloc(1, sizeof(*backup));
    invariant(backup);
    backup->db = db;
    backup->done = done;
    backup->arg = arg;
    snprintf(backup->file, sizeof(backup->file), "%s", file);
    if (make_partial(backup, err)) {
        free(backup);
        return -1;
    }
    result = pthread_create(&backup->thread, NULL, backup_main, backup);
    if (result) {
        (void)unlink(backup->partial);
        free(backup);
        return err_set_errno(err, ERR_FAILED, result, "start the backup's thread");
    }
    db->backup = backup;
    return 0;
}
