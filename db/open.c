/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening: with a lock, careful with what is in the file; and, on a disk that is read-only, for
 * reading alone until it can be written. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "db/internal.h"
#include "db/schema.h"
#include "db/sql.h"

#define BUSY_MS 2000 /* how long another program's lock is waited for */

static int open_failed(const char *path, struct err *err)
{
    int problem = errno;
    bool denied = problem == EACCES || problem == EPERM;

    err_set_errno(err, denied ? ERR_DENIED : ERR_FAILED, problem, "open %s", path);
    if (problem == EROFS)
        return err_advise(err, "mount its disk writable");
    return err_advise(err, "%sname another database", denied ? "run xenmemd as root, or " : "");
}

/* SQLite would create it with the umask's mode. One that is there is not opened: to close it again
 * would drop the locks that SQLite has on it in this process. */
static int create_private(const char *path, struct err *err)
{
    int fd;

    if (access(path, R_OK | W_OK) == 0)
        return 0;
    fd = errno == ENOENT ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return open_failed(path, err);
    close(fd);
    return 0;
}

/* A lock of our own, so that other programs may still look into the database. It goes by the real
 * path: a link is another name of the same database. */
static int take_lock(const char *path, int *out, struct err *err)
{
    char real[PATH_MAX], lock_path[PATH_MAX + sizeof(".lock")];
    int fd;

    if (!realpath(path, real))
        return open_failed(path, err);
    snprintf(lock_path, sizeof(lock_path), "%s.lock", real);
    fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return open_failed(lock_path, err);
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        return err_set(err, ERR_BUSY,
                       "%s is in use by another xenmemd: stop that one, or name another database",
                       path);
    }
    *out = fd;
    return 0;
}

static int check_integrity(struct sqlite3 *handle, bool *damaged, struct err *err)
{
    static const char advice[] = "put a backup in its place, or move it away";
    char answer[200];

    if (sql_text(handle, "PRAGMA quick_check(1)", answer, sizeof(answer), err))
        return err->code == ERR_BUSY ? -1 : err_set(err, ERR_FAILED, "cannot be read: %s", advice);
    if (strcmp(answer, "ok") == 0)
        return 0;
    *damaged = true;
    return err_set(err, ERR_FAILED, "is damaged (%s): %s", answer, advice);
}

