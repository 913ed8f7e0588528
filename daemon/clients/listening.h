/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A socket that clients come to. Where the system has no descriptor left for one, it waits in the
 * kernel's queue, and the loop does not spin for it. */
#ifndef DAEMON_CLIENTS_LISTENING_H
#define DAEMON_CLIENTS_LISTENING_H

struct listening;
struct loop;

/* Somebody came; fd is the callee's. */
typedef void listening_fn(void *arg, int fd);

/* Takes clients from fd, which listens already, and stays the caller's to close. name: of what,
 * static, for the log. */
struct listening *listening_new(const struct loop *loop, int fd, const char *name,
                                listening_fn *come, void *arg);
void listening_free(struct listening *listening);

/* Until listening_resume, whoever comes waits in the kernel's queue. */
void listening_pause(struct listening *listening);
void listening_resume(struct listening *listening);

#endif
