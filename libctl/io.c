/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The blocking convenience: a socket under the connection, and a deadline over each wait. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "libctl/internal.h"

#define CHUNK       ((size_t)64 * 1024)
#define MAX_WAITING 10000 /* notifications that nobody took while a reply was awaited */

const char *xenmemctl_default_socket(void)
{
    return XENMEM_RUNDIR "/xenmemd.sock";
}

int xenmemctl_fd(const struct xenmemctl *connection)
{
    return connection->fd;
}

void xenmemctl_free(struct xenmemctl *connection)
{
    struct xenmemctl_message *message, *next;

    if (!connection)
        return;
    for (message = connection->first; message; message = next) {
        next = message->next;
        xenmemctl_message_free(message);
    }
    if (connection->fd >= 0)
        close(connection->fd);
    proto_message_fini(&connection->hello);
    proto_lines_fini(&connection->lines);
    free(connection->output);
    free(connection);
}

/* --- time ------------------------------------------------------------------------------------ */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is left until the deadline, as poll wants it. */
static int left_ms(int64_t deadline)
{
    int64_t left = deadline - now_ms();

    return left > 0 ? (int)left : 0;
}

static int check_limit(int timeout_ms, struct xenmemctl_error *error)
{
    if (timeout_ms >= 0)
        return 0;
    return error_set(error, XENMEMCTL_INVALID, "a limit of %d ms is negative", timeout_ms);
}

/* --- bytes ----------------------------------------------------------------------------------- */

static bool try_again(int errno_value)
{
    return errno_value == EAGAIN || errno_value == EINTR;
}

/* Sends what the kernel takes. What a server that hung up did not take is dropped: it may have said
 * why. */