/* Commits are on disk when they return (synchronous), and a reader does not hold the writer up. */
static int use_wal(struct sqlite3 *handle, struct err *err)
{
    char mode[16];

    if (sql_text(handle, "PRAGMA journal_mode = WAL", mode, sizeof(mode), err))
        return -1;
    if (strcmp(mode, "wal") != 0)
        return err_set(err, ERR_FAILED, "cannot have a write-ahead log (%s): is it on a network?",
                       mode);
    return sql_run(handle, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216", err);
}

/* What is in the file is not trusted: it may be another program's, damaged, or made to harm. */
static int configure(struct sqlite3 *handle, struct err *err)
{
    sqlite3_busy_timeout(handle, BUSY_MS);
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return sql_run(handle,
                   "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                   "PRAGMA foreign_keys = ON",
                   err);
}

/* Was it ours once? Another program's file must not be moved, whatever the configuration says. */
static bool was_ours(const char *path)
{
    static const unsigned char mark[] = {0x78, 0x6d, 0x65, 0x6d}; /* SCHEMA_APPLICATION_ID */
    unsigned char head[72] = {0};
    FILE *file = fopen(path, "rbe");
    size_t got = file ? fread(head, 1, sizeof(head), file) : 0;

    if (file)
        fclose(file);
    return got == sizeof(head) && memcmp(head + 68, mark, sizeof(mark)) == 0;
}

static bool is_damage(struct sqlite3 *handle)
{
    int result = sqlite3_errcode(handle) & 0xff;

    return result == SQLITE_CORRUPT || result == SQLITE_NOTADB;
}

/* Nothing is written before it is known to be ours, and whole. */
static int open_writable(const char *path, struct connection *connection, bool *damaged,
                         struct err *err)
{
    int rc = -1;

    if (sqlite3_open_v2(path, &connection->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        sql_failed(connection->handle, err);
        err_advise(err, "name another database");
        return err_wrap(err, "%s", path);
    }
    if (configure(connection->handle, err) == 0 && schema_check(connection->handle, err) == 0)
        rc = check_integrity(connection->handle, damaged, err);
    *damaged |= rc && is_damage(connection->handle);
    if (rc == 0 && (use_wal(connection->handle, err) || schema_migrate(connection->handle, err) ||
                    connection_prepare(connection, err)))
        rc = err_advise(err, "see to its disk, or name another database");
    return rc ? err_wrap(err, "%s", path) : 0;
}

/* --- a disk that is read-only ------------------------------------------------------------------
 */

/* A path as a URI that says that nobody writes to the file, so that SQLite needs no files of its
 * own beside it. */
static void write_immutable_uri(const char *path, char *out, size_t room)
{
    size_t length = (size_t)snprintf(out, room, "file:");

    for (; *path; path++)
        length += (size_t)snprintf(out + length, room - length,
                                   strchr("%?#", *path) ? "%%%02x" : "%c", (unsigned char)*path);
    snprintf(out + length, room - length, "?immutable=1");
}

static bool has_log(const char *path)
{
    char log[PATH_MAX + sizeof("-wal")];
    struct stat what;

    snprintf(log, sizeof(log), "%s-wal", path);
    return stat(log, &what) == 0 && what.st_size > 0;
}

/* For reading alone. What a log has that was left behind is read too. path is a real one. */
static int open_readable(const char *path, struct connection *connection, bool *damaged,
                         struct err *err)
{
    char uri[3 * PATH_MAX + sizeof("file:?immutable=1")];
    int rc = -1;

    if (has_log(path))
        snprintf(uri, sizeof(uri), "%s", path);
    else
        write_immutable_uri(path, uri, sizeof(uri));
    if (sqlite3_open_v2(uri, &connection->handle,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        sql_failed(connection->handle, err);
    else if (configure(connection->handle, err) == 0 && schema_check(connection->handle, err) == 0)
        rc = check_integrity(connection->handle, damaged, err);
    *damaged |= rc && is_damage(connection->handle);
    return rc || connection_prepare(connection, err) ? err_wrap(err, "%s", path) : 0;
}

/* Why nothing can be written is kept as the failure that db_is_failing tells of. */
static int stand_in(struct db *db, const char *path, bool *damaged, struct err *err)
{
    db->path = realpath(path, NULL);
    if (!db->path)
        return open_failed(path, err);
    db->failure = *err;
    db->stands_in = true;
    db->failing = true;
    return open_readable(db->path, &db->connection, damaged, err);
}

int database_make_writable(struct db *db, struct err *err)
{
    const struct connection nothing = {.limits = db->connection.limits};
    struct err own;
    bool damaged = false;

    if (!db->stands_in)
        return 0;
    if (create_private(db->path, err) ||
        (db->lock_fd < 0 && take_lock(db->path, &db->lock_fd, err)))
        return -1;
    /* SQLite shares what it has of a log among the connections of a process: the one that only
     * reads has to go first. */
    connection_close(&db->connection);
    db->connection = nothing;
    if (open_writable(db->path, &db->connection, &damaged, err) == 0) {
        db->stands_in = false;
        return 0;
    }
    connection_close(&db->connection);
    db->connection = nothing;
    if (open_readable(db->path, &db->connection, &damaged, &own)) {
        connection_close(&db->connection);
        db->connection = nothing;
    }
    return -1;
}

/* --------------------------------------------------------------------------------------------- */

static int open_either(struct db *db, const char *path, bool *damaged, struct err *err)
{
    bool read_only = access(path, R_OK) == 0 && access(path, W_OK) != 0 && errno == EROFS;

    if (read_only) {
        open_failed(path, err);
        return stand_in(db, path, damaged, err);
    }
    if (create_private(path, err) || take_lock(path, &db->lock_fd, err))
        return -1;
    return open_writable(path, &db->connection, damaged, err);
}

int open_or_tell(const char *path, const struct db_limits *limits, bool *damaged, struct db **out,
                 struct err *err)
{
    struct db *db = calloc(1, sizeof(*db));
    struct err own;

    if (!err)
        err = &own;
    invariant(db);
    db->lock_fd = db->event_fd = -1;
    db->limits = *limits;
    *damaged = false;
    if (open_either(db, path, damaged, err) ||
        sql_number(db->connection.handle, "SELECT coalesce(max(id), 0) FROM event", &db->last_event,
                   err) ||
        sql_number(
            db->connection.handle,
            "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'reservation'), 0)",
            &db->last_reservation, err))
        goto failed;
    db->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (db->event_fd < 0) {
        err_set_errno(err, ERR_FAILED, errno, "make an eventfd for the database");
        err_advise(err, "let xenmemd have more open files (ulimit -n)");
        goto failed;
    }
    if (!db->path)
        db->path = realpath(path, NULL);
    invariant(db->path);
    if (writer_start(db, err))
        goto failed;
    *out = db;
    return 0;
failed:
    *damaged = *damaged && was_ours(path);
    db_close(db);
    return -1;
}
