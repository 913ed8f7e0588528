/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "daemon/connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <utlist.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/options.h"
#include "daemon/server.h"
#include "proto/proto.h"

#define INPUT_LIMIT ((size_t)64 * 1024)   /* read ahead of what is being served */
#define CHUNK       4096                  /* handed to the splitter of lines at once */
#define WRITER_KEEP ((size_t)1024 * 1024) /* a writer that grew above this is replaced */

struct call {
    struct connections *all;
    struct connection *connection; /* NULL: the client left */
    const struct method *method;
    uid_t uid;
    pid_t pid;
    char id[PROTO_ID_MAX]; /* as JSON text; "" for a notification, which is not answered */
    struct call *prev, *next;
};

struct connection {
    struct connections *all;
    struct bufferevent *stream;
    struct event *deadline; /* while closing: when the client has had time enough; else NULL */
    struct access_peer peer;
    struct proto_lines lines; /* in */
    struct call *calls;       /* open */
    size_t n_calls;
    bool subscribed;
    bool ended;   /* the client sends nothing more, but still reads */
    bool closing; /* it is not served any more; ends when all is sent */
    struct connection *prev, *next;
};

/* --- out ------------------------------------------------------------------------------------- */

static size_t unread_output(const struct connection *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection->stream));
}

static void send_bytes(struct connection *connection, const char *bytes, size_t length)
{
    invariant(bufferevent_write(connection->stream, bytes, length) == 0);
}

/* Sends one line of our own, as the writer has it, and clears the writer. */
static void send_own(struct connection *connection)
{
    size_t length;
    const char *bytes = proto_writer_bytes(connection->all->own, &length);

    send_bytes(connection, bytes, length);
    proto_writer_clear(connection->all->own);
}

static void send_error(struct connection *connection, const char *id_text, const struct err *err)
{
    proto_write_error(connection->all->own, id_text, err);
    send_own(connection);
}

static void say_hello(struct connection *connection)
{
    static const char *const features[] = {"events", NULL};
    const char *backend = connection->all->daemon->options->backend;

    proto_write_hello(connection->all->own, "xenmemd " PACKAGE_VERSION,
                      strncmp(backend, "sim:", 4) == 0, features);
    send_own(connection);
}

/* --- ends ------------------------------------------------------------------------------------ */

static void unsubscribe(struct connection *connection)
{
    if (connection->subscribed)
        connection->all->n_subscribers--;
    connection->subscribed = false;
}

/* Only from the loop's own callbacks, as their last deed: nobody else holds the connection then. */
static void connection_free(struct connection *connection)
{
    struct connections *all = connection->all;
    struct call *call, *next;

    log_debug("client-gone pid=%d uid=%u open-calls=%zu", (int)connection->peer.pid,
              (unsigned)connection->peer.uid, connection->n_calls);
    unsubscribe(connection);
    DL_FOREACH_SAFE(connection->calls, call, next)
    {
        DL_DELETE(connection->calls, call);
        call->connection = NULL;
        DL_APPEND(all->orphans, call);
    }
    DL_DELETE(all->list, connection);
    all->count--;
    if (connection->deadline)
        event_free(connection->deadline);
    bufferevent_free(connection->stream);
    proto_lines_fini(&connection->lines);
    free(connection);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    connection_free(arg);
}