static void write_some(struct xenmemctl *connection)
{
    size_t length;
    const void *bytes = xenmemctl_output(connection, &length);
    ssize_t sent;

    if (connection->deaf || length == 0)
        return;
    sent = send(connection->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
        xenmemctl_output_sent(connection, (size_t)sent);
    else if (sent < 0 && !try_again(errno))
        connection->deaf = true;
}

static int read_some(struct xenmemctl *connection, struct xenmemctl_error *error)
{
    char chunk[CHUNK];
    ssize_t length = recv(connection->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

    if (length > 0)
        return xenmemctl_feed(connection, chunk, (size_t)length, error);
    if (length == 0 || !try_again(errno))
        xenmemctl_end(connection);
    return 0;
}

/* Moves bytes as soon as some can be moved: 1, 0 where the deadline came first, or −1. */
static int move_bytes(struct xenmemctl *connection, int64_t deadline, struct xenmemctl_error *error)
{
    struct pollfd socket = {.fd = connection->fd, .events = POLLIN};
    size_t length;
    int n;

    xenmemctl_output(connection, &length);
    if (length > 0 && !connection->deaf)
        socket.events |= POLLOUT;
    n = poll(&socket, 1, left_ms(deadline));
    if (n == 0)
        return 0;
    if (n < 0)
        return errno == EINTR ? 1
                              : connection_fail(connection, error, XENMEMCTL_FAILED, "poll: %s",
                                                strerror(errno));
    if (socket.revents & POLLOUT)
        write_some(connection);
    if ((socket.revents & ~POLLOUT) && read_some(connection, error))
        return -1;
    return 1;
}

/* --- messages -------------------------------------------------------------------------------- */

/* Keeps it for xenmemctl_wait. */
static int keep(struct xenmemctl *connection, struct xenmemctl_message *message,
                struct xenmemctl_error *error)
{
    if (connection->n_waiting >= MAX_WAITING) {
        xenmemctl_message_free(message);
        return connection_fail(connection, error, XENMEMCTL_PROTOCOL,
                               "xenmemd sent more than %d notifications instead of an answer",
                               MAX_WAITING);
    }
    if (connection->last)
        connection->last->next = message;
    else
        connection->first = message;
    connection->last = message;
    connection->n_waiting++;
    return 0;
}

static struct xenmemctl_message *take_kept(struct xenmemctl *connection)
{
    struct xenmemctl_message *message = connection->first;

    if (!message)
        return NULL;
    connection->first = message->next;
    if (!connection->first)
        connection->last = NULL;
    message->next = NULL;
    connection->n_waiting--;
    return message;
}

/* The next message that was not kept: 1, 0 at the deadline, −1. What has come already is had
 * without waiting, however late it is. */
static int next_message(struct xenmemctl *connection, int64_t deadline,
                        struct xenmemctl_message **out, struct xenmemctl_error *error)
{
    bool late = false;
    int rc;

    write_some(connection);
    for (;;) {
        rc = xenmemctl_next(connection, out, error);
        if (rc != 0 || late)
            return rc;
        rc = move_bytes(connection, deadline, error);
        if (rc <= 0)
            return rc;
        late = left_ms(deadline) == 0; /* also for one that sends without an end */
    }
}

/* A connection without a socket cannot be waited for. */
static int check_socket(const struct xenmemctl *connection, struct xenmemctl_error *error)
{
    if (connection->fd >= 0)
        return 0;
    return error_set(error, XENMEMCTL_INVALID,
                     "this connection has no socket: its I/O is the caller's");
}

int xenmemctl_wait(struct xenmemctl *connection, int timeout_ms, struct xenmemctl_message **out,
                   struct xenmemctl_error *error)
{
    *out = take_kept(connection);
    if (*out)
        return 1;
    if (check_limit(timeout_ms, error) || check_socket(connection, error))
        return -1;
    return next_message(connection, now_ms() + timeout_ms, out, error);
}

static int await_reply(struct xenmemctl *connection, int64_t id, int64_t deadline,
                       struct xenmemctl_message **out, struct xenmemctl_error *error)
{
    struct xenmemctl_message *message;
    int rc;

    for (;;) {
        rc = next_message(connection, deadline, &message, error);
        if (rc <= 0)
            return rc;
        if (message->proto.id == id && message->kind != XENMEMCTL_NOTIFICATION)
            break;
        if (keep(connection, message, error))
            return -1;
    }
    if (message->kind == XENMEMCTL_REFUSAL) {
        if (error)
            *error = message->error;
        xenmemctl_message_free(message);
        return -1;
    }
    *out = message;
    return 1;
}

int xenmemctl_call(struct xenmemctl *connection, struct xenmemctl_request *request, int timeout_ms,
                   struct xenmemctl_message **out, struct xenmemctl_error *error)
{
    int64_t deadline = now_ms() + timeout_ms;
    int64_t id;
    int rc;

    *out = NULL;
    if (check_limit(timeout_ms, error) || check_socket(connection, error)) {
        xenmemctl_request_free(request);
        return -1;
    }
    id = xenmemctl_send(connection, request, error);
    if (id < 0)
        return -1;
    rc = await_reply(connection, id, deadline, out, error);
    if (rc == 0)
        return connection_fail(connection, error, XENMEMCTL_TIMEOUT,
                               "no answer from xenmemd within %d ms", timeout_ms);
    return rc < 0 ? -1 : 0;
}

/* --- connecting ------------------------------------------------------------------------------ */

/* Waits until the hello was there. */
static int await_hello(struct xenmemctl *connection, int64_t deadline,
                       struct xenmemctl_error *error)
{
    struct xenmemctl_message *message;
    int rc;

    while (!connection->greeted) {
        /* The hello is not handed out: what follows it is kept for later. */
        if (xenmemctl_next(connection, &message, error) < 0)
            return -1;
        if (message && keep(connection, message, error))
            return -1;
        if (connection->greeted)
            return 0;
        rc = move_bytes(connection, deadline, error);
        if (rc < 0)
            return -1;
        if (rc == 0)
            return connection_fail(connection, error, XENMEMCTL_TIMEOUT,
                                   "xenmemd says nothing; is it overloaded or stopped?");
    }
    return 0;
}

static int adopt(int fd, int64_t deadline, struct xenmemctl **out, struct xenmemctl_error *error)
{
    struct xenmemctl *connection = xenmemctl_new();

    connection->fd = fd;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || await_hello(connection, deadline, error)) {
        if (connection->error.code == XENMEMCTL_OK)
            error_set(error, XENMEMCTL_INVALID, "descriptor %d: %s", fd, strerror(errno));
        xenmemctl_free(connection);
        return -1;
    }
    *out = connection;
    return 0;
}

int xenmemctl_adopt(int fd, int timeout_ms, struct xenmemctl **out, struct xenmemctl_error *error)
{
    *out = NULL;
    if (check_limit(timeout_ms, error)) {
        close(fd);
        return -1;
    }
    return adopt(fd, now_ms() + timeout_ms, out, error);
}

static int explain_connect(const char *path, int errno_value, struct xenmemctl_error *error)
{
    const char *why = strerror(errno_value);

    switch (errno_value) {
    case EACCES:
    case EPERM:
        return error_set(error, XENMEMCTL_DENIED,
                         "xenmemd at %s: %s; root gives rights under [access] in xenmemd.conf",
                         path, why);
    case EAGAIN:
        return error_set(error, XENMEMCTL_TIMEOUT,
                         "xenmemd at %s does not answer; is it overloaded or stopped?", path);
    default:
        return error_set(error, XENMEMCTL_UNREACHABLE,
                         "xenmemd is not reachable at %s: %s; is it running?", path, why);
    }
}

/* Where the queue of the listener is full, connect waits; the send limit ends that. */
static int connect_within(int fd, const struct sockaddr_un *address, int timeout_ms)
{
    /* Zero would be no limit. */
    const struct timeval limit = {.tv_sec = timeout_ms / 1000,
                                  .tv_usec = timeout_ms > 0 ? timeout_ms % 1000 * 1000 : 1000};

    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
        return -1;
    return connect(fd, (const struct sockaddr *)address, sizeof(*address));
}

/* The connected socket, or −1. */
static int open_socket(const char *path, int timeout_ms, struct xenmemctl_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(
            error, XENMEMCTL_INVALID,
            "socket '%.120s' has more than the %zu characters that a socket's path may "
            "have",
            path, sizeof(address.sun_path) - 1);
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(error, XENMEMCTL_FAILED, "socket: %s", strerror(errno));
    if (connect_within(fd, &address, timeout_ms) < 0) {
        explain_connect(path, errno, error);
        close(fd);
        return -1;
    }
    return fd;
}

int xenmemctl_connect(const char *path, int timeout_ms, struct xenmemctl **out,
                      struct xenmemctl_error *error)
{
    int64_t deadline = now_ms() + timeout_ms;
    int fd;

    *out = NULL;
    path = path ? path : xenmemctl_default_socket();
    if (check_limit(timeout_ms, error))
        return -1;
    fd = open_socket(path, timeout_ms, error);
    if (fd < 0)
        return -1;
    return adopt(fd, deadline, out, error) ? error_wrap(error, path) : 0;
}
