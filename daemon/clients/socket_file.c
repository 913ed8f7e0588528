/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/clients/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define BACKLOG 128
#define ANOTHER "name another socket (--socket, or socket = under [daemon])"

static int fail(struct err *err, int problem, const char *what, const char *path)
{
    enum err_code code = problem == EACCES || problem == EPERM ? ERR_DENIED : ERR_FAILED;

    err_set_errno(err, code, problem, "%s %s", what, path);
    return err_advise(err, "%s" ANOTHER, code == ERR_DENIED ? "run xenmemd as root, or " : "");
}

static int make_folder(const char *path, struct err *err)
{
    char folder[sizeof(((struct socket_file *)0)->path)];
    char *slash;

    snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return 0;
    *slash = '\0';
    if (mkdir(folder, 0755) == 0 || errno == EEXIST)
        return 0;
    return fail(err, errno, "make the socket's folder", folder);
}

static int take_lock(struct socket_file *file, struct err *err)
{
    char path[sizeof(file->path) + 5];

    snprintf(path, sizeof(path), "%s.lock", file->path);
    file->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->lock_fd < 0)
        return fail(err, errno, "open", path);
    if (flock(file->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return fail(err, errno, "lock", path);
    return err_set(err, ERR_BUSY, "xenmemd already runs on %s: stop that one, or " ANOTHER,
                   file->path);
}

static struct sockaddr_un address_of(const struct socket_file *file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, file->path, sizeof(file->path));
    return address;
}

/* 0: nobody; EAGAIN counts as somebody who has his hands full. Else the errno of the attempt. */
static int who_listens(const struct socket_file *file)
{
    const struct sockaddr_un address = address_of(file);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int problem = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) && errno != EAGAIN)
        problem = errno;
    close(fd);
    return problem;
}

static int remove_stale(const struct socket_file *file, struct err *err)
{
    struct stat there;
    int problem;

    if (lstat(file->path, &there))
        return errno == ENOENT ? 0 : fail(err, errno, "look at", file->path);
    if (!S_ISSOCK(there.st_mode))
        return err_set(err, ERR_INVALID, "%s is there and is not a socket: remove it, or " ANOTHER,
                       file->path);
    problem = who_listens(file);
    if (problem == 0)
        return err_set(err, ERR_BUSY, "another program listens on %s: stop it, or " ANOTHER,
                       file->path);
    if (problem != ECONNREFUSED)
        return fail(err, problem, "see who listens on", file->path);
    return unlink(file->path) == 0 || errno == ENOENT ? 0 : fail(err, errno, "remove", file->path);
}

/* The socket is born closed to others, and opened to them when it is complete. */
static int bind_and_listen(struct socket_file *file, mode_t mode, struct err *err)
{
    const struct sockaddr_un address = address_of(file);

    file->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file->fd < 0)
        return fail(err, errno, "make the socket", file->path);
    if (fchmod(file->fd, 0600) ||
        bind(file->fd, (const struct sockaddr *)&address, sizeof(address)) ||
        listen(file->fd, BACKLOG)) {
        fail(err, errno, "listen on", file->path);
        close(file->fd);
        file->fd = -1;
        return -1;
    }
    return socket_file_set_mode(file, mode, err);
}

int socket_file_open(struct socket_file *out, const char *path, mode_t mode, struct err *err)
{
    *out = (struct socket_file){.fd = -1, .lock_fd = -1};
    if (path[0] == '\0')
        return err_set(err, ERR_INVALID, "the path of the socket is empty: " ANOTHER);
    if (strlen(path) >= sizeof(out->path))
        return err_set(err, ERR_INVALID, "socket '%s': the path is longer than %zu bytes: " ANOTHER,
                       path, sizeof(out->path) - 1);
    memcpy(out->path, path, strlen(path) + 1);
    if (make_folder(path, err) == 0 && take_lock(out, err) == 0 && remove_stale(out, err) == 0 &&
        bind_and_listen(out, mode, err) == 0)
        return 0;
    socket_file_close(out);
    return -1;
}

int socket_file_set_mode(const struct socket_file *file, mode_t mode, struct err *err)
{
    return chmod(file->path, mode) ? fail(err, errno, "set the permissions of", file->path) : 0;
}

void socket_file_close(struct socket_file *file)
{
    if (file->fd >= 0) {
        unlink(file->path);
        close(file->fd);
    }
    if (file->lock_fd >= 0)
        close(file->lock_fd);
    file->fd = -1;
    file->lock_fd = -1;
}
