/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/host_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "hv/sim/sim.h"

/* A simulated host is where its socket is; the real one is this machine. */
static int lock_path(const char *backend, char *out, size_t room, struct err *err)
{
    char socket[PATH_MAX - 16];

    if (strncmp(backend, "sim:", 4) != 0) {
        (void)mkdir(XENMEM_RUNDIR, 0755);
        snprintf(out, room, "%s/host.lock", XENMEM_RUNDIR);
        return 0;
    }
    if (sim_socket_path(backend + 4, socket, sizeof(socket), err))
        return -1;
    snprintf(out, room, "%s.xenmemd", socket);
    return 0;
}

int host_lock_take(const char *backend, struct err *err)
{
    char path[PATH_MAX];
    int fd, problem;

    if (lock_path(backend, path, sizeof(path), err))
        return -1;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_FAILED, errno,
                      "open the host's lock %s", path);
        return err_advise(err, "run xenmemd as root, with %s on a disk that can be written",
                          XENMEM_RUNDIR);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    problem = errno;
    close(fd);
    if (problem == EWOULDBLOCK)
        return err_set(err, ERR_BUSY,
                       "another xenmemd balances this host (it holds %s): stop that one first",
                       path);
    err_set_errno(err, ERR_FAILED, problem, "lock %s", path);
    return err_advise(err, "it must be on a disk of this machine");
}
