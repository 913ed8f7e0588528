/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection without any I/O: bytes in, messages out; requests in, bytes out. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "libctl/internal.h"

#define HELLO_MAX ((size_t)64 * 1024) /* who says more before its hello is no xenmemd */

struct xenmemctl *xenmemctl_new(void)
{
    struct xenmemctl *connection = memory_more(NULL, sizeof(*connection));

    *connection = (struct xenmemctl){.fd = -1};
    proto_lines_init(&connection->lines, HELLO_MAX);
    return connection;
}

const char *xenmemctl_server(const struct xenmemctl *connection)
{
    if (!connection->greeted)
        return NULL;
    return proto_value_text(proto_value_member(connection->hello.value, "server"));
}

bool xenmemctl_is_simulated(const struct xenmemctl *connection)
{
    bool simulated = false;

    if (connection->greeted)
        proto_value_boolean(proto_value_member(connection->hello.value, "simulated"), &simulated);
    return simulated;
}

bool xenmemctl_has_feature(const struct xenmemctl *connection, const char *feature)
{
    const struct proto_value *features;

    if (!connection->greeted)
        return false;
    features = proto_value_member(connection->hello.value, "features");
    for (size_t i = 0; i < proto_value_count(features); i++) {
        const char *name = proto_value_text(proto_value_at(features, i));

        if (name && strcmp(name, feature) == 0)
            return true;
    }
    return false;
}

/* --- out ------------------------------------------------------------------------------------- */

static void add_output(struct xenmemctl *connection, const char *bytes, size_t length)
{
    if (connection->sent > 0) {
        connection->length -= connection->sent;
        memmove(connection->output, connection->output + connection->sent, connection->length);
        connection->sent = 0;
    }
    if (connection->room - connection->length < length) {
        connection->room = 2 * (connection->length + length);
        connection->output = memory_more(connection->output, connection->room);
    }
    memcpy(connection->output + connection->length, bytes, length);
    connection->length += length;
}

/* Writes the line around the parameters, which were written before the id was known. */
static int add_request(struct xenmemctl *connection, struct xenmemctl_request *request,
                       struct xenmemctl_error *error)
{
    struct proto_writer *line = proto_writer_new();
    size_t head_length, params_length, tail_length;
    const char *params = request_params(request, &params_length);
    const char *bytes;

    proto_request_begin(line, connection->last_id + 1, request_method(request));
    bytes = proto_writer_bytes(line, &head_length);
    if (head_length + params_length + 2 > PROTO_IMPORT_MAX) {
        proto_writer_free(line);
        return error_set(error, XENMEMCTL_INVALID, "the request is longer than %zu bytes",
                         PROTO_IMPORT_MAX);
    }
    add_output(connection, bytes, head_length);
    add_output(connection, params, params_length);
    proto_writer_clear(line);
    proto_request_end(line);
    bytes = proto_writer_bytes(line, &tail_length);
    add_output(connection, bytes, tail_length);
    proto_writer_free(line);
    return 0;
}

int64_t xenmemctl_send(struct xenmemctl *connection, struct xenmemctl_request *request,
                       struct xenmemctl_error *error)
{
    int rc = -1;

    if (connection->error.code == XENMEMCTL_OK)
        rc = add_request(connection, request, error);
    else if (error)
        *error = connection->error;
    xenmemctl_request_free(request);
    return rc ? -1 : ++connection->last_id;
}

const void *xenmemctl_output(const struct xenmemctl *connection, size_t *length)
{
    *length = connection->length - connection->sent;
    return *length > 0 ? connection->output + connection->sent : NULL;
}

void xenmemctl_output_sent(struct xenmemctl *connection, size_t length)
{
    connection->sent += length;
}

/* --- in -------------------------------------------------------------------------------------- */

static int refuse_bytes(struct xenmemctl *connection, struct xenmemctl_error *error,
                        const char *what)
{
    return connection_fail(connection, error, XENMEMCTL_PROTOCOL,
                           connection->greeted ? "xenmemd sent what cannot be understood: %s"
                                               : "what listens there is not xenmemd: %s",
                           what);
}

int xenmemctl_feed(struct xenmemctl *connection, const void *bytes, size_t length,
                   struct xenmemctl_error *error)
{
    struct err err;

