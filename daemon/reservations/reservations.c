/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/reservations/reservations.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/err.h"
#include "base/log.h"
#include "core/admit.h"
#include "core/reason.h"
#include "core/settings.h"
#include "daemon/clients/server.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/events.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/methods/reservation_answer.h"
#include "daemon/options.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations_parts.h"
#include "daemon/settings/layers.h"
#include "daemon/wall_clock.h"
#include "db/db.h"

struct reservations *reservations_new(struct daemon *daemon)
{
    struct reservations *reservations = memory_new(1, sizeof(*reservations));

    reservations->daemon = daemon;
    reservations->next_id = db_last_reservation(daemon->db) + 1;
    return reservations;
}

void reservation_free(struct reservation *reservation)
{
    free(reservation->name);
    free(reservation);
}

void reservations_free(struct reservations *reservations)
{
    struct reservation *reservation, *next;
    struct err err;

    if (!reservations)
        return;
    err_set(&err, ERR_UNREACHABLE, "xenmemd is stopping: what was granted shows when it is back");
    DL_FOREACH_SAFE(reservations->list, reservation, next)
    {
        if (reservation->asker)
            call_fail(reservation->asker, &err);
        if (reservation->holder)
            call_fail(reservation->holder, &err);
        DL_DELETE(reservations->list, reservation);
        reservation_free(reservation);
    }
    DL_FOREACH_SAFE(reservations->doomed, reservation, next)
    {
        DL_DELETE(reservations->doomed, reservation);
        reservation_free(reservation);
    }
    free(reservations);
}

static struct reservation *add(struct reservations *reservations, int64_t id, const char *name,
                               struct kib size, int32_t priority)
{
    struct reservation *reservation = memory_new(1, sizeof(*reservation));

    reservation->owner = reservations;
    reservation->id = id;
    reservation->name = memory_copy_text(name);
    reservation->size = size;
    reservation->priority = priority;
    reservation->created_ms = wall_clock_ms(reservations->daemon);
    reservation->since_ms = reservation->squeezed_ms = reservation->loose_ms = -1;
    reservation->told_ms = reservation->uid = -1;
    DL_APPEND(reservations->list, reservation);
    reservations->count++;
    if (id >= reservations->next_id)
        reservations->next_id = id + 1;
    return reservation;
}

void reservations_load(struct reservations *reservations, const struct db_reservation *row)
{
    struct reservation *reservation;

    if (reservations->count == RESERVATIONS_MAX) {
        log_error("reservation-left-out id=%" PRId64 " most=%d", row->id, RESERVATIONS_MAX);
        return;
    }
    reservation = add(reservations, row->id, row->name, kib(row->size_kib), (int32_t)row->priority);
    reservation->state = RESERVATION_GRANTED;
    reservation->expires_ms = row->expires_ms;
    reservation->tied = row->tied;
    reservation->implicit = row->implicit;
    reservation->uid = row->uid;
    reservation->created_ms = row->created_ms;
}

const struct reservation *reservations_first(const struct reservations *reservations)
{
    return reservations->list;
}

bool reservations_are_kept(const struct reservations *reservations)
{
    const struct reservation *reservation;

    DL_FOREACH (reservations->doomed, reservation)
        if (reservation->is_leaving)
            return false;
    DL_FOREACH (reservations->list, reservation)
        if (reservation->state == RESERVATION_SAVING)
            return false;
    return true;
}

/* --- ends --------------------------------------------------------------------------------------
 */

bool reservation_is_waiting(const struct reservation *reservation)
{
    return reservation->state <= RESERVATION_SQUEEZING;
}

void reservation_event(const struct reservation *reservation, enum event_kind kind, const char *why,
                       struct event *out)
{
    *out = (struct event){.kind = kind,
                          .vm = reservation->name[0] != '\0' ? reservation->name : NULL,
                          .domid = -1,
                          .uid = reservation->uid};
    snprintf(out->detail, sizeof(out->detail),
             "id=%" PRId64 " size_kib=%" PRId64 " priority=%d%s%s", reservation->id,
             reservation->size.v, reservation->priority, why[0] != '\0' ? " " : "", why);
}

