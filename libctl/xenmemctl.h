/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxenmemctl: talks to xenmemd, the memory control plane of a Xen host.
 *
 * OBJECTS. A struct xenmemctl is one connection. A struct xenmemctl_request is a call that is being
 * put together: a method's name ("vm.set") and its parameters. A struct xenmemctl_message is what
 * came back: the result of a call, its failure, or a notification. Inside a message are values,
 * struct xenmemctl_value, to look around in: member of an object, element of an array, text,
 * integer, boolean. Which methods there are, what they take and what they give is docs/protocol.md.
 *
 * A whole program:
 *
 *     struct xenmemctl *connection;
 *     struct xenmemctl_message *reply;
 *     struct xenmemctl_error error;
 *     int64_t free_kib;
 *
 *     if (xenmemctl_connect(NULL, 5000, &connection, &error) ||
 *         xenmemctl_call(connection, xenmemctl_request_new("host.get"), 5000, &reply, &error))
 *         errx(1, "%s", error.text);
 *     if (xenmemctl_integer(xenmemctl_member(xenmemctl_message_value(reply), "free_kib"),
 *                           &free_kib))
 *         printf("%lld KiB\n", (long long)free_kib);
 *     xenmemctl_message_free(reply);
 *     xenmemctl_free(connection);
 *
 * THREADS. The library has no global state and starts no threads. A connection, and all that came
 * from it, is for one thread at a time.
 *
 * ERRORS. Functions that can fail return −1 and fill *error with a stable code and one line of text
 * (NULL: not wanted). A call that the server refuses is such a failure, with the server's code and
 * words. A connection that failed stays failed and gives the same error again; only
 * xenmemctl_free is left for it. The library neither logs nor exits; it aborts where there is no
 * memory left.
 *
 * I/O. There are two ways. xenmemctl_connect, _call and _wait do the I/O and wait; each takes a
 * limit in milliseconds, and none waits longer, whatever the server does. Or the caller has a loop
 * and does the I/O: xenmemctl_new makes a connection without a socket; what was read is given to
 * xenmemctl_feed, messages are taken with xenmemctl_next, what is to be written is had from
 * xenmemctl_output. Nothing there waits or makes a system call. SIGPIPE is never raised.
 *
 * OWNERSHIP. What a …_new or an out-parameter gave is freed with its own …_free, each of which
 * takes NULL. Requests are taken: by xenmemctl_send and xenmemctl_call, also where these fail.
 * Values and texts are borrowed from their message and live as long as it does.
 *
 * COMPATIBILITY. A symbol, once released, stays. Members that are not known are to be passed over:
 * a server may send more than this version documents.
 */
#ifndef XENMEMCTL_H
#define XENMEMCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xenmemctl;
struct xenmemctl_request;
struct xenmemctl_message;
struct xenmemctl_value;

/* --- errors ---------------------------------------------------------------------------------- */

/* The numbers are stable. */
enum xenmemctl_code {
    XENMEMCTL_OK = 0,
    XENMEMCTL_FAILED = 1,      /* something went wrong that the caller could not have known */
    XENMEMCTL_INVALID = 2,     /* what was given is wrong; nothing was changed */
    XENMEMCTL_NO_MEMORY = 3,   /* the host's memory does not suffice for what was asked */
    XENMEMCTL_NOT_FOUND = 4,   /* no such VM … */
    XENMEMCTL_UNREACHABLE = 5, /* no xenmemd at the socket, or it went away */
    XENMEMCTL_DENIED = 6,      /* not permitted */
    XENMEMCTL_TIMEOUT = 7,     /* it took too long */
    XENMEMCTL_BUSY = 8,        /* somebody else is at it right now; trying again may help */
    XENMEMCTL_UNSUPPORTED = 9, /* not available on this host or in this server */
    XENMEMCTL_PROTOCOL = 10, /* what is at the socket speaks no protocol that this library knows */
};

struct xenmemctl_error {
    enum xenmemctl_code code;
    char text[512]; /* one line for people, UTF-8: what, why, what to do */
};

/* --- connection ------------------------------------------------------------------------------ */

/* The version of the protocol that this library speaks. A server with another one is refused. */
#define XENMEMCTL_PROTOCOL_VERSION 1

/* Where xenmemd listens if nobody said otherwise. */
const char *xenmemctl_default_socket(void);

/*
 * Connects to the socket at path (NULL: the default one) and waits for the server's hello.
 * 0 and *out, or −1: UNREACHABLE, DENIED, TIMEOUT, PROTOCOL, BUSY (the server has too many
 * clients), INVALID (the path is too long for a socket, or the limit is negative).
 */
int xenmemctl_connect(const char *path, int timeout_ms, struct xenmemctl **out,
                      struct xenmemctl_error *error);

/* The same on a stream socket that is connected already. fd is taken, also on failure. */
int xenmemctl_adopt(int fd, int timeout_ms, struct xenmemctl **out, struct xenmemctl_error *error);

/* A connection whose I/O is the caller's: nothing is sent or awaited. */
struct xenmemctl *xenmemctl_new(void);

/* Closes the socket if the connection has one. Messages that were taken from it stay valid. */
void xenmemctl_free(struct xenmemctl *connection);

/* The socket, for poll(2); −1 where the I/O is the caller's. Only for waiting: see xenmemctl_wait.
 */
int xenmemctl_fd(const struct xenmemctl *connection);

/* What the server's hello said. Before it: NULL, false. The text lives as long as the connection.
 */
