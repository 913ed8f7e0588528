/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "daemon/clients/connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/clients/connection_parts.h"
#include "daemon/clients/shared.h"
#include "daemon/clients/user.h"
#include "daemon/daemon.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/monotonic.h"
#include "daemon/options.h"
#include "proto/proto.h"

#define INPUT_LIMIT ((size_t)64 * 1024) /* read ahead of what is being served */
#define CHUNK       4096                /* handed to the splitter of lines at once */
#define TURN_US     1000                /* after so long others have their turn */

/* --- out ------------------------------------------------------------------------------------- */

size_t connection_unread(const struct connection *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection->stream));
}

void connection_send(struct connection *connection, const char *bytes, size_t length)
{
    invariant(bufferevent_write(connection->stream, bytes, length) == 0);
}

void connection_send_own(struct connection *connection)
{
    size_t length;
    const char *bytes = proto_writer_bytes(connection->all->own, &length);

    connection_send(connection, bytes, length);
    proto_writer_clear(connection->all->own);
}

void connection_send_error(struct connection *connection, const char *id_text,
                           const struct err *err)
{
    proto_write_error(connection->all->own, id_text, err);
    connection_send_own(connection);
}

static void say_hello(struct connection *connection)
{
    static const char *const features[] = {"events", NULL};
    const char *backend = connection->all->daemon->options->backend;

    proto_write_hello(connection->all->own, "xenmemd " PACKAGE_VERSION,
                      strncmp(backend, "sim:", 4) == 0, features);
    connection_send_own(connection);
}

/* --- ends ------------------------------------------------------------------------------------ */

static void wait_for(struct connection *connection, enum connection_wait what, int64_t ms)
{
    const struct timeval limit = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    connection->waits = what;
    invariant(event_add(connection->timer, &limit) == 0);
}

static void wait_no_more(struct connection *connection)
{
    connection->waits = WAIT_NOTHING;
    event_del(connection->timer);
}

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
    call_orphan(call);
    DL_DELETE(all->list, connection);
    all->count--;
    connection->user->connections--;
    event_free(connection->timer);
    bufferevent_free(connection->stream);
    proto_lines_fini(&connection->lines);
    free(connection);
}

