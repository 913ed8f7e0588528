/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "daemon/clients/shared.h"
#include "daemon/daemon.h"
#include "daemon/history.h"
#include "daemon/memory.h"
#include "daemon/methods/methods.h"
#include "daemon/options.h"
#include "daemon/registry.h"
#include "daemon/wall_clock.h"
#include "proto/proto.h"
#include "proto/records.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* A question on its way to the database. */
struct history_call {
    struct daemon *daemon;
    struct call *call;
    char *vm; /* owned; NULL: the host */
    int64_t step_ms;
    struct shared *answer; /* held; made by the writer's thread; NULL: not yet */
    size_t count;          /* samples in it */
};

static void history_call_free(struct history_call *asked)
{
    shared_drop(asked->answer);
    free(asked->vm);
    free(asked);
}

static int64_t amount(int64_t known)
{
    return known == DB_UNKNOWN ? PROTO_UNKNOWN : known;
}

static void write_answer(void *arg, const struct db_sample *rows, size_t count)
{
    struct proto_writer *writer = proto_writer_new();
    struct history_call *asked = arg;
    size_t length;
    const char *bytes;

    proto_history_begin(writer, asked->vm, asked->step_ms);
    for (size_t i = 0; i < count; i++) {
        const struct proto_sample sample = {.time_ms = rows[i].time_ms,
                                            .assigned_kib = amount(rows[i].assigned_kib),
                                            .demand_kib = amount(rows[i].demand_kib),
                                            .target_kib = amount(rows[i].target_kib),
                                            .pressure = amount(rows[i].pressure),
                                            .free_kib = amount(rows[i].free_kib)};

        proto_put_sample(writer, &sample);
    }
    proto_history_end(writer);
    bytes = proto_writer_bytes(writer, &length);
    asked->answer = shared_new(bytes, length);
    asked->count = count;
    proto_writer_free(writer);
}

static void on_answer(void *arg, int rc, const struct err *err)
{
    struct history_call *asked = arg;
    struct err unknown;

    if (rc) {
        call_fail(asked->call, err);
    } else if (asked->count == 0 && asked->vm &&
               !registry_find(asked->daemon->registry, asked->vm)) {
        err_set(&unknown, ERR_NOT_FOUND,
                "there is no VM named '%s', and no history of one in that time", asked->vm);
        call_fail(asked->call, &unknown);
    } else {
        call_answer_shared(asked->call, asked->answer);
    }
    history_call_free(asked);
}

void method_history_get(struct daemon *daemon, struct call *call,
                        const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"vm", PROTO_TEXT, false}, {"since_ms", PROTO_INTEGER, false}, {NULL, PROTO_TEXT, false}};
    const struct db_limits limits = history_limits(daemon->options);
    int64_t now_ms = wall_clock_ms(daemon), since_ms;
    struct db_history_filter filter;
    struct history_call *asked;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    since_ms = proto_request_integer(request, "since_ms", now_ms - DAY_MS);
    if (since_ms < 0 || since_ms > now_ms) {
        err_set(&err, ERR_INVALID, "since_ms: %" PRId64 " is not in the past", since_ms);
        call_fail(call, &err);
        return;
    }
    if (call_begin_question(call, &err)) {
        call_fail(call, &err);
        return;
    }
    asked = memory_new(1, sizeof(*asked));
    filter = (struct db_history_filter){.vm = proto_request_text(request, "vm", NULL),
                                        .level = history_level(&limits, since_ms, now_ms),
                                        .since_ms = since_ms,
                                        .until_ms = now_ms};
    *asked = (struct history_call){.daemon = daemon,
                                   .call = call,
                                   .vm = filter.vm ? memory_copy_text(filter.vm) : NULL,
                                   .step_ms = db_level_step_ms(filter.level)};
    if (db_query_history(daemon->db, &filter, write_answer, on_answer, asked, &err)) {
        call_fail(call, &err);
        history_call_free(asked);
    }
}
