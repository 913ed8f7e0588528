/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "daemon/build.h"
#include "daemon/daemon.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/reservation_answer.h"
#include "daemon/reservations/reservations.h"
#include "hv/hv.h"
#include "proto/proto.h"

static int read_span(const struct proto_request *request, const char *name, int64_t *out,
                     struct err *err)
{
    const char *text = proto_request_text(request, name, NULL);

    *out = 0;
    if (text && duration_parse(text, out, err))
        return err_wrap(err, "%s", name);
    return 0;
}

/* As it is said, or what the VM that it is for will be built with. */
static int read_size(const struct daemon *daemon, const struct proto_request *request,
                     const char *name, struct kib *out, struct err *err)
{
    const char *text = proto_request_text(request, "size", NULL);
    struct build build;

    if (!text && name[0] == '\0')
        return err_set(err, ERR_INVALID, "size: say how much, or with `for` of which VM");
    if (!text) {
        if (build_of_known(daemon, name, &build, err))
            return -1;
        *out = build_needs(&build);
        return 0;
    }
    if (kib_parse(text, out, err))
        return err_wrap(err, "size");
    if (out->v == 0)
        return err_set(err, ERR_INVALID, "size: nothing is reserved with 0");
    return 0;
}

static int read_priority(const struct proto_request *request, int32_t *out, struct err *err)
{
    const int64_t none = INT64_MIN;
    int64_t priority = proto_request_integer(request, "priority", none);

    *out = RESERVATION_PRIORITY_OWN;
    if (priority == none)
        return 0;
    if (priority < 0 || priority > 100)
        return err_set(err, ERR_INVALID, "priority: %" PRId64 " is outside 0 to 100", priority);
    *out = (int32_t)priority;
    return 0;
}

static int read_create(const struct daemon *daemon, const struct proto_request *request,
                       struct reservation_request *out, struct err *err)
{
    out->name = proto_request_text(request, "for", "");
    out->tied = proto_request_boolean(request, "hold", false);
    out->progress = proto_request_boolean(request, "progress", false);
    if (strlen(out->name) >= HV_NAME_MAX)
        return err_set(err, ERR_INVALID, "for: a name has less than %d bytes", HV_NAME_MAX);
    if (read_priority(request, &out->priority, err) ||
        read_size(daemon, request, out->name, &out->size, err) ||
        read_span(request, "ttl", &out->ttl_ms, err) ||
        read_span(request, "wait", &out->wait_ms, err))
        return -1;
    return 0;
}

void method_reservation_create(struct daemon *daemon, struct call *call,
                               const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"size", PROTO_TEXT, false},        {"for", PROTO_TEXT, false},
        {"ttl", PROTO_TEXT, false},         {"wait", PROTO_TEXT, false},
        {"hold", PROTO_BOOLEAN, false},     {"progress", PROTO_BOOLEAN, false},
        {"priority", PROTO_INTEGER, false}, {NULL, PROTO_TEXT, false},
    };
    struct reservation_request wanted;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    if (read_create(daemon, request, &wanted, &err))
        call_fail(call, &err);
    else
        reservations_ask(daemon->reservations, call, &wanted);
}

void method_reservation_list(struct daemon *daemon, struct call *call,
                             const struct proto_request *request)
{
    struct proto_writer *answer;

    if (!method_accept(call, request, method_no_params))
        return;
    answer = call_answer_begin(call);
    proto_array_begin(answer, NULL);
    for (const struct reservation *reservation = reservations_first(daemon->reservations);
         reservation; reservation = reservation->next)
        reservation_put(answer, NULL, reservation);
    proto_array_end(answer);
    call_answer_end(call);
}

static const struct proto_param id_params[] = {{"id", PROTO_INTEGER, true},
                                               {NULL, PROTO_TEXT, false}};

void method_reservation_release(struct daemon *daemon, struct call *call,
                                const struct proto_request *request)
{
    if (method_accept(call, request, id_params))
        reservations_release(daemon->reservations, call, proto_request_integer(request, "id", 0));
}

void method_reservation_hold(struct daemon *daemon, struct call *call,
                             const struct proto_request *request)
{
    struct err err;

    if (!method_accept(call, request, id_params))
        return;
    if (reservations_hold(daemon->reservations, call, proto_request_integer(request, "id", 0),
                          &err))
        call_fail(call, &err);
}
