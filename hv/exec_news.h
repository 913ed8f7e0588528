/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's news of programs that begin (its process connector, over netlink): who wants to know
 * whether a certain program runs need not look through all of /proc for it.
 */
#ifndef HV_EXEC_NEWS_H
#define HV_EXEC_NEWS_H

#include <stdbool.h>
#include <sys/types.h>

/* A descriptor for exec_news_read, to be closed by the caller. −1 where the kernel has no such news
 * or does not give them to us (it takes CAP_NET_ADMIN). */
int exec_news_open(void);

/*
 * Hands out each process that began a program since the last call, the oldest first. True where
 * nothing can have been missed: everything up to this call was told. False where news were lost, or
 * none come. Never waits. To be called by the process's first thread.
 */
bool exec_news_read(int fd, void (*began)(void *arg, pid_t pid), void *arg);

#endif
