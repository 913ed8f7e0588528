/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client: its bytes in and out, its open calls, and how much of either it may have. Known to
 * server.c alone; methods see struct call (server.h).
 *
 * Nothing is buffered without bound: a client that does not read its answers is not read from, one
 * that has many calls open neither, and a subscriber that does not read is cut.
 */
#ifndef DAEMON_CLIENTS_CONNECTION_H
#define DAEMON_CLIENTS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/clients/access.h"
#include "daemon/clients/audit.h"
#include "daemon/clients/shared.h"

struct call;
struct connection;
struct daemon;
struct proto_writer;
struct user;

#define CONNECTION_MAX_CALLS  32 /* open at once; then it is not read from */
#define CONNECTION_TURN_LINES 32 /* served before others have their turn */
#define CONNECTION_OUTPUT_PAUSE                                                                    \
    ((size_t)256 * 1024) /* unread output above which it is not read from */
#define CONNECTION_OUTPUT_RESUME ((size_t)64 * 1024)   /* and below which it is again */
#define CONNECTION_OUTPUT_LIMIT  ((size_t)1024 * 1024) /* unread output that cuts a subscriber */
#define CONNECTION_LAST_WORDS_MS 5000 /* time to read what was sent before the end */

/* All connections, and what they share. Owned by the server. */
struct connections {
    struct daemon *daemon;
    struct proto_writer *own;    /* for lines of our own: hello, errors */
    struct proto_writer *answer; /* for the answer that is being written */
    struct call *answering;      /* between call_answer_begin and call_answer_end; else NULL */
    size_t answer_from;          /* where its result begins in answer */
    struct shared *shared[SHARED_COUNT]; /* answers that hold until the next look; NULL: none */
    struct connection *list;
    struct user *users; /* who has connections or calls, or had some a second ago */
    size_t count;
    size_t n_subscribers;
    struct audit audit;   /* refusals that were told lately */
    struct call *orphans; /* calls whose client left before the answer */
};

void connections_init(struct connections *all, struct daemon *daemon);

/* Sends what can be sent at once, closes everything, and forgets all calls. */
void connections_fini(struct connections *all);

/* How many of them are this user's. */
size_t connections_of(const struct connections *all, uid_t uid);

/* What was said of the host or its VMs may not be so any more. */
void connections_drop_shared(struct connections *all);

/* Takes fd, and says hello. */
void connection_new(struct connections *all, int fd, const struct access_peer *peer);

/* Sends one line to all subscribers. */
void connections_publish(struct connections *all, const char *line, size_t length);

#endif