void reservation_raise(struct reservations *reservations, const struct reservation *reservation,
                       enum event_kind kind, const char *why)
{
    struct event event;

    reservation_event(reservation, kind, why, &event);
    events_raise(reservations->daemon->events, &event);
}

/* done may be NULL. 0, or −1: done is not called. */
static int drop_row(struct reservations *reservations, int64_t id,
                    void (*done)(void *arg, int rc, const struct err *err), void *arg,
                    struct err *err)
{
    const struct db_change change = {.kind = DB_REMOVE_RESERVATION,
                                     .reservation = {.id = id, .name = ""}};

    return db_post(reservations->daemon->db, &change, 1, done, arg, err);
}

static void on_dropped(void *arg, int rc, const struct err *err)
{
    struct reservation *reservation = arg;
    struct reservations *reservations = reservation->owner;

    (void)err;
    reservation->is_leaving = false;
    if (rc)
        return; /* the next pass tries again */
    DL_DELETE(reservations->doomed, reservation);
    reservation_free(reservation);
    loop_look_soon(reservations->daemon->loop, 0);
}

void reservations_drop_ended(struct reservations *reservations)
{
    struct reservation *reservation;

    DL_FOREACH (reservations->doomed, reservation)
        if (!reservation->is_leaving)
            reservation->is_leaving =
                drop_row(reservations, reservation->id, on_dropped, reservation, NULL) == 0;
}

/* Whoever asked or holds is answered with err. */
static void end(struct reservations *reservations, struct reservation *reservation,
                const struct err *err)
{
    bool is_posted = reservation->state >= RESERVATION_SAVING;

    reservations->returns |= reservation->state == RESERVATION_SQUEEZING;
    if (reservation->asker)
        call_fail(reservation->asker, err);
    if (reservation->holder)
        call_fail(reservation->holder, err);
    reservation->asker = reservation->holder = NULL;
    DL_DELETE(reservations->list, reservation);
    reservations->count--;
    if (!is_posted) {
        reservation_free(reservation);
        return;
    }
    DL_APPEND(reservations->doomed, reservation);
    reservations_drop_ended(reservations);
}

void reservation_end(struct reservations *reservations, struct reservation *reservation,
                     enum event_kind kind, const char *why)
{
    struct err err;

    err_set(&err, ERR_NOT_FOUND, "reservation %" PRId64 " has ended (%s)", reservation->id, why);
    reservation_raise(reservations, reservation, kind, why);
    end(reservations, reservation, &err);
}

void reservation_fail(struct reservations *reservations, struct reservation *reservation,
                      const struct err *err)
{
    reservation_raise(reservations, reservation, EVENT_RESERVATION_REFUSED,
                      err->code == ERR_UNREACHABLE ? "reason=client-gone command=reservation.create"
                                                   : "reason=failed command=reservation.create");
    end(reservations, reservation, err);
}

/* Code and figures, as the event has them. */
static void describe_refusal(const struct refusal *refusal, char *out, size_t room)
{
    snprintf(out, room,
             "reason=%s now_kib=%" PRId64 " freeable_kib=%" PRId64 " ahead_kib=%" PRId64
             " waited_ms=%" PRId64 " command=reservation.create",
             reason_refusal_name(refusal->code), refusal->now.v, refusal->freeable.v,
             refusal->ahead.v, refusal->waited_ms);
}

void reservation_refuse(struct reservations *reservations, struct reservation *reservation,
                        const struct snapshot *snapshot, const struct decision *decision,
                        struct kib ahead)
{
    struct refusal refusal;
    char why[EVENT_DETAIL_MAX];
    struct err err;

