/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tests/daemon/client.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/clients/server.h"
#include "daemon/daemon.h"
#include "daemon/loop.h"
#include "proto/proto.h"

#define WAIT_S    20 /* for what must come */
#define LINE_ROOM (2 * 1024 * 1024)

/* The daemon's own has a hypervisor and a database as well. */
struct loop {
    struct event_base *base;
};

struct event_base *loop_base(const struct loop *of)
{
    return of->base;
}

void loop_expect_lag(struct loop *of)
{
    (void)of;
}

struct connections all;
struct options options;
struct call *held[HELD_MAX];
size_t n_held;

static struct loop loop;
static struct daemon daemon_of_tests = {.options = &options, .loop = &loop};

/* --- methods ---------------------------------------------------------------------------------- */

static void answer_text(struct call *call, const char *text)
{
    proto_put_text(call_answer_begin(call), NULL, text);
    call_answer_end(call);
}

static void echo(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    (void)daemon;
    answer_text(call, proto_request_text(request, "text", ""));
}

/* Answered when the test says so. */
static void hold(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    (void)daemon;
    (void)request;
    ck_assert_uint_lt(n_held, HELD_MAX);
    held[n_held++] = call;
}

static void big(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    size_t length = (size_t)proto_request_integer(request, "bytes", 0);
    char *text = calloc(1, length + 1);

    (void)daemon;
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', length);
    answer_text(call, text);
    free(text);
}

static void watch(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    (void)daemon;
    (void)request;
    call_subscribe(call);
    call_subscribe(call);
    answer_text(call, "watching");
}

static void refuse(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    struct err err;

    (void)daemon;
    (void)request;
    err_set(&err, ERR_BUSY, "uid %u comes too early", (unsigned)call_uid(call));
    call_fail(call, &err);
}

static void question(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    struct err err;

    if (call_begin_question(call, &err))
        call_fail(call, &err);
    else
        hold(daemon, call, request);
}

const struct method methods[] = {
    {"echo", ACCESS_READ, echo},         {"hold", ACCESS_READ, hold},
    {"big", ACCESS_READ, big},           {"watch", ACCESS_READ, watch},
    {"question", ACCESS_READ, question}, {"refuse", ACCESS_OPERATE, refuse},
    {"change", ACCESS_ADMIN, echo},      {NULL, ACCESS_NONE, NULL},
};

void answer_held(size_t index, const char *text)
{
    answer_text(held[index], text);
}

/* --- the server's side ------------------------------------------------------------------------ */

void clients_make(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    loop.base = event_base_new();
    ck_assert_int_eq(event_base_priority_init(loop.base, 2), 0);
    options = (struct options){.backend = (char *)"sim:x",
                               .limits = {.connections = 256, .calls = 256, .rate = 1000000},
                               .line_time_ms = 60000,
                               .silence_ms = 60000,
                               .read_time_ms = 60000};
    options.access.lists[ACCESS_READ] = (struct access_list){.uids = {READER}, .n_uids = 1};
    n_held = 0;
    connections_init(&all, &daemon_of_tests);
}

void clients_unmake(void)
{
    connections_fini(&all);
    (void)event_base_loop(loop.base, EVLOOP_NONBLOCK); /* libevent ends what it put off */
    event_base_free(loop.base);
}

/* --- the clients' side ------------------------------------------------------------------------ */

void turn(void)
{
    ck_assert_int_ge(event_base_loop(loop.base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
}

void turn_waiting(void)
{
    ck_assert_int_ge(event_base_loop(loop.base, EVLOOP_ONCE), 0);
}

void turn_often(void)
{
    for (int i = 0; i < 200; i++)
        turn();
}

bool read_some(struct client *client)
{
    ssize_t length =
        recv(client->fd, client->bytes + client->length, LINE_ROOM - client->length, MSG_DONTWAIT);

    if (length > 0)
        client->length += (size_t)length;
    client->ended |= length == 0 || (length < 0 && errno != EAGAIN);
    return length > 0;
}

bool time_is_up(time_t from)
{
    return time(NULL) - from > WAIT_S;
}

const char *next_line(struct client *client)
{
    static char line[LINE_ROOM];
    time_t from = time(NULL);
    char *newline;
    size_t length;

    while (!(newline = memchr(client->bytes, '\n', client->length)) && !client->ended) {
        turn();
        (void)read_some(client);
        ck_assert_msg(!time_is_up(from), "no line came");
    }
    if (!newline)
        return "";
    length = (size_t)(newline - client->bytes);
    memcpy(line, client->bytes, length);
    line[length] = '\0';
    client->length -= length + 1;
    memmove(client->bytes, newline + 1, client->length);
    return line;
}

void assert_line(struct client *client, const char *expected)
{
    ck_assert_str_eq(next_line(client), expected);
}

void assert_end(struct client *client)
{
    assert_line(client, "");
    ck_assert(client->ended);
}

struct client come_in(uid_t uid)
{
    const struct access_peer peer = {.pid = 1, .uid = uid, .gid = uid};
    struct client client = {.bytes = malloc(LINE_ROOM)};
    int pair[2];

    ck_assert_ptr_nonnull(client.bytes);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    client.fd = pair[0];
    connection_new(&all, pair[1], &peer);
    return client;
}

struct client come(uid_t uid)
{
    struct client client = come_in(uid);

    assert_line(&client, "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"protocol\":1,"
                         "\"server\":\"xenmemd " PACKAGE_VERSION
                         "\",\"simulated\":true,\"features\":[\"events\"]}}");
    return client;
}

void leave(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    free(client->bytes);
    client->bytes = NULL;
}

void say(struct client *client, const char *bytes)
{
    size_t length = strlen(bytes);
    time_t from = time(NULL);

    while (length > 0) {
        ssize_t sent = send(client->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

        ck_assert_msg(sent >= 0 || errno == EAGAIN, "%s", strerror(errno));
        ck_assert_msg(!time_is_up(from), "the server does not read");
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
        turn();
    }
}

void call_method(struct client *client, int id, const char *method, const char *params)
{
    char line[512];

    snprintf(line, sizeof(line),
             "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":{%s}}\n", id, method,
             params);
    say(client, line);
}

void assert_answer(struct client *client, int id, const char *text)
{
    char expected[512];

    snprintf(expected, sizeof(expected), "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":\"%s\"}", id,
             text);
    assert_line(client, expected);
}

void assert_error(struct client *client, const char *id, const char *name, const char *what)
{
    const char *line = next_line(client);
    char part[64];

    snprintf(part, sizeof(part), "\"id\":%s,\"error\"", id);
    ck_assert_msg(strstr(line, part) != NULL, "%s", line);
    snprintf(part, sizeof(part), "\"data\":{\"name\":\"%s\"}", name);
    ck_assert_msg(strstr(line, part) != NULL, "%s", line);
    ck_assert_msg(strstr(line, what) != NULL, "%s", line);
}
