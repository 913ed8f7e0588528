/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/sim/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"

#define LIMIT_MS   2000 /* the daemon's loop waits for an answer no longer */
#define READ_CHUNK 65536

struct sim_client {
    int fd;
    struct wire_out out;
    uint8_t *in; /* owned: what arrived */
    size_t in_length, in_room;
    size_t at;        /* of in: what is before it was dealt with */
    size_t used;      /* the message there, which was handed out last */
    unsigned changes; /* heard of while waiting for an answer */
    int changes_fd;   /* an eventfd, readable while there are some: the socket is not any more */
    bool broken;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int sim_client_break(struct sim_client *client, struct err *err)
{
    client->broken = true;
    return err_set(err, ERR_UNREACHABLE, "the simulated host answers nonsense");
}

static int lost(struct sim_client *client, struct err *err)
{
    client->broken = true;
    return err_set(err, ERR_UNREACHABLE, "the simulated host has closed the connection");
}

static int wait_for(struct sim_client *client, short events, int64_t until_ms, struct err *err)
{
    struct pollfd poll_fd = {.fd = client->fd, .events = events};

    for (;;) {
        int64_t left_ms = until_ms - now_ms();
        int ready = left_ms > 0 ? poll(&poll_fd, 1, (int)left_ms) : 0;

        if (ready > 0)
            return 0;
        if (ready < 0 && errno == EINTR)
            continue;
        client->broken = true;
        return err_set(err, ERR_UNREACHABLE, "the simulated host does not answer within %d s",
                       LIMIT_MS / 1000);
    }
}

static int send_request(struct sim_client *client, int64_t until_ms, struct err *err)
{
    size_t sent = 0;

    while (sent < client->out.length) {
        ssize_t part = send(client->fd, client->out.bytes + sent, client->out.length - sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);

        if (part > 0)
            sent += (size_t)part;
        else if (part < 0 && errno == EAGAIN) {
            if (wait_for(client, POLLOUT, until_ms, err))
                return -1;
        } else if (part == 0 || errno != EINTR)
            return lost(client, err);
    }
    return 0;
}

/* Takes what is there. 1 where there was something, 0 where not, −1 where the connection is lost.
 */
static int receive(struct sim_client *client, struct err *err)
{
    ssize_t part;

    client->in_length -= client->at;
    if (client->at > 0)
        memmove(client->in, client->in + client->at, client->in_length);
    client->at = 0;
    if (client->in_room - client->in_length < READ_CHUNK) {
        client->in_room = (client->in_length + READ_CHUNK) * 2;
        client->in = realloc(client->in, client->in_room);
        invariant(client->in);
    }
    do {
        part = recv(client->fd, client->in + client->in_length, READ_CHUNK, MSG_DONTWAIT);
    } while (part < 0 && errno == EINTR);
    if (part < 0 && errno == EAGAIN)
        return 0;
    if (part <= 0)
        return lost(client, err);
    client->in_length += (size_t)part;
    return 1;
}

static void forget_used(struct sim_client *client)
{
    client->at += client->used;
    client->used = 0;
}

/* The first message that is not an event. 1 where it is there, 0 where not yet, −1. */
static int next_message(struct sim_client *client, enum wire_kind *kind, struct wire_in *in,
                        struct err *err)
{
    for (;;) {
        size_t size;

        if (client->in_length == client->at)
            return 0;
        if (wire_split(client->in + client->at, client->in_length - client->at, WIRE_MAX_REPLY,
                       kind, in, &size))
            return sim_client_break(client, err);
        if (size == 0)
            return 0;
        client->used = size;
        if (*kind != WIRE_EVENT)
            return 1;
        client->changes |= wire_get_u32(in);
        if (!wire_in_done(in))
            return sim_client_break(client, err);
        forget_used(client);
    }
}

static int wait_message(struct sim_client *client, int64_t until_ms, enum wire_kind *kind,
                        struct wire_in *in, struct err *err)
{
    for (;;) {
        int there = next_message(client, kind, in, err);

        if (there != 0)
            return there < 0 ? -1 : 0;
        if (wait_for(client, POLLIN, until_ms, err) || receive(client, err) < 0)
            return -1;
    }
}

struct wire_out *sim_client_ask(struct sim_client *client, enum wire_kind kind)
{
    client->out.length = 0;
    wire_begin(&client->out, kind);
    return &client->out;
}

static int take_failure(struct sim_client *client, struct wire_in *in, struct err *err)
{
    uint32_t code = wire_get_u32(in);
    char text[ERR_TEXT_MAX];

    wire_get_text(in, text, sizeof(text));
    if (!wire_in_done(in) || code == ERR_NONE || code >= ERR_CODE_COUNT)
        return sim_client_break(client, err);
    return err_set(err, (enum err_code)code, "%s", text);
}

/* What was heard on the way to an answer must wake the caller yet. */
static void keep_changes(const struct sim_client *client)
{
    if (client->changes)
        (void)eventfd_write(client->changes_fd, 1);
}

int sim_client_call(struct sim_client *client, struct wire_in *in, struct err *err)
{
    int64_t until_ms = now_ms() + LIMIT_MS;
    enum wire_kind kind;

    if (client->broken)
        return lost(client, err);
    wire_end(&client->out);
    forget_used(client);
    if (send_request(client, until_ms, err) || wait_message(client, until_ms, &kind, in, err))
        return -1;
    keep_changes(client);
    if (kind == WIRE_FAILED)
        return take_failure(client, in, err);
    return kind == WIRE_OK ? 0 : sim_client_break(client, err);
}

int sim_client_drain(struct sim_client *client, unsigned *changes, struct err *err)
{
    enum wire_kind kind;
    struct wire_in in;
    eventfd_t count;
    int there;

    *changes = 0;
    if (client->broken)
        return lost(client, err);
    forget_used(client);
    do {
        there = receive(client, err);
    } while (there > 0 && client->in_length < WIRE_MAX_REPLY); /* the rest another time */
    if (there < 0)
        return -1;
    if (next_message(client, &kind, &in, err) != 0)
        return client->broken ? -1 : sim_client_break(client, err);
    *changes = client->changes;
    client->changes = 0;
    (void)eventfd_read(client->changes_fd, &count);
    return 0;
}

void sim_client_fds(const struct sim_client *client, int fds[2])
{
    fds[0] = client->fd;
    fds[1] = client->changes_fd;
}

static int peer(const struct sim_client *client, struct ucred *out)
{
    socklen_t length = sizeof(*out);

    return getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, out, &length);
}