    admit_refuse(snapshot, decision, reservation->size, reservation->priority, ahead, &refusal);
    reservation_judge_refusal(reservation, &refusal);
    describe_refusal(&refusal, why, sizeof(why));
    reservation_explain(reservations->daemon, &refusal, &err);
    reservation_raise(reservations, reservation, EVENT_RESERVATION_REFUSED, why);
    if (reservation->asker)
        reservation_answer_refusal(reservations->daemon, reservation->asker, &refusal, &err);
    reservation->asker = NULL;
    end(reservations, reservation, &err);
}

struct reservation *reservations_find(const struct reservations *reservations, int64_t id)
{
    struct reservation *reservation;

    DL_FOREACH (reservations->list, reservation)
        if (reservation->id == id)
            return reservation;
    return NULL;
}

static struct reservation *find_or_fail(const struct reservations *reservations, int64_t id,
                                        struct err *err)
{
    struct reservation *reservation = reservations_find(reservations, id);

    if (!reservation)
        err_set(err, ERR_NOT_FOUND,
                "there is no reservation %" PRId64 ": `xenmemctl reservations` lists them", id);
    return reservation;
}

/* The row goes once more, with whoever waits for that: all that was posted before is on disk then.
 */
void reservations_release(struct reservations *reservations, struct call *call, int64_t id)
{
    struct err err;
    struct reservation *reservation = find_or_fail(reservations, id, &err);

    if (!reservation) {
        if (call)
            call_fail(call, &err);
        return;
    }
    reservation->uid = call ? (int64_t)call_uid(call) : -1; /* its end is whose wish this is */
    reservation_end(reservations, reservation, EVENT_RESERVATION_RELEASED,
                    "reason=request command=reservation.release");
    loop_look_soon(reservations->daemon->loop, 0);
    if (call && drop_row(reservations, id, call_answer_done, call, &err))
        call_fail(call, &err);
}

int reservations_hold(struct reservations *reservations, struct call *call, int64_t id,
                      struct err *err)
{
    struct reservation *reservation = find_or_fail(reservations, id, err);

    if (!reservation)
        return -1;
    if (!reservation->tied || (reservation->holder && call_is_alive(reservation->holder)))
        return err_set(err, ERR_INVALID, "reservation %" PRId64 " %s", id,
                       reservation->tied ? "has a holder already" : "is not tied to anybody");
    if (reservation->holder) {
        err_set(err, ERR_UNREACHABLE, "the connection is lost");
        call_fail(reservation->holder, err);
    }
    reservation->holder = call;
    return 0;
}

/* --- asking ------------------------------------------------------------------------------------
 */

static bool is_running(const struct daemon *daemon, const char *name)
{
    const struct vm_entry *vm = registry_find(daemon->registry, name);

    return vm && vm->domain && vm->domain->now.state != VM_DYING &&
           vm->domain->now.state != VM_SHUTDOWN;
}

static int check_ask(const struct reservations *reservations,
                     const struct reservation_request *request, struct err *err)
{
    const struct reservation *other;

    if (reservations->count == RESERVATIONS_MAX)
        return err_set(err, ERR_BUSY, "there are %d reservations already: release some",
                       RESERVATIONS_MAX);
    if (request->name[0] == '\0')
        return 0;
    if (is_running(reservations->daemon, request->name))
        return err_set(err, ERR_BUSY, "%s is running already: it needs no room to start in",
                       request->name);
    DL_FOREACH (reservations->list, other)
        if (!other->implicit && strcmp(other->name, request->name) == 0)
            return err_set(err, ERR_BUSY,
                           "%s has reservation %" PRId64 " already: release that first",
                           request->name, other->id);
    return 0;
}

/* What those ahead of it wait for. */
static struct kib ahead_of(const struct reservations *reservations, int32_t priority)
{
    const struct reservation *other;
    struct kib sum = kib(0);

    DL_FOREACH (reservations->list, other)
        if (other->state == RESERVATION_SQUEEZING && other->priority >= priority)
            sum = kib_add(sum, other->size);
    return sum;
}

