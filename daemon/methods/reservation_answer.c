/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/methods/reservation_answer.h"

#include "base/err.h"
#include "core/reason.h"
#include "daemon/clients/server.h"
#include "daemon/daemon.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"
#include "proto/proto.h"

#define TELL_MS 1000

void reservation_put(struct proto_writer *writer, const char *key,
                     const struct reservation *reservation)
{
    proto_object_begin(writer, key);
    proto_put_integer(writer, "id", reservation->id);
    proto_put_text(writer, "name", reservation->name[0] != '\0' ? reservation->name : NULL);
    proto_put_text(writer, "state", reservation_state_name(reservation->state));
    proto_put_integer(writer, "size_kib", reservation->size.v);
    proto_put_integer(writer, "freed_kib",
                      reservation->state > RESERVATION_SQUEEZING ? reservation->size.v
                                                                 : reservation->freed.v);
    proto_put_integer(writer, "priority", reservation->priority);
    proto_put_integer(writer, "created_ms", reservation->created_ms);
    if (reservation->expires_ms > 0)
        proto_put_integer(writer, "expires_ms", reservation->expires_ms);
    else
        proto_put_null(writer, "expires_ms");
    proto_put_boolean(writer, "tied", reservation->tied);
    proto_put_boolean(writer, "implicit", reservation->implicit);
    proto_object_end(writer);
}

/* By the pace since it began to wait; −1 where nothing has moved yet. */
static int64_t expected_ms(const struct reservation *reservation, int64_t now_ms)
{
    int64_t waited = now_ms - reservation->squeezed_ms;
    struct kib gained = kib_sub(reservation->freed, reservation->first);

    if (reservation->state != RESERVATION_SQUEEZING || gained.v <= 0 || waited <= 0)
        return -1;
    return kib_scale(kib_sub(reservation->size, reservation->freed), waited, gained.v).v;
}

/* Something has changed since it was last told; and that is a while ago. */
static bool has_news(const struct reservation *reservation, int64_t now_ms)
{
    if (reservation->told_ms < 0)
        return true;
    return now_ms - reservation->told_ms >= TELL_MS &&
           (reservation->state != reservation->told_state ||
            reservation->freed.v != reservation->told.v);
}

void reservation_tell(struct reservation *reservation, int64_t now_ms)
{
    struct proto_writer *writer;
    const char *line;
    size_t length;
    int64_t left = expected_ms(reservation, now_ms);

    if (!has_news(reservation, now_ms))
        return;
    if (reservation->told_ms < 0)
        reservation->first = reservation->freed;
    reservation->told_ms = now_ms;
    reservation->told = reservation->freed;
    reservation->told_state = reservation->state;
    if (!reservation->progress || !reservation->asker)
        return;
    writer = proto_writer_new();
    proto_notification_begin(writer, "reservation.progress");
    proto_object_begin(writer, NULL);
    reservation_put(writer, "reservation", reservation);
    if (left >= 0)
        proto_put_integer(writer, "expected_ms", left);
    else
        proto_put_null(writer, "expected_ms");
    proto_object_end(writer);
    proto_notification_end(writer);
    line = proto_writer_bytes(writer, &length);
    call_tell(reservation->asker, line, length);
    proto_writer_free(writer);
}

void reservation_answer(struct call *call, const struct reservation *reservation)
{
    reservation_put(call_answer_begin(call), NULL, reservation);
    call_answer_end(call);
}

static const char *name_of(const struct daemon *daemon, size_t vm)
{
    const struct hv_domain *domain = &daemon->registry->domains[vm].now;

    return domain->dom0 ? "dom0" : domain->name;
}

void reservation_explain(const struct daemon *daemon, const struct refusal *refusal,
                         struct err *err)
{
    const char *names[REFUSAL_HOLDERS];
    char text[REFUSAL_TEXT];

    for (size_t i = 0; i < refusal->n_holders; i++)
        names[i] = name_of(daemon, refusal->holders[i].vm);
    err_set(err, refusal->code == REFUSAL_WAITED ? ERR_TIMEOUT : ERR_NO_MEMORY, "%s",
            reason_refusal_text(refusal, names, text));
}

static void put_figures(struct proto_writer *writer, const struct refusal *refusal)
{
    proto_object_begin(writer, "figures");
    proto_put_integer(writer, "size_kib", refusal->size.v);
    proto_put_integer(writer, "priority", refusal->priority);
    proto_put_integer(writer, "now_kib", refusal->now.v);
    proto_put_integer(writer, "freeable_kib", refusal->freeable.v);
    proto_put_integer(writer, "ahead_kib", refusal->ahead.v);
    proto_put_integer(writer, "waited_ms", refusal->waited_ms);
    proto_object_end(writer);
}

void reservation_answer_refusal(const struct daemon *daemon, struct call *call,
                                const struct refusal *refusal, const struct err *err)
{
    struct proto_writer *writer = call_fail_begin(call, err);

    proto_put_text(writer, "reason", reason_refusal_name(refusal->code));
    put_figures(writer, refusal);
    proto_array_begin(writer, "holders");
    for (size_t i = 0; i < refusal->n_holders; i++) {
        proto_object_begin(writer, NULL);
        proto_put_text(writer, "name", name_of(daemon, refusal->holders[i].vm));
        proto_put_integer(writer, "holds_kib", refusal->holders[i].holds.v);
        proto_object_end(writer);
    }
    proto_array_end(writer);
    call_fail_end(call, err);
}