int sim_client_pid(const struct sim_client *client)
{
    struct ucred who;

    return peer(client, &who) ? -1 : who.pid;
}

/* Somebody else's process must not be taken for a host of ours. */
static int check_peer(const struct sim_client *client, const char *socket_path, struct err *err)
{
    struct ucred who;

    if (peer(client, &who))
        return err_set_errno(err, ERR_FAILED, errno, "%s", socket_path);
    if (who.uid != geteuid() && who.uid != 0)
        return err_set(err, ERR_DENIED, "%s belongs to user %u: that is no simulated host of yours",
                       socket_path, (unsigned)who.uid);
    return 0;
}

static int connect_to(struct sim_client *client, const char *socket_path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(socket_path) >= sizeof(address.sun_path))
        return err_set(err, ERR_INVALID, "'%.200s' is too long for a socket's path", socket_path);
    strcpy(address.sun_path, socket_path);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client->fd < 0)
        return err_set_errno(err, ERR_FAILED, errno, "make a socket");
    if (connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return check_peer(client, socket_path, err);
    err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_UNREACHABLE, errno,
                  "no simulated host listens on %s", socket_path);
    return err_advise(err, "start it: xenmem-sim host FILE");
}

static int take_hello(struct sim_client *client, struct err *err)
{
    enum wire_kind kind;
    struct wire_in in;
    uint32_t magic, version;

    if (wait_message(client, now_ms() + LIMIT_MS, &kind, &in, err))
        return -1;
    magic = wire_get_u32(&in);
    version = wire_get_u32(&in);
    if (kind != WIRE_HELLO || in.bad || magic != WIRE_MAGIC)
        return err_set(err, ERR_UNREACHABLE, "what listens there is no simulated host: end it");
    if (version != WIRE_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
                       "the simulated host is of another version (it speaks %u, we %d): stop it "
                       "and start it anew",
                       (unsigned)version, WIRE_VERSION);
    return 0;
}

int sim_client_open(const char *socket_path, struct sim_client **out, struct err *err)
{
    struct sim_client *client = calloc(1, sizeof(*client));

    invariant(client);
    client->fd = -1;
    client->changes_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (client->changes_fd < 0) {
        err_set_errno(err, ERR_FAILED, errno, "make an eventfd");
        sim_client_close(client);
        return -1;
    }
    if (connect_to(client, socket_path, err) || take_hello(client, err)) {
        sim_client_close(client);
        return -1;
    }
    *out = client;
    return 0;
}

struct sim_client *sim_client_close(struct sim_client *client)
{
    if (client) {
        if (client->fd >= 0)
            close(client->fd);
        if (client->changes_fd >= 0)
            close(client->changes_fd);
        wire_out_fini(&client->out);
        free(client->in);
        free(client);
    }
    return NULL;
}
