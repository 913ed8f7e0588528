/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Unix socket: connections, their authority and limits, lines in and lines out. What a method
 * does is in methods.c; here is only how requests come and answers go.
 *
 * A call is answered exactly once, at once or later (call_…). A client that leaves with calls open
 * is not waited for: its calls stay valid until answered, the answer goes nowhere.
 */
#ifndef DAEMON_CLIENTS_SERVER_H
#define DAEMON_CLIENTS_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/clients/access.h"
#include "daemon/clients/shared.h"

struct daemon;
struct err;
struct proto_request;
struct proto_writer;
struct server;

/* One request that waits for its answer. Owned by the server from call to answer. */
struct call;

/* A method: looks at request (valid only during the call) and sooner or later answers call. */
typedef void method_fn(struct daemon *daemon, struct call *call,
                       const struct proto_request *request);

struct method {
    const char *name;         /* "vm.set" */
    enum access_level access; /* who may call it */
    method_fn *run;
};

/* The table in methods.c, by name. NULL-terminated by name. */
extern const struct method methods[];

/* Listens on the socket of the options: 0, or −1 where somebody listens already, or the path cannot
 * be made. */
int server_new(struct daemon *daemon, struct server **out, struct err *err);
void server_free(struct server *server);

/* Lets in whom the options name by now (SIGHUP). 0, or −1 where the socket's mode could not be set.
 */
int server_access_changed(struct server *server, struct err *err);

/* Says who called, for the journal. */
uid_t call_uid(const struct call *call);

/* The process that called. */
pid_t call_pid(const struct call *call);

/* True as long as somebody waits for the answer. */
bool call_is_alive(const struct call *call);

/* Sends one line (a notification with its newline) to whoever waits for the call's answer, where it
 * reads. */
void call_tell(struct call *call, const char *line, size_t length);

/* The result of a call is written between begin and end: one JSON value. end sends it and frees
 * call. */
struct proto_writer *call_answer_begin(struct call *call);
void call_answer_end(struct call *call);

/*
 * Answers that are the same for everybody until the host is looked at again, or somebody changed
 * something: sends the one that was kept, and frees call; or false, and the caller writes it and
 * ends with call_answer_end_shared.
 */
bool call_answer_again(struct call *call, enum shared_kind kind);
void call_answer_end_shared(struct call *call, enum shared_kind kind);

/* Answers with what was serialised before, elsewhere than on the loop, and frees call. */
void call_answer_shared(struct call *call, struct shared *answer);

/*
 * To be asked before a question whose answer may be long: 0, or −1 ERR_BUSY where too many of its
 * user's are open, or too much that they were answered is unread.
 */
int call_begin_question(struct call *call, struct err *err);

/* Answers that were kept for many are old now. NULL is fine. */
void server_drop_shared(struct server *server);

/* How many clients there are. */
size_t server_connections(const struct server *server);

/* Answers with an empty object, or where rc is not 0 with err; arg is the call. What the database
 * calls when a change is on disk. */
void call_answer_done(void *arg, int rc, const struct err *err);

/* Answers with an error and frees call. */
void call_fail(struct call *call, const struct err *err);

/* The same, with more in the error's data: members that are put between begin and end. */
struct proto_writer *call_fail_begin(struct call *call, const struct err *err);
void call_fail_end(struct call *call, const struct err *err);

/* Makes the client of this call a subscriber of events: gets server_publish's lines, also after the
 * answer. */
void call_subscribe(struct call *call);

/*
 * Sends one line (a notification, serialised by the caller, with its newline) to all subscribers.
 * One that does not read fast enough is told so and cut.
 */
void server_publish(struct server *server, const char *line, size_t length);

/* True where somebody would get it, so that nothing need be serialised otherwise. */
bool server_has_subscribers(const struct server *server);

#endif
