/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of a client: what it asks for, whether it may, and who does it. */
#include <string.h>

#include "base/err.h"
#include "daemon/clients/connection.h"
#include "daemon/clients/connection_parts.h"
#include "daemon/clients/server.h"
#include "daemon/daemon.h"
#include "daemon/monotonic.h"
#include "daemon/options.h"
#include "proto/proto.h"

static const struct method *find_method(const char *name)
{
    for (const struct method *method = methods; method->name; method++)
        if (strcmp(method->name, name) == 0)
            return method;
    return NULL;
}

void connections_note_refusal(struct connections *all, const struct method *method, uid_t uid,
                              const struct err *err)
{
    if (method->access < ACCESS_OPERATE || err->code == ERR_UNREACHABLE || !all->daemon->events)
        return;
    audit_refused(&all->audit, all->daemon, method->name, uid, err, monotonic_ms());
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
    connections_note_refusal(connection->all, method, connection->peer.uid, &err);
    connection_send_error(connection, id_text, &err);
}

static void refuse_stopping(struct connection *connection, const char *id_text)
{
    struct err err;

    err_set(&err, ERR_UNREACHABLE, "xenmemd is stopping: nothing was changed");
    if (id_text[0] != '\0')
        connection_send_error(connection, id_text, &err);
}

static void serve_request(struct connection *connection, const struct proto_request *request)
{
    struct daemon *daemon = connection->all->daemon;
    const char *id_text = proto_request_id(request);
    const struct method *method = find_method(proto_request_method(request));
    enum access_level level = access_level_of(&daemon->options->access, &connection->peer);

    if (method && level >= method->access && daemon->stopping && method->access > ACCESS_READ) {
        refuse_stopping(connection, id_text);
        return;
    }
    if (method && level >= method->access) {
        if (method->access > ACCESS_READ)
            connections_drop_shared(connection->all);
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
    connection_send_own(connection);
}

void request_serve(struct connection *connection, const char *line, size_t length)
{
    struct proto_request *request;
    char id_text[PROTO_ID_MAX];
    struct err err;

    if (proto_request_decode(line, length, &request, id_text, &err)) {
        connection_send_error(connection, id_text, &err);
        return;
    }
    serve_request(connection, request);
    proto_request_free(request);
}
