/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One daemon a host: two that move the same VMs' memory would each promise what the other does,
 * whatever databases and sockets they have. The lock ends with the process that holds it.
 */
#ifndef DAEMON_HOST_LOCK_H
#define DAEMON_HOST_LOCK_H

struct err;

/* backend as the configuration has it. Returns a descriptor, to be closed by the caller, or −1:
 * ERR_BUSY where another daemon has the host, ERR_DENIED. */
int host_lock_take(const char *backend, struct err *err);

#endif