/* Reads nothing more, and ends when the client has read what was sent, or has had time to. */
static void close_soon(struct connection *connection)
{
    const struct timeval limit = {.tv_sec = CONNECTION_LAST_WORDS_MS / 1000};

    if (connection->closing)
        return;
    connection->closing = true;
    unsubscribe(connection);
    bufferevent_disable(connection->stream, EV_READ);
    connection->deadline =
        evtimer_new(loop_base(connection->all->daemon->loop), on_deadline, connection);
    invariant(connection->deadline && event_add(connection->deadline, &limit) == 0);
    bufferevent_trigger(connection->stream, EV_WRITE,
                        BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* --- in -------------------------------------------------------------------------------------- */

static bool may_be_served(const struct connection *connection)
{
    return !connection->closing && connection->n_calls < CONNECTION_MAX_CALLS &&
           unread_output(connection) <= CONNECTION_OUTPUT_PAUSE;
}

static const struct method *find_method(const char *name)
{
    for (const struct method *method = methods; method->name; method++)
        if (strcmp(method->name, name) == 0)
            return method;
    return NULL;
}

static struct call *call_new(struct connection *connection, const struct method *method,
                             const char *id_text)
{
    struct call *call = memory_new(1, sizeof(*call));

    call->all = connection->all;
    call->connection = connection;
    call->method = method;
    call->uid = connection->peer.uid;
    call->pid = connection->peer.pid;
    invariant(strlen(id_text) < sizeof(call->id));
    memcpy(call->id, id_text, strlen(id_text) + 1);
    DL_APPEND(connection->calls, call);
    connection->n_calls++;
    return call;
}

/* What would have changed something is told, whoever wanted it. */
static void note_refusal(struct connections *all, const struct method *method, uid_t uid,
                         const struct err *err)
{
    struct timespec now;

    if (method->access < ACCESS_OPERATE || err->code == ERR_UNREACHABLE || !all->daemon->events)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    audit_refused(&all->audit, all->daemon, method->name, uid, err,
                  (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static void refuse_level(struct connection *connection, const char *id_text,
                         const struct method *method, enum access_level has)
{
    struct err err;

    err_set(&err, ERR_DENIED,
            "%s needs the right to %s; uid %u has %s (root gives it under [access] in "
            "xenmemd.conf)",
            method->name, access_level_name(method->access), (unsigned)connection->peer.uid,
            access_level_name(has));
    note_refusal(connection->all, method, connection->peer.uid, &err);
    send_error(connection, id_text, &err);
}

static void serve_request(struct connection *connection, const struct proto_request *request)
{
    struct daemon *daemon = connection->all->daemon;
    const char *id_text = proto_request_id(request);
    const struct method *method = find_method(proto_request_method(request));
    enum access_level level = access_level_of(&daemon->options->access, &connection->peer);

    if (method && level >= method->access) {
        method->run(daemon, call_new(connection, method, id_text), request);
        return;
    }
    if (id_text[0] == '\0')
        return; /* a notification is not answered, whatever it asks for */
    if (method) {
        refuse_level(connection, id_text, method, level);
        return;
    }
    proto_write_unknown_method(connection->all->own, id_text, proto_request_method(request));
    send_own(connection);
}

static void serve_line(struct connection *connection, const char *line, size_t length)
{
    struct proto_request *request;
    char id_text[PROTO_ID_MAX];
    struct err err;

    if (proto_request_decode(line, length, &request, id_text, &err)) {
        send_error(connection, id_text, &err);
        return;
    }
    serve_request(connection, request);
    proto_request_free(request);
}

/* Moves some of what was read to the splitter of lines. False where there is nothing, or too much.
 */
static bool feed(struct connection *connection)
{
    struct evbuffer *input = bufferevent_get_input(connection->stream);
    char chunk[CHUNK];
    int length = evbuffer_remove(input, chunk, sizeof(chunk));
    struct err err;

    if (length <= 0)
        return false;
    if (proto_lines_feed(&connection->lines, chunk, (size_t)length, &err) == 0)
        return true;
    send_error(connection, "null", &err);
    close_soon(connection);
    return false;
}

static void serve_again_later(struct connection *connection)
{
    bufferevent_trigger(connection->stream, EV_READ,
                        BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* Who sent its requests, shut down and has all its answers is not waited for. */
static void close_if_done(struct connection *connection)
{
    if (connection->ended && connection->n_calls == 0 && !connection->subscribed)
        close_soon(connection);
}

/* Serves what is there, as far as this client may go now, and no longer than is fair to others. */
static void serve(struct connection *connection)
{
    int served = 0;

    while (may_be_served(connection)) {
        size_t length;
        const char *line = proto_lines_next(&connection->lines, &length);

        if (!line) {
            if (feed(connection))
                continue;
            close_if_done(connection);
            return;
        }
        if (length > 0)
            serve_line(connection, line, length);
        if (++served == CONNECTION_TURN_LINES) {
            serve_again_later(connection);
            return;
        }
    }
    /* What comes now stays in the kernel, and its sender waits. */
    bufferevent_disable(connection->stream, EV_READ);
}

/* Where an answer was given, or read, the client may have become one that may be served again. */
static void serve_on(struct connection *connection)
{
    bool reads = (bufferevent_get_enabled(connection->stream) & EV_READ) != 0;

    if (reads || !may_be_served(connection))
        return;
    if (!connection->ended)
        bufferevent_enable(connection->stream, EV_READ);
    serve_again_later(connection);
}

/* --- the loop's callbacks -------------------------------------------------------------------- */

static void on_readable(struct bufferevent *stream, void *arg)
{
    (void)stream;
    serve(arg);
}

/* All but CONNECTION_OUTPUT_RESUME bytes were taken. */
static void on_written(struct bufferevent *stream, void *arg)
{
    struct connection *connection = arg;

    (void)stream;
    if (connection->closing && unread_output(connection) == 0)
        connection_free(connection);
    else if (!connection->closing)
        serve_on(connection);
}

/* Closed at both ends, or only done with sending? */
static bool still_reads(const struct connection *connection)
{
    struct pollfd end = {.fd = bufferevent_getfd(connection->stream), .events = POLLRDHUP};

    return poll(&end, 1, 0) >= 0 && (end.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

static void on_event(struct bufferevent *stream, short what, void *arg)
{
    struct connection *connection = arg;

    (void)stream;
    if ((what & BEV_EVENT_EOF) == 0 || !still_reads(connection)) {
        connection_free(connection);
        return;
    }
    connection->ended = true;
    bufferevent_disable(connection->stream, EV_READ);
    serve(connection);
}

void connection_new(struct connections *all, int fd, const struct access_peer *peer)
{
    struct connection *connection = memory_new(1, sizeof(*connection));

    connection->all = all;
    connection->peer = *peer;
    proto_lines_init(&connection->lines, PROTO_REQUEST_MAX);
    connection->stream =
        bufferevent_socket_new(loop_base(all->daemon->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    invariant(connection->stream);
    bufferevent_setcb(connection->stream, on_readable, on_written, on_event, connection);
    bufferevent_setwatermark(connection->stream, EV_READ, 0, INPUT_LIMIT);
    bufferevent_setwatermark(connection->stream, EV_WRITE, CONNECTION_OUTPUT_RESUME, 0);
    DL_APPEND(all->list, connection);
    all->count++;
    say_hello(connection);
    invariant(bufferevent_enable(connection->stream, EV_READ | EV_WRITE) == 0);
    log_debug("client-came pid=%d uid=%u", (int)peer->pid, (unsigned)peer->uid);
}

void connections_init(struct connections *all, struct daemon *daemon)
{
    *all = (struct connections){.daemon = daemon};
    all->own = proto_writer_new();
    all->answer = proto_writer_new();
}

/* What the kernel takes now is all that a client gets of what it has not read. */
static void send_last(struct connection *connection)
{
    struct evbuffer *output = bufferevent_get_output(connection->stream);
    size_t length = evbuffer_get_length(output);
    const unsigned char *bytes = length > 0 ? evbuffer_pullup(output, -1) : NULL;

    if (bytes)
        (void)!send(bufferevent_getfd(connection->stream), bytes, length,
                    MSG_DONTWAIT | MSG_NOSIGNAL);
}

void connections_fini(struct connections *all)
{
    struct connection *connection, *next;
    struct call *call, *next_call;

    DL_FOREACH_SAFE(all->list, connection, next)
    {
        send_last(connection);
        connection_free(connection);
    }
    DL_FOREACH_SAFE(all->orphans, call, next_call)
    {
        DL_DELETE(all->orphans, call);
        free(call);
    }
    proto_writer_free(all->own);
    proto_writer_free(all->answer);
}

size_t connections_of(const struct connections *all, uid_t uid)
{
    const struct connection *connection;
    size_t count = 0;

    DL_FOREACH (all->list, connection)
        if (connection->peer.uid == uid)
            count++;
    return count;
}

/* --- subscribers ----------------------------------------------------------------------------- */

static void cut_slow(struct connection *connection)
{
    struct proto_writer *own = connection->all->own;

    proto_notification_begin(own, "too-slow");
    proto_object_begin(own, NULL);
    proto_put_integer(own, "limit_bytes", (int64_t)CONNECTION_OUTPUT_LIMIT);
    proto_object_end(own);
    proto_notification_end(own);
    send_own(connection);
    log_notice("subscriber-too-slow pid=%d uid=%u", (int)connection->peer.pid,
               (unsigned)connection->peer.uid);
    close_soon(connection);
}

void connections_publish(struct connections *all, const char *line, size_t length)
{
    struct connection *connection;

    DL_FOREACH (all->list, connection) {
        if (!connection->subscribed)
            continue;
        if (unread_output(connection) + length > CONNECTION_OUTPUT_LIMIT)
            cut_slow(connection);
        else
            send_bytes(connection, line, length);
    }
}

/* --- calls, as methods see them -------------------------------------------------------------- */

uid_t call_uid(const struct call *call)
{
    return call->uid;
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

    if (connection && unread_output(connection) + length <= CONNECTION_OUTPUT_LIMIT)
        send_bytes(connection, line, length);
}

struct proto_writer *call_answer_begin(struct call *call)
{
    invariant(!call->all->answering);
    call->all->answering = call;
    proto_reply_begin(call->all->answer, call->id);
    return call->all->answer;
}

/* Sends the line where somebody waits for it, and clears the writer. */
static void send_answer(struct call *call)
{
    struct connections *all = call->all;
    size_t length;
    const char *bytes = proto_writer_bytes(all->answer, &length);

    if (call->connection && call->id[0] != '\0')
        send_bytes(call->connection, bytes, length);
    if (length <= WRITER_KEEP) {
        proto_writer_clear(all->answer);
        return;
    }
    proto_writer_free(all->answer);
    all->answer = proto_writer_new();
}

/* The call is over. Its client may be one that waited for just this to be served on. */
static void call_free(struct call *call)
{
    struct connection *connection = call->connection;

    if (connection) {
        DL_DELETE(connection->calls, call);
        connection->n_calls--;
        serve_on(connection);
    } else {
        DL_DELETE(call->all->orphans, call);
    }
    free(call);
}

void call_answer_end(struct call *call)
{
    invariant(call->all->answering == call);
    proto_reply_end(call->all->answer);
    call->all->answering = NULL;
    send_answer(call);
    call_free(call);
}

void call_fail(struct call *call, const struct err *err)
{
    invariant(!call->all->answering);
    proto_write_error(call->all->answer, call->id, err);
    send_answer(call);
    note_refusal(call->all, call->method, call->uid, err);
    call_free(call);
}
