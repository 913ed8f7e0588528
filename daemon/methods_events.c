/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "base/err.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/methods.h"
#include "db/db.h"
#include "proto/proto.h"
#include "proto/records.h"

#define EVENTS_DEFAULT 1000
#define EVENTS_MAX     100000

static void on_events(void *arg, int rc, const struct err *err, const struct db_event *rows,
                      size_t count)
{
    struct call *call = arg;
    struct proto_writer *answer;

    if (rc) {
        call_fail(call, err);
        return;
    }
    answer = call_answer_begin(call);
    proto_array_begin(answer, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct proto_event record = event_record(&rows[i]);

        proto_put_event(answer, NULL, &record);
    }
    proto_array_end(answer);
    call_answer_end(call);
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
    if (db_query_events(daemon->db, &filter, on_events, call, &err))
        call_fail(call, &err);
}