const char *xenmemctl_server(const struct xenmemctl *connection); /* "xenmemd 0.1.0" */
bool xenmemctl_is_simulated(const struct xenmemctl *connection);  /* its host is a simulated one */
bool xenmemctl_has_feature(const struct xenmemctl *connection, const char *feature);

/* --- requests -------------------------------------------------------------------------------- */

/* A call of method ("vm.get"), without parameters yet. */
struct xenmemctl_request *xenmemctl_request_new(const char *method);
void xenmemctl_request_free(struct xenmemctl_request *request);

/* Adds a parameter; each name at most once. Text is UTF-8: a byte that is not becomes '?'. */
void xenmemctl_request_text(struct xenmemctl_request *request, const char *name, const char *text);
void xenmemctl_request_integer(struct xenmemctl_request *request, const char *name, int64_t value);
void xenmemctl_request_boolean(struct xenmemctl_request *request, const char *name, bool value);

/* What is added between the two is inside an object of that name. */
void xenmemctl_request_object_begin(struct xenmemctl_request *request, const char *name);
void xenmemctl_request_object_end(struct xenmemctl_request *request);

/* Takes the request and puts it into the output. Its id (> 0), which the reply will have; −1:
 * INVALID (longer than a server takes), or what the connection failed with. */
int64_t xenmemctl_send(struct xenmemctl *connection, struct xenmemctl_request *request,
                       struct xenmemctl_error *error);

/* --- waiting --------------------------------------------------------------------------------- */

/*
 * Takes the request, sends it and waits for its reply, which is never a failure: 0 and *out, or −1
 * with the server's refusal or the connection's failure. Notifications that come meanwhile are kept
 * for xenmemctl_wait. After TIMEOUT the connection has failed: nobody would know whose the late
 * reply is. Only for connections with a socket.
 */
int xenmemctl_call(struct xenmemctl *connection, struct xenmemctl_request *request, int timeout_ms,
                   struct xenmemctl_message **out, struct xenmemctl_error *error);

/*
 * The next message of any kind, sending what is to be sent: 1 and *out; 0 where none came within
 * the limit (which may be 0); −1. With poll(2), call it with 0 until it returns 0, and
 * only then wait for the socket: what was kept does not make it readable. Only for connections with
 * a socket.
 */
int xenmemctl_wait(struct xenmemctl *connection, int timeout_ms, struct xenmemctl_message **out,
                   struct xenmemctl_error *error);

/* --- the caller's own I/O -------------------------------------------------------------------- */

/* Bytes that came from the server. Take what messages there are before feeding more: only the line
 * that is not complete is bounded. 0, or −1: PROTOCOL. */
int xenmemctl_feed(struct xenmemctl *connection, const void *bytes, size_t length,
                   struct xenmemctl_error *error);

/* The server closed its end: xenmemctl_next fails as soon as all that came was taken. */
void xenmemctl_end(struct xenmemctl *connection);

/* The next message: 1 and *out; 0 where more must be fed first; −1. The hello is checked on the way
 * and not handed out. */
int xenmemctl_next(struct xenmemctl *connection, struct xenmemctl_message **out,
                   struct xenmemctl_error *error);

/* What is to be sent; valid until the next call with this connection. */
const void *xenmemctl_output(const struct xenmemctl *connection, size_t *length);

/* So much of it was sent. */
void xenmemctl_output_sent(struct xenmemctl *connection, size_t length);

/* --- messages -------------------------------------------------------------------------------- */

enum xenmemctl_kind {
    XENMEMCTL_RESULT,       /* reply: what was asked for */
    XENMEMCTL_REFUSAL,      /* reply: why not */
    XENMEMCTL_NOTIFICATION, /* nobody asked: "event", "too-slow" … */
};

enum xenmemctl_kind xenmemctl_message_kind(const struct xenmemctl_message *message);

/* Of the request that it replies to; −1 for notifications. */
int64_t xenmemctl_message_id(const struct xenmemctl_message *message);

/* Of a notification; else NULL. */
const char *xenmemctl_message_method(const struct xenmemctl_message *message);

/* The result, or a notification's parameters; NULL for refusals. */
const struct xenmemctl_value *xenmemctl_message_value(const struct xenmemctl_message *message);

/* Of a refusal; else NULL. */
const struct xenmemctl_error *xenmemctl_message_error(const struct xenmemctl_message *message);

void xenmemctl_message_free(struct xenmemctl_message *message);

/* --- values ---------------------------------------------------------------------------------- */

/* All take NULL and values of another type, and then give NULL, 0 or false: a chain of them needs
 * one check at its end. */
const struct xenmemctl_value *xenmemctl_member(const struct xenmemctl_value *object,
                                               const char *name);
size_t xenmemctl_count(const struct xenmemctl_value *array);
const struct xenmemctl_value *xenmemctl_at(const struct xenmemctl_value *array, size_t index);
const char *xenmemctl_text(const struct xenmemctl_value *value);
bool xenmemctl_integer(const struct xenmemctl_value *value, int64_t *out);
bool xenmemctl_boolean(const struct xenmemctl_value *value, bool *out);

enum xenmemctl_layout {
    XENMEMCTL_INDENTED, /* for people, over several lines */
    XENMEMCTL_ONE_LINE, /* for logs and streams */
};

/* The value, whatever it is, as JSON text without a newline at its end; to be freed with free(3).
 */
char *xenmemctl_print(const struct xenmemctl_value *value, enum xenmemctl_layout layout);

#ifdef __cplusplus
}
#endif

#endif
