/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/methods/reservation_answer.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "core/admit.h"
#include "daemon/clients/server.h"
#include "daemon/daemon.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"
#include "proto/proto.h"

#define HOLDERS_TOLD 3
#define TELL_MS      1000

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

void reservation_tell(struct reservation *reservation, int64_t now_ms)
{
    struct proto_writer *writer;
    const char *line;
    size_t length;
    int64_t left = expected_ms(reservation, now_ms);

    if (reservation->told_ms < 0)
        reservation->first = reservation->freed;
    else if (now_ms - reservation->told_ms < TELL_MS)
        return;
    reservation->told_ms = now_ms;
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

/* The one of the largest that it keeps, among those that were not told yet. */
static size_t largest_holder(const struct snapshot *snapshot, const struct decision *decision,
                             int32_t priority, const size_t *told, size_t n_told)
{
    size_t largest = snapshot->n_vms;
    struct kib most = kib(0);

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        struct kib keeps = admit_holds(snapshot, decision, i, priority);
        bool was_told = false;

        for (size_t j = 0; j < n_told; j++)
            was_told |= told[j] == i;
        if (was_told || keeps.v <= most.v)
            continue;
        largest = i;
        most = keeps;
    }
    return largest;
}

static void name_holders(const struct daemon *daemon, const struct snapshot *snapshot,
                         const struct decision *decision, int32_t priority, char *out, size_t room)
{
    size_t told[HOLDERS_TOLD];
    char amount[UNITS_TEXT];
    size_t length = 0;

    out[0] = '\0';
    for (size_t n = 0; n < HOLDERS_TOLD; n++) {
        const struct domain *domain;

        told[n] = largest_holder(snapshot, decision, priority, told, n);
        if (told[n] >= snapshot->n_vms || told[n] >= daemon->registry->n_domains)
            return;
        domain = &daemon->registry->domains[told[n]];
        length += (size_t)snprintf(
            out + length, room - length, "%s%.40s%s %s", n > 0 ? ", " : "",
            domain->now.dom0 ? "dom0" : domain->now.name,
            decision->verdicts[told[n]].state == VM_UNRESPONSIVE ? " (does not respond)" : "",
            kib_format(admit_holds(snapshot, decision, told[n], priority), amount));
        if (length >= room)
            return;
    }
}

void reservation_explain(const struct daemon *daemon, const struct snapshot *snapshot,
                         const struct decision *decision, const struct reservation *reservation,
                         struct kib ahead, struct err *err)
{
    struct admission found = admit(snapshot, decision, reservation->priority);
    char size[UNITS_TEXT], now[UNITS_TEXT], freeable[UNITS_TEXT], before[UNITS_TEXT], holders[240];

    name_holders(daemon, snapshot, decision, reservation->priority, holders, sizeof(holders));
    err_set(
        err, ERR_NO_MEMORY,
        "not enough memory for %s: %s there, %s could be freed for priority %d%s%s%s; held by %s",
        kib_format(reservation->size, size), kib_format(found.now, now),
        kib_format(found.freeable, freeable), reservation->priority, ahead.v > 0 ? ", " : "",
        ahead.v > 0 ? kib_format(ahead, before) : "",
        ahead.v > 0 ? " of that for starts that came before" : "",
        holders[0] != '\0' ? holders : "nobody");
}
