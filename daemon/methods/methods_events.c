/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "daemon/clients/shared.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/memory.h"
#include "daemon/methods/methods.h"
#include "db/db.h"
#include "proto/proto.h"
#include "proto/records.h"

#define EVENTS_DEFAULT 1000
#define EVENTS_MAX     10000

/* A question on its way to the database. */
struct events_call {
    struct call *call;
    struct shared *answer; /* held; made by the writer's thread; NULL: not yet */
};

static void write_answer(void *arg, const struct db_event *rows, size_t count)
{
    struct proto_writer *writer = proto_writer_new();
    struct events_call *asked = arg;
    size_t length;
    const char *bytes;

    proto_array_begin(writer, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct proto_event record = event_record(&rows[i]);

        proto_put_event(writer, NULL, &record);
    }
    proto_array_end(writer);
    bytes = proto_writer_bytes(writer, &length);
    asked->answer = shared_new(bytes, length);
    proto_writer_free(writer);
}

static void on_answer(void *arg, int rc, const struct err *err)
{
    struct events_call *asked = arg;

    if (rc)
        call_fail(asked->call, err);
    else
        call_answer_shared(asked->call, asked->answer);
    shared_drop(asked->answer);
    free(asked);
}

static void ask(struct daemon *daemon, struct call *call, const struct db_filter *filter)
{
    struct events_call *asked;
    struct err err;

    if (call_begin_question(call, &err)) {
        call_fail(call, &err);
        return;
    }
    asked = memory_new(1, sizeof(*asked));
    asked->call = call;
    if (db_query_events(daemon->db, filter, write_answer, on_answer, asked, &err)) {
        call_fail(call, &err);
        free(asked);
    }
}

void method_events(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"since_ms", PROTO_INTEGER, false}, {"after_id", PROTO_INTEGER, false},
        {"vm", PROTO_TEXT, false},          {"limit", PROTO_INTEGER, false},
        {"follow", PROTO_BOOLEAN, false},   {NULL, PROTO_TEXT, false},
    };
    struct db_filter filter;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    filter = (struct db_filter){
        .since_ms = proto_request_integer(request, "since_ms", 0),
        .after_id = proto_request_integer(request, "after_id", 0),
        .vm = proto_request_text(request, "vm", NULL),
        .limit = proto_request_integer(request, "limit", EVENTS_DEFAULT),
    };
    if (filter.limit < 1 || filter.limit > EVENTS_MAX) {
        err_set(&err, ERR_INVALID, "limit: %" PRId64 " is outside 1 to %d", filter.limit,
                EVENTS_MAX);
        call_fail(call, &err);
        return;
    }
    if (proto_request_boolean(request, "follow", false))
        call_subscribe(call);
    ask(daemon, call, &filter);
}
