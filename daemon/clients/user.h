/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one user (uid) has of the daemon, over all of its connections: so that no user can take it
 * from the others, however many clients it runs. Who may change settings is not limited: it can
 * stop the daemon anyway.
 */
#ifndef DAEMON_CLIENTS_USER_H
#define DAEMON_CLIENTS_USER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Questions of one user about the past that are open at once, and bytes of answers that it has not
 * read: together they bound the memory that it can take. */
#define USER_QUESTIONS_MAX 8
#define USER_UNREAD_MAX    ((size_t)32 * 1024 * 1024)

/* What one user may have; from [limits]. */
struct user_limits {
    int64_t connections; /* at once */
    int64_t calls;       /* open at once */
    int64_t rate;        /* requests a second, and as many saved up */
};

struct user {
    uid_t uid;
    size_t connections;
    size_t calls;        /* open, also of clients that left */
    size_t questions;    /* of them, those about the past */
    int64_t credit;      /* thousandths of a request */
    int64_t credited_ms; /* when credit was last added; 0 never */
    struct user *prev, *next;
};

/*
 * The user of that uid, made if need be, in the list. Others are forgotten on the way once they
 * have neither connections nor calls and their credit is full again: so the list is no longer than
 * those who are there or were a second ago. now_ms is a monotonic clock.
 */
struct user *user_get(struct user **list, uid_t uid, int64_t now_ms);

/* NULL where nothing is known of the user. */
struct user *user_find(struct user *list, uid_t uid);

/* Forgets all of them. */
void users_free(struct user **list);

/* How long until the user may ask again, in ms; 0: at once. now_ms is a monotonic clock. */
int64_t user_wait_ms(struct user *user, const struct user_limits *limits, int64_t now_ms);

/* Takes one request off the credit. */
void user_take(struct user *user);

#endif
