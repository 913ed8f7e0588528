/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One hook as a process: started with a clean environment in a process group of its own. */
#ifndef DAEMON_HOOKS_HOOK_PROCESS_H
#define DAEMON_HOOKS_HOOK_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct proto_event;

/* How it is started. */
struct hook_start {
    const char *path;
    const struct proto_event *event;
    const char *input; /* what it reads on its standard input, at most 64 KiB less a byte */
    size_t length;
    const char *user;   /* "": the daemon's own */
    const char *socket; /* of the daemon, for XENMEM_SOCKET */
};

/*
 * Starts it. 0 and the process (leader of its group) and the end of the pipe that its output comes
 * from, non-blocking; or −1. It never waits.
 */
int hook_process_start(const struct hook_start *start, pid_t *pid, int *output_fd, struct err *err);

#endif
