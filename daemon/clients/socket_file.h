/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listening Unix socket at a path, held by one process at a time: a lock file beside it decides
 * who, so that two daemons that start together cannot take each other's socket away, and what a
 * killed one left behind is no obstacle.
 */
#ifndef DAEMON_CLIENTS_SOCKET_FILE_H
#define DAEMON_CLIENTS_SOCKET_FILE_H

#include <sys/types.h>
#include <sys/un.h>

struct err;

struct socket_file {
    int fd;      /* listening, non-blocking; −1: none */
    int lock_fd; /* of PATH.lock, locked as long as it is open; −1: none */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/*
 * Makes the folder (its last part) if it is missing, removes what a dead daemon left, and listens
 * with that mode. 0, or −1 with nothing left behind: ERR_BUSY where somebody listens there,
 * ERR_INVALID where path is too long or is something else than a socket, ERR_DENIED.
 */
int socket_file_open(struct socket_file *out, const char *path, mode_t mode, struct err *err);

/* Who may connect, as far as the file system decides it. 0 or −1. */
int socket_file_set_mode(const struct socket_file *file, mode_t mode, struct err *err);

/* Stops listening and removes the socket; the lock file stays. Fine on one that is not open (fd =
 * −1). */
void socket_file_close(struct socket_file *file);

#endif
