/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls, as methods see them: one request each, answered once. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/err.h"
#include "base/invariant.h"
#include "daemon/clients/connection_parts.h"
#include "daemon/clients/server.h"
#include "daemon/clients/shared.h"
#include "daemon/clients/user.h"
#include "daemon/daemon.h"
#include "daemon/memory.h"
#include "daemon/options.h"
#include "proto/proto.h"

#define WRITER_KEEP ((size_t)1024 * 1024) /* a writer that grew above this is replaced */

struct call *call_new(struct connection *connection, const struct method *method,
                      const char *id_text)
{
    struct call *call = memory_new(1, sizeof(*call));

    call->all = connection->all;
    call->connection = connection;
    call->user = connection->user;
    call->user->calls++;
    call->method = method;
    call->pid = connection->peer.pid;
    invariant(strlen(id_text) < sizeof(call->id));
    memcpy(call->id, id_text, strlen(id_text) + 1);
    DL_APPEND(connection->calls, call);
    connection->n_calls++;
    return call;
}

void call_orphan(struct call *call)
{
    DL_DELETE(call->connection->calls, call);
    call->connection = NULL;
    DL_APPEND(call->all->orphans, call);
}

void call_forget(struct call *call)
{
    if (call->connection) {
        DL_DELETE(call->connection->calls, call);
        call->connection->n_calls--;
    } else {
        DL_DELETE(call->all->orphans, call);
    }
    call->user->calls--;
    call->user->questions -= call->question;
    free(call);
}

uid_t call_uid(const struct call *call)
{
    return call->user->uid;
}

pid_t call_pid(const struct call *call)
{
    return call->pid;
}

bool call_is_alive(const struct call *call)
{
    return call->connection != NULL;
}

void call_subscribe(struct call *call)
{
    struct connection *connection = call->connection;

    if (!connection || connection->closing || connection->subscribed)
        return;
    connection->subscribed = true;
    call->all->n_subscribers++;
}

void call_tell(struct call *call, const char *line, size_t length)
{
    struct connection *connection = call->connection;

    if (connection && connection_unread(connection) + length <= CONNECTION_OUTPUT_LIMIT)
        connection_send(connection, line, length);
}

struct proto_writer *call_answer_begin(struct call *call)
{
    invariant(!call->all->answering);
    call->all->answering = call;
    proto_reply_begin(call->all->answer, call->id);
    (void)proto_writer_bytes(call->all->answer, &call->all->answer_from);
    return call->all->answer;
}

/* Sends the line where somebody waits for it, and clears the writer. */
static void send_answer(struct call *call)
{
    struct connections *all = call->all;
    size_t length;
    const char *bytes = proto_writer_bytes(all->answer, &length);

    if (call->method->access > ACCESS_READ)
        connections_drop_shared(all);
    if (call->connection && call->id[0] != '\0')
        connection_send(call->connection, bytes, length);
    if (length <= WRITER_KEEP) {
        proto_writer_clear(all->answer);
        return;
    }
    proto_writer_free(all->answer);
    all->answer = proto_writer_new();
}

/* The call is over. Its client, or its user's others, may have waited for just this. */
static void call_free(struct call *call)
{
    struct connection *connection = call->connection, *other;
    struct connections *all = call->all;
    struct user *user = call->user;
    bool full = user->calls >= (size_t)all->daemon->options->limits.calls;

    call_forget(call);
    if (connection)
        connection_serve_on(connection);
    if (!full)
        return;
    DL_FOREACH (all->list, other)
        if (other->user == user && other != connection)
            connection_serve_on(other);
}

void call_answer_end(struct call *call)
{
    invariant(call->all->answering == call);
    proto_reply_end(call->all->answer);
    call->all->answering = NULL;
    send_answer(call);
    call_free(call);
}

struct proto_writer *call_fail_begin(struct call *call, const struct err *err)
{
    invariant(!call->all->answering);
    call->all->answering = call;
    proto_error_begin(call->all->answer, call->id, err);
    return call->all->answer;
}

void call_fail_end(struct call *call, const struct err *err)
{
    invariant(call->all->answering == call);
    proto_error_end(call->all->answer);
    call->all->answering = NULL;
    send_answer(call);
    connections_note_refusal(call->all, call->method, call_uid(call), err);
    call_free(call);
}

void call_fail(struct call *call, const struct err *err)
{
    (void)call_fail_begin(call, err);
    call_fail_end(call, err);
}

/* --- answers for many --------------------------------------------------------------------------
 */

void call_answer_end_shared(struct call *call, enum shared_kind kind)
{
    struct connections *all = call->all;
    size_t length;
    const char *bytes = proto_writer_bytes(all->answer, &length);

    shared_drop(all->shared[kind]);
    all->shared[kind] = shared_new(bytes + all->answer_from, length - all->answer_from);
    call_answer_end(call);
}

void call_answer_shared(struct call *call, struct shared *answer)
{
    struct connections *all = call->all;
    const char *bytes;
    size_t before, length;

    if (call->connection && call->id[0] != '\0') {
        proto_reply_begin(all->own, call->id);
        (void)proto_writer_bytes(all->own, &before);
        proto_reply_end(all->own);
        bytes = proto_writer_bytes(all->own, &length);
        connection_send(call->connection, bytes, before);
        shared_send(answer, bufferevent_get_output(call->connection->stream));
        connection_send(call->connection, bytes + before, length - before);
        proto_writer_clear(all->own);
    }
    call_free(call);
}

bool call_answer_again(struct call *call, enum shared_kind kind)
{
    struct shared *answer = call->all->shared[kind];

    if (answer)
        call_answer_shared(call, answer);
    return answer != NULL;
}

/* --- long answers ------------------------------------------------------------------------------
 */

int call_begin_question(struct call *call, struct err *err)
{
    const struct connection *connection;
    size_t unread = 0;

    DL_FOREACH (call->all->list, connection)
        if (connection->user == call->user)
            unread += evbuffer_get_length(bufferevent_get_output(connection->stream));
    if (call->user->questions >= USER_QUESTIONS_MAX || unread > USER_UNREAD_MAX)
        return err_set(err, ERR_BUSY,
                       "uid %u asks too much about the past at once: read the answers first",
                       (unsigned)call->user->uid);
    call->question = true;
    call->user->questions++;
    return 0;
}

void call_answer_done(void *arg, int rc, const struct err *err)
{
    struct call *call = arg;
    struct proto_writer *answer;

    if (rc) {
        call_fail(call, err);
        return;
    }
    answer = call_answer_begin(call);
    proto_object_begin(answer, NULL);
    proto_object_end(answer);
    call_answer_end(call);
}