/* As it is said, or what is set for the VM, which need not have been seen yet. */
static int32_t priority_of(const struct daemon *daemon, const struct reservation_request *request)
{
    const struct layer *source = layers_source(daemon->layers, request->name, VM_KEY_PRIORITY);

    if (request->priority != RESERVATION_PRIORITY_OWN)
        return request->priority;
    if (request->name[0] == '\0' || !source)
        return (int32_t)vm_setting_defs[VM_KEY_PRIORITY].fallback;
    return (int32_t)layer_says(source, request->name)->value[VM_KEY_PRIORITY];
}

/* What its own VM's death left for it. */
struct reservation *reservations_find_implicit(const struct reservations *reservations,
                                               const char *name)
{
    struct reservation *other;

    DL_FOREACH (reservations->list, other)
        if (other->implicit && strcmp(other->name, name) == 0)
            return other;
    return NULL;
}

void reservations_ask(struct reservations *reservations, struct call *call,
                      const struct reservation_request *request)
{
    struct daemon *daemon = reservations->daemon;
    const int32_t priority = priority_of(daemon, request);
    const struct snapshot *snapshot;
    const struct decision *decision;
    const struct reservation *implicit;
    struct reservation *reservation;
    struct admission found;
    struct kib there, ahead;
    struct err err;

    if (check_ask(reservations, request, &err)) {
        if (call)
            call_fail(call, &err);
        return;
    }
    engine_last(daemon->engine, &snapshot, &decision);
    found = admit(snapshot, decision, priority);
    ahead = ahead_of(reservations, priority);
    there = kib_sub(kib_add(found.now, found.freeable), ahead);
    implicit = reservations_find_implicit(reservations, request->name);
    if (implicit)
        there = kib_add(there, implicit->size);
    reservation = add(reservations, reservations->next_id, request->name, request->size, priority);
    reservation->asker = call;
    reservation->ttl_ms = request->ttl_ms;
    reservation->wait_ms = request->wait_ms;
    reservation->progress = request->progress;
    reservation->tied = request->tied;
    reservation->uid = call ? (int64_t)call_uid(call) : -1;
    reservation->state = there.v >= request->size.v ? RESERVATION_SQUEEZING : RESERVATION_QUEUED;
    if (reservation->state == RESERVATION_QUEUED && request->wait_ms == 0) {
        reservation_refuse(reservations, reservation, snapshot, decision, ahead);
        return;
    }
    loop_look_soon(daemon->loop, 0);
}

/* What xl takes when it builds a guest again that reboots: all that it may have had, and its page
 * tables. */
static struct kib rebuild_needs(const struct domain *last)
{
    const struct vm counted = {.assigned = last->now.assigned, .cap = last->now.cap};

    return kib_add(model_counted(&counted), last->now.pool);
}

void reservations_note_death(struct reservations *reservations, const char *name,
                             const struct domain *last)
{
    const struct registry *registry = reservations->daemon->registry;
    struct reservation *reservation;

    for (size_t i = 0; i < registry->n_domains; i++)
        if (registry->domains[i].now.ref.domid == last->now.ref.domid &&
            memcmp(registry->domains[i].now.ref.uuid, last->now.ref.uuid, 16) == 0)
            return; /* it is still there, by another name, or dying beside its successor */
    if (last->now.cap_unlimited || reservations->count == RESERVATIONS_MAX ||
        reservations->daemon->options->reboot_grace_ms == 0)
        return;
    DL_FOREACH (reservations->list, reservation)
        if (strcmp(reservation->name, name) == 0)
            return; /* it dies half-built: what is kept for it is enough */
    reservation = add(reservations, reservations->next_id, name, rebuild_needs(last), 100);
    reservation->implicit = true;
    reservation->ttl_ms = reservations->daemon->options->reboot_grace_ms;
    reservation->state = RESERVATION_SQUEEZING; /* granted at once: its memory has just come free */
}