    if (connection->error.code != XENMEMCTL_OK) {
        if (error)
            *error = connection->error;
        return -1;
    }
    if (proto_lines_feed(&connection->lines, bytes, length, &err))
        return refuse_bytes(connection, error, err.text);
    return 0;
}

void xenmemctl_end(struct xenmemctl *connection)
{
    connection->ended = true;
}

/* Takes proto, which is a hello. */
static int check_hello(struct xenmemctl *connection, struct proto_message *proto,
                       struct xenmemctl_error *error)
{
    const char *server = proto_value_text(proto_value_member(proto->value, "server"));
    int64_t protocol;

    if (!proto_value_integer(proto_value_member(proto->value, "protocol"), &protocol) || !server) {
        proto_message_fini(proto);
        return refuse_bytes(connection, error,
                            "its hello says neither who it is nor what it speaks");
    }
    if (protocol != XENMEMCTL_PROTOCOL_VERSION) {
        connection_fail(connection, error, XENMEMCTL_PROTOCOL,
                        "%.100s speaks protocol %" PRId64 ", this client speaks %d: install the "
                        "xenmemctl that came with that xenmemd",
                        server, protocol, XENMEMCTL_PROTOCOL_VERSION);
        proto_message_fini(proto);
        return -1;
    }
    connection->hello = *proto;
    connection->greeted = true;
    connection->lines.limit = PROTO_REPLY_MAX;
    return 0;
}

/* The server's last words to a client that it turns away, or gives up. */
static int take_last_words(struct xenmemctl *connection, struct proto_message *proto,
                           const struct err *failure, struct xenmemctl_error *error)
{
    proto_message_fini(proto);
    error_from(&connection->error, failure);
    if (error)
        *error = connection->error;
    return -1;
}

static struct xenmemctl_message *make_message(const struct proto_message *proto,
                                              const struct err *failure)
{
    struct xenmemctl_message *message = memory_more(NULL, sizeof(*message));

    *message = (struct xenmemctl_message){.proto = *proto};
    switch (proto->kind) {
    case PROTO_ERROR:
        message->kind = XENMEMCTL_REFUSAL;
        error_from(&message->error, failure);
        break;
    case PROTO_RESULT:
        message->kind = XENMEMCTL_RESULT;
        break;
    case PROTO_HELLO:
    case PROTO_NOTIFICATION:
        message->kind = XENMEMCTL_NOTIFICATION;
        break;
    }
    return message;
}

/* One line: 1 and *out, 0 where it was not for the caller, or −1. */
static int take_line(struct xenmemctl *connection, const char *line, size_t length,
                     struct xenmemctl_message **out, struct xenmemctl_error *error)
{
    struct proto_message proto;
    struct err failure, err;

    if (proto_message_decode(line, length, &proto, &failure, &err))
        return refuse_bytes(connection, error, err.text);
    if (proto.kind == PROTO_HELLO && !connection->greeted)
        return check_hello(connection, &proto, error);
    if (proto.kind == PROTO_ERROR && proto.id < 0)
        return take_last_words(connection, &proto, &failure, error);
    if (!connection->greeted) {
        proto_message_fini(&proto);
        return refuse_bytes(connection, error, "it did not begin with a hello");
    }
    *out = make_message(&proto, &failure);
    return 1;
}

static int take_end(struct xenmemctl *connection, struct xenmemctl_error *error)
{
    const char *where = connection->lines.length > 0 ? " in the middle of a line"
                        : connection->greeted        ? ""
                                                     : " without a word";

    return connection_fail(connection, error, XENMEMCTL_UNREACHABLE,
                           "xenmemd closed the connection%s; is it still running?", where);
}

int xenmemctl_next(struct xenmemctl *connection, struct xenmemctl_message **out,
                   struct xenmemctl_error *error)
{
    const char *line;
    size_t length;
    int rc = 0;

    *out = NULL;
    if (connection->error.code != XENMEMCTL_OK) {
        if (error)
            *error = connection->error;
        return -1;
    }
    while (rc == 0) {
        line = proto_lines_next(&connection->lines, &length);
        if (!line)
            return connection->ended ? take_end(connection, error) : 0;
        rc = take_line(connection, line, length, out, error);
    }
    return rc;
}
