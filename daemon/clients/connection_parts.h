/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a connection and a call are made of: for connection.c, request.c and call.c alone. */
#ifndef DAEMON_CLIENTS_CONNECTION_PARTS_H
#define DAEMON_CLIENTS_CONNECTION_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/clients/access.h"
#include "daemon/clients/connection.h"
#include "proto/proto.h"

struct bufferevent;
struct event;
struct method;
struct user;

struct call {
    struct connections *all;
    struct connection *connection; /* NULL: the client left */
    const struct method *method;
    struct user *user;
    pid_t pid;
    bool question;         /* its answer may be long */
    char id[PROTO_ID_MAX]; /* as JSON text; "" for a notification, which is not answered */
    struct call *prev, *next;
};

/* What a connection's timer is for. */
enum connection_wait {
    WAIT_NOTHING,
    WAIT_FIRST_REQUEST, /* it was never heard of */
    WAIT_LINE,          /* a request began */
    WAIT_CREDIT,        /* its user asked often enough for now */
    WAIT_LAST_WORDS,    /* closing: the client reads what was sent */
};

struct connection {
    struct connections *all;
    struct bufferevent *stream;
    struct event *timer;
    enum connection_wait waits; /* what the timer is for */
    struct access_peer peer;
    struct user *user;
    struct proto_lines lines; /* in */
    struct call *calls;       /* open */
    size_t n_calls;
    bool subscribed;
    bool ended;   /* the client sends nothing more, but still reads */
    bool closing; /* it is not served any more; ends when all is sent */
    struct connection *prev, *next;
};

/* connection.c: bytes to the client; a line of our own, as the writer `own` has it, which is then
 * cleared; an error; and what came meanwhile, where it may be served again. */
size_t connection_unread(const struct connection *connection);

void connection_send(struct connection *connection, const char *bytes, size_t length);
void connection_send_own(struct connection *connection);
void connection_send_error(struct connection *connection, const char *id_text,
                           const struct err *err);
void connection_serve_on(struct connection *connection);

/* request.c: does what the line asks for, or answers why not. */
void request_serve(struct connection *connection, const char *line, size_t length);

/* What would have changed something and was refused is told as an event, whoever wanted it. */
void connections_note_refusal(struct connections *all, const struct method *method, uid_t uid,
                              const struct err *err);

/* call.c */
struct call *call_new(struct connection *connection, const struct method *method,
                      const char *id_text);

/* Its client left: the call stays, its answer goes nowhere. */
void call_orphan(struct call *call);

/* Ends a call without an answer. */
void call_forget(struct call *call);

#endif