/* Reads nothing more, and ends when the client has read what was sent, or has had time to. */
static void close_soon(struct connection *connection)
{
    if (connection->closing)
        return;
    connection->closing = true;
    unsubscribe(connection);
    bufferevent_disable(connection->stream, EV_READ);
    wait_for(connection, WAIT_LAST_WORDS, CONNECTION_LAST_WORDS_MS);
    bufferevent_trigger(connection->stream, EV_WRITE,
                        BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static void cut_silent(struct connection *connection)
{
    const struct options *options = connection->all->daemon->options;
    bool began = connection->waits == WAIT_LINE;
    struct err err;

    err_set(&err, ERR_TIMEOUT, "%s within %lld ms",
            began ? "the request did not arrive whole" : "there was no request",
            (long long)(began ? options->line_time_ms : options->silence_ms));
    log_notice("client-too-slow pid=%d uid=%u error=\"%s\"", (int)connection->peer.pid,
               (unsigned)connection->peer.uid, err.text);
    connection_send_error(connection, "null", &err);
    close_soon(connection);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;

    (void)fd;
    (void)what;
    switch (connection->waits) {
    case WAIT_NOTHING:
        break;
    case WAIT_FIRST_REQUEST:
    case WAIT_LINE:
        cut_silent(connection);
        break;
    case WAIT_CREDIT:
        connection->waits = WAIT_NOTHING;
        connection_serve_on(connection);
        break;
    case WAIT_LAST_WORDS:
        connection_free(connection);
        break;
    }
}

/* --- in -------------------------------------------------------------------------------------- */

/* Who may change settings may as well stop the daemon: limits are for the others. */
static bool is_limited(const struct connection *connection)
{
    return access_level_of(&connection->all->daemon->options->access, &connection->peer) !=
           ACCESS_ADMIN;
}

static bool may_be_served(const struct connection *connection)
{
    const struct user_limits *limits = &connection->all->daemon->options->limits;

    return !connection->closing && connection->waits != WAIT_CREDIT &&
           connection->n_calls < CONNECTION_MAX_CALLS &&
           connection_unread(connection) <= CONNECTION_OUTPUT_PAUSE &&
           (connection->user->calls < (size_t)limits->calls || !is_limited(connection));
}

/* False where its user has asked as often as it may: it is served again once it may. */
static bool has_credit(struct connection *connection)
{
    int64_t wait_ms;

    if (!is_limited(connection))
        return true;
    wait_ms =
        user_wait_ms(connection->user, &connection->all->daemon->options->limits, monotonic_ms());
    if (wait_ms > 0)
        wait_for(connection, WAIT_CREDIT, wait_ms);
    return wait_ms == 0;
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
    connection_send_error(connection, "null", &err);
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

/* All lines are served. One that has begun must end in time; a client that said anything is not
 * waited for otherwise. */
static void await_more(struct connection *connection)
{
    if (connection->lines.tail > 0 && connection->waits != WAIT_LINE)
        wait_for(connection, WAIT_LINE, connection->all->daemon->options->line_time_ms);
    else if (connection->lines.tail == 0 && connection->waits == WAIT_LINE)
        wait_no_more(connection);
}

/* What comes now stays in the kernel, and its sender waits; so it is not the slow one. */
static void pause_reading(struct connection *connection)
{
    if (connection->waits == WAIT_LINE)
        wait_no_more(connection);
    bufferevent_disable(connection->stream, EV_READ);
}

static void serve_one(struct connection *connection, const char *line, size_t length)
{
    if (connection->waits == WAIT_FIRST_REQUEST || connection->waits == WAIT_LINE)
        wait_no_more(connection);
    user_take(connection->user);
    request_serve(connection, line, length);
}

/* Serves what is there, as far as this client may go now, and no longer than is fair to others. */
static void serve(struct connection *connection)
{
    int64_t began_us = monotonic_us();
    int served = 0;

    loop_expect_lag(connection->all->daemon->loop);
    while (may_be_served(connection) && has_credit(connection)) {
        size_t length;
        const char *line = proto_lines_next(&connection->lines, &length);

        if (!line) {
            if (feed(connection))
                continue;
            close_if_done(connection);
            if (!connection->closing)
                await_more(connection);
            return;
        }
        if (length > 0)
            serve_one(connection, line, length);
        if (++served == CONNECTION_TURN_LINES || monotonic_us() - began_us > TURN_US) {
            serve_again_later(connection);
            return;
        }
    }
    pause_reading(connection);
}

/* Where an answer was given, or read, the client may have become one that may be served again. */
void connection_serve_on(struct connection *connection)
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
    if (connection->closing && connection_unread(connection) == 0)
        connection_free(connection);
    else if (!connection->closing)
        connection_serve_on(connection);
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
    if (what & BEV_EVENT_TIMEOUT)
        log_notice("client-does-not-read pid=%d uid=%u", (int)connection->peer.pid,
                   (unsigned)connection->peer.uid);
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
    const struct options *options = all->daemon->options;
    const struct timeval read_time = {.tv_sec = (time_t)(options->read_time_ms / 1000),
                                      .tv_usec =
                                          (suseconds_t)(options->read_time_ms % 1000 * 1000)};
    struct connection *connection = memory_new(1, sizeof(*connection));

    connection->all = all;
    connection->peer = *peer;
    connection->user = user_get(&all->users, peer->uid, monotonic_ms());
    connection->user->connections++;
    connection->timer = evtimer_new(loop_base(all->daemon->loop), on_timer, connection);
    proto_lines_init(&connection->lines,
                     is_limited(connection) ? PROTO_REQUEST_MAX : PROTO_IMPORT_MAX);
    connection->stream =
        bufferevent_socket_new(loop_base(all->daemon->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    invariant(connection->stream && connection->timer);
    /* What is due to guests and disk goes before what clients want. */
    (void)bufferevent_priority_set(connection->stream, LOOP_PRIORITY_CLIENTS);
    (void)event_priority_set(connection->timer, LOOP_PRIORITY_CLIENTS);
    bufferevent_set_timeouts(connection->stream, NULL, &read_time);
    bufferevent_setcb(connection->stream, on_readable, on_written, on_event, connection);
    bufferevent_setwatermark(connection->stream, EV_READ, 0, INPUT_LIMIT);
    bufferevent_setwatermark(connection->stream, EV_WRITE, CONNECTION_OUTPUT_RESUME, 0);
    DL_APPEND(all->list, connection);
    all->count++;
    say_hello(connection);
    wait_for(connection, WAIT_FIRST_REQUEST, options->silence_ms);
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

    DL_FOREACH_SAFE(all->list, connection, next)
    {
        send_last(connection);
        connection_free(connection);
    }
    while (all->orphans)
        call_forget(all->orphans);
    users_free(&all->users);
    connections_drop_shared(all);
    proto_writer_free(all->own);
    proto_writer_free(all->answer);
}

size_t connections_of(const struct connections *all, uid_t uid)
{
    const struct user *user = user_find(all->users, uid);

    return user ? user->connections : 0;
}

void connections_drop_shared(struct connections *all)
{
    for (size_t i = 0; i < SHARED_COUNT; i++)
        all->shared[i] = shared_drop(all->shared[i]);
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
    connection_send_own(connection);
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
        if (connection_unread(connection) + length > CONNECTION_OUTPUT_LIMIT)
            cut_slow(connection);
        else
            connection_send(connection, line, length);
    }
}
