/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/memory.h"
#include "daemon/methods/methods.h"
#include "daemon/overrides.h"
#include "hv/hv.h"
#include "proto/proto.h"

#define BALANCE_LIMIT_MS INT64_C(60000)

/* So many that stay overridden are told by name and reason; the journal has all. */
#define KEPT_TOLD 8

struct kept {
    char vm[HV_NAME_MAX];
    struct err why;
};

struct balancing {
    struct call *call;
    int64_t cleared;
    struct kept kept[KEPT_TOLD];
    size_t n_kept;
};

static void note_kept(void *arg, const char *vm, const struct err *err)
{
    struct balancing *balancing = arg;
    struct kept *kept = &balancing->kept[balancing->n_kept];

    if (balancing->n_kept == KEPT_TOLD)
        return;
    snprintf(kept->vm, sizeof(kept->vm), "%s", vm);
    kept->why = *err;
    balancing->n_kept++;
}

static void put_kept(struct proto_writer *answer, const struct balancing *balancing)
{
    proto_array_begin(answer, "overrides_kept");
    for (size_t i = 0; i < balancing->n_kept; i++) {
        proto_object_begin(answer, NULL);
        proto_put_text(answer, "name", balancing->kept[i].vm);
        proto_put_text(answer, "why", balancing->kept[i].why.text);
        proto_object_end(answer);
    }
    proto_array_end(answer);
}

static void on_settled(void *arg, bool settled, int64_t actions)
{
    struct balancing *balancing = arg;
    struct proto_writer *answer = call_answer_begin(balancing->call);

    proto_object_begin(answer, NULL);
    proto_put_boolean(answer, "settled", settled);
    proto_put_integer(answer, "actions", actions);
    proto_put_integer(answer, "overrides_cleared", balancing->cleared);
    put_kept(answer, balancing);
    proto_object_end(answer);
    call_answer_end(balancing->call);
    free(balancing);
}

void method_balance(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {{"clear_overrides", PROTO_BOOLEAN, false},
                                                {NULL, PROTO_TEXT, false}};
    struct balancing *balancing;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    if (engine_status(daemon->engine)->settings.action == HOST_ACTION_OBSERVE) {
        err_set(&err, ERR_FAILED,
                "xenmemd only observes (action = observe in [host]): it carries nothing out");
        call_fail(call, &err);
        return;
    }
    balancing = memory_new(1, sizeof(*balancing));
    balancing->call = call;
    if (proto_request_boolean(request, "clear_overrides", false))
        balancing->cleared = (int64_t)overrides_clear(daemon, NULL, note_kept, balancing);
    engine_when_settled(daemon->engine, BALANCE_LIMIT_MS, on_settled, balancing);
}
