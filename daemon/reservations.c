/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/reservations.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/err.h"
#include "base/log.h"
#include "core/admit.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/events.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/registry.h"
#include "daemon/reservation_answer.h"
#include "daemon/server.h"
#include "daemon/wall_clock.h"
#include "db/db.h"

struct reservations {
    struct daemon *daemon;
    struct reservation *list;   /* by id */
    struct reservation *doomed; /* ended before the disk answered */
    int64_t next_id;
    size_t count;
    struct want wants[RESERVATIONS_MAX];           /* for the core, of the last pass */
    struct reservation *waiting[RESERVATIONS_MAX]; /* by priority, then age */
    size_t n_waiting;
};

struct reservations *reservations_new(struct daemon *daemon)
{
    struct reservations *reservations = memory_new(1, sizeof(*reservations));

    reservations->daemon = daemon;
    reservations->next_id = 1;
    return reservations;
}

static void reservation_free(struct reservation *reservation)
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
    reservation->uid = -1;
    DL_APPEND(reservations->list, reservation);
    reservations->count++;
    if (id >= reservations->next_id)
        reservations->next_id = id + 1;
    return reservation;
}

void reservations_load(struct reservations *reservations, const struct db_reservation *row)
{
    struct reservation *reservation;

    if (reservations->count == RESERVATIONS_MAX)
        return;
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

/* --- ends --------------------------------------------------------------------------------------
 */

static bool is_waiting(const struct reservation *reservation)
{
    return reservation->state <= RESERVATION_SQUEEZING;
}

/* uid: whose doing it is; −1: nobody's. */
static void raise_event_by(struct reservations *reservations, const struct reservation *reservation,
                           enum event_kind kind, int64_t uid, const char *why)
{
    struct event event = {.kind = kind,
                          .vm = reservation->name[0] != '\0' ? reservation->name : NULL,
                          .domid = -1,
                          .uid = uid};

    snprintf(event.detail, sizeof(event.detail),
             "id=%" PRId64 " size_kib=%" PRId64 " priority=%d%s%s", reservation->id,
             reservation->size.v, reservation->priority, why[0] != '\0' ? " " : "", why);
    events_raise(reservations->daemon->events, &event);
}

static void raise_event(struct reservations *reservations, const struct reservation *reservation,
                        enum event_kind kind, const char *why)
{
    raise_event_by(reservations, reservation, kind, reservation->uid, why);
}

static void remove_row(struct reservations *reservations, int64_t id)
{
    const struct db_change change = {.kind = DB_REMOVE_RESERVATION,
                                     .reservation = {.id = id, .name = ""}};

    (void)db_post(reservations->daemon->db, &change, 1, NULL, NULL, NULL);
}

/* Whoever asked or holds is answered with err. */
static void end(struct reservations *reservations, struct reservation *reservation,
                const struct err *err)
{
    bool is_on_disk = reservation->state >= RESERVATION_GRANTED;

    if (reservation->asker)
        call_fail(reservation->asker, err);
    if (reservation->holder)
        call_fail(reservation->holder, err);
    reservation->asker = reservation->holder = NULL;
    DL_DELETE(reservations->list, reservation);
    reservations->count--;
    if (is_on_disk)
        remove_row(reservations, reservation->id);
    if (reservation->state == RESERVATION_SAVING)
        DL_APPEND(reservations->doomed, reservation);
    else
        reservation_free(reservation);
}

static void end_by(struct reservations *reservations, struct reservation *reservation,
                   enum event_kind kind, int64_t uid, const char *why)
{
    struct err err;

    err_set(&err, ERR_NOT_FOUND, "reservation %" PRId64 " has ended (%s)", reservation->id, why);
    raise_event_by(reservations, reservation, kind, uid, why);
    end(reservations, reservation, &err);
}

static void end_because(struct reservations *reservations, struct reservation *reservation,
                        enum event_kind kind, const char *why)
{
    end_by(reservations, reservation, kind, reservation->uid, why);
}

static void refuse(struct reservations *reservations, struct reservation *reservation,
                   const struct err *err)
{
    raise_event(reservations, reservation, EVENT_RESERVATION_REFUSED, "command=reservation.create");
    end(reservations, reservation, err);
}

static struct reservation *find(const struct reservations *reservations, int64_t id)
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
    struct reservation *reservation = find(reservations, id);

    if (!reservation)
        err_set(err, ERR_NOT_FOUND,
                "there is no reservation %" PRId64 ": `xenmemctl reservations` lists them", id);
    return reservation;
}

int reservations_release(struct reservations *reservations, int64_t id, int64_t uid,
                         struct err *err)
{
    struct reservation *reservation = find_or_fail(reservations, id, err);

    if (!reservation)
        return -1;
    end_by(reservations, reservation, EVENT_RESERVATION_RELEASED, uid,
           "reason=request command=reservation.release");
    loop_look_soon(reservations->daemon->loop, 0);
    return 0;
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
    if (reservation->holder)
        call_fail(reservation->holder, err);
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
        return err_set(err, ERR_INVALID, "%s is running already", request->name);
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

/* What its own VM's death left for it. */
static struct reservation *find_implicit(const struct reservations *reservations, const char *name)
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
    const struct snapshot *snapshot;
    const struct decision *decision;
    const struct reservation *implicit;
    struct reservation *reservation;
    struct admission found;
    struct kib there;
    struct err err;

    if (check_ask(reservations, request, &err)) {
        if (call)
            call_fail(call, &err);
        return;
    }
    engine_last(daemon->engine, &snapshot, &decision);
    found = admit(snapshot, decision, request->priority);
    there = kib_sub(kib_add(found.now, found.freeable), ahead_of(reservations, request->priority));
    implicit = find_implicit(reservations, request->name);
    if (implicit)
        there = kib_add(there, implicit->size);
    reservation =
        add(reservations, reservations->next_id, request->name, request->size, request->priority);
    reservation->asker = call;
    reservation->ttl_ms = request->ttl_ms;
    reservation->wait_ms = request->wait_ms;
    reservation->tied = request->tied;
    reservation->uid = call ? (int64_t)call_uid(call) : -1;
    reservation->state = there.v >= request->size.v ? RESERVATION_SQUEEZING : RESERVATION_QUEUED;
    if (reservation->state == RESERVATION_QUEUED && request->wait_ms == 0) {
        reservation_explain(daemon, snapshot, decision, reservation, &err);
        refuse(reservations, reservation, &err);
        return;
    }
    loop_look_soon(daemon->loop, 0);
}

void reservations_note_death(struct reservations *reservations, const char *name,
                             const struct domain *last)
{
    const struct registry *registry = reservations->daemon->registry;
    const struct vm vm = {.assigned = last->now.assigned, .cap = last->now.cap};
    struct reservation *reservation;

    for (size_t i = 0; i < registry->n_domains; i++)
        if (registry->domains[i].now.ref.domid == last->now.ref.domid &&
            memcmp(registry->domains[i].now.ref.uuid, last->now.ref.uuid, 16) == 0)
            return; /* it is still there, by another name, or dying beside its successor */
    if (last->now.cap_unlimited || reservations->count == RESERVATIONS_MAX)
        return;
    DL_FOREACH (reservations->list, reservation)
        if (strcmp(reservation->name, name) == 0)
            return; /* it dies half-built: what is kept for it is enough */
    reservation = add(reservations, reservations->next_id, name, model_counted(&vm), 100);
    reservation->implicit = true;
    reservation->ttl_ms = RESERVATION_GRACE_MS;
    reservation->state = RESERVATION_SQUEEZING; /* granted at once: its memory has just come free */
}

/* --- granting ----------------------------------------------------------------------------------
 */

static void on_saved(void *arg, int rc, const struct err *err)
{
    struct reservation *reservation = arg;
    struct reservations *reservations = reservation->owner;

    if (!find(reservations, reservation->id)) { /* it ended meanwhile */
        if (rc == 0)
            remove_row(reservations, reservation->id);
        DL_DELETE(reservations->doomed, reservation);
        reservation_free(reservation);
        return;
    }
    if (rc) {
        reservation->state = RESERVATION_QUEUED; /* it is not on disk */
        refuse(reservations, reservation, err);
        return;
    }
    reservation->state = RESERVATION_GRANTED;
    raise_event(reservations, reservation, EVENT_RESERVATION_GRANTED,
                reservation->implicit ? "for=reboot" : "command=reservation.create");
    if (reservation->asker)
        reservation_answer(reservation->asker, reservation);
    reservation->asker = NULL;
}

static void post_row(struct reservations *reservations, struct reservation *reservation)
{
    const struct db_change change = {.kind = DB_ADD_RESERVATION,
                                     .reservation = {.id = reservation->id,
                                                     .name = reservation->name,
                                                     .size_kib = reservation->size.v,
                                                     .priority = reservation->priority,
                                                     .expires_ms = reservation->expires_ms,
                                                     .tied = reservation->tied,
                                                     .implicit = reservation->implicit,
                                                     .uid = reservation->uid,
                                                     .created_ms = reservation->created_ms}};
    struct err err;

    if (db_post(reservations->daemon->db, &change, 1, on_saved, reservation, &err)) {
        reservation->state = RESERVATION_QUEUED;
        refuse(reservations, reservation, &err);
    }
}

static void grant(struct reservations *reservations, struct reservation *reservation)
{
    if (reservation->ttl_ms > 0)
        reservation->expires_ms = wall_clock_ms(reservations->daemon) + reservation->ttl_ms;
    reservation->freed = reservation->size;
    reservation->state = RESERVATION_SAVING;
    post_row(reservations, reservation);
}

static int by_turn(const void *a, const void *b)
{
    const struct reservation *const *left = a, *const *right = b;

    if ((*left)->priority != (*right)->priority)
        return (*left)->priority > (*right)->priority ? -1 : 1;
    return (*left)->id < (*right)->id ? -1 : 1;
}

static void line_up(struct reservations *reservations)
{
    struct reservation *reservation;

    reservations->n_waiting = 0;
    DL_FOREACH (reservations->list, reservation)
        if (is_waiting(reservation))
            reservations->waiting[reservations->n_waiting++] = reservation;
    qsort(reservations->waiting, reservations->n_waiting, sizeof(*reservations->waiting), by_turn);
}

/* In turn. What is squeezed for is set aside for it: nobody behind takes it. Queued ones wait for
 * the impossible, and are not in anybody's way. */
static void grant_what_fits(struct reservations *reservations, struct snapshot *snapshot)
{
    struct kib left = model_uncommitted(snapshot);

    line_up(reservations);
    snapshot->wants = reservations->wants;
    for (size_t i = 0; i < reservations->n_waiting; i++) {
        struct reservation *reservation = reservations->waiting[i];
        struct reservation *implicit =
            reservation->implicit ? NULL : find_implicit(reservations, reservation->name);
        struct kib own = implicit ? implicit->size : kib(0);

        reservation->freed = kib_clamp(kib_add(left, own), kib(0), reservation->size);
        if (kib_add(left, own).v >= reservation->size.v) {
            snapshot->host.unbound =
                kib_add(snapshot->host.unbound, kib_sub(reservation->size, own));
            left = kib_sub(kib_add(left, own), reservation->size);
            if (implicit)
                end_because(reservations, implicit, EVENT_RESERVATION_RELEASED, "reason=replaced");
            grant(reservations, reservation);
        } else if (reservation->state == RESERVATION_SQUEEZING) {
            left = kib_sub(left, kib_sub(reservation->size, own));
            reservations->wants[snapshot->n_wants++] =
                (struct want){kib_excess(reservation->size, own), reservation->priority};
        }
    }
}

/* --- a pass ------------------------------------------------------------------------------------
 */

/* True where it has ended. */
static bool bind_or_use(struct reservations *reservations, struct reservation *reservation,
                        struct vm *vms)
{
    const struct registry *registry = reservations->daemon->registry;
    ssize_t i = reservation_find_domain(registry, reservation->name);

    if (i < 0) {
        if (reservation->state == RESERVATION_BOUND)
            reservation->state = RESERVATION_GRANTED; /* it died half-built: its holder's again */
        return false;
    }
    if (registry->domains[i].now.state == VM_BUILDING) {
        reservation->state = RESERVATION_BOUND;
        vms[i].bound = kib_add(vms[i].bound, reservation->size);
        return false;
    }
    end_because(reservations, reservation, EVENT_RESERVATION_RELEASED, "reason=used");
    return true;
}

/* A holder that died ends it; one that only lost its connection has some time to come back. */
static bool has_lost_its_holder(struct reservation *reservation, int64_t now_ms)
{
    struct err err;
    bool is_dead = false;

    if (!reservation->tied || (reservation->holder && call_is_alive(reservation->holder))) {
        reservation->loose_ms = -1;
        return false;
    }
    if (reservation->holder) {
        is_dead = kill(call_pid(reservation->holder), 0) != 0 && errno == ESRCH;
        err_set(&err, ERR_UNREACHABLE, "the connection is lost");
        call_fail(reservation->holder, &err);
        reservation->holder = NULL;
    }
    if (reservation->loose_ms < 0)
        reservation->loose_ms = now_ms;
    return is_dead || now_ms - reservation->loose_ms >= RESERVATION_GRACE_MS;
}

/* One that is granted. True where it has ended. */
static bool follow_granted(struct reservations *reservations, struct reservation *reservation,
                           int64_t now_ms, struct vm *vms)
{
    if (reservation->state == RESERVATION_SAVING)
        return false;
    if (reservation->expires_ms > 0 &&
        wall_clock_ms(reservations->daemon) >= reservation->expires_ms) {
        end_because(reservations, reservation, EVENT_RESERVATION_EXPIRED, "");
        return true;
    }
    if (has_lost_its_holder(reservation, now_ms)) {
        end_because(reservations, reservation, EVENT_RESERVATION_RELEASED, "reason=holder-gone");
        return true;
    }
    return bind_or_use(reservations, reservation, vms);
}

/* Somebody took memory that was promised: a start that bypassed us, or an xl mem-set. */
static void tell_broken(struct reservations *reservations, const struct snapshot *snapshot)
{
    bool is_broken = model_uncommitted(snapshot).v + snapshot->settings.reserve.v < 0;
    struct reservation *reservation;

    DL_FOREACH (reservations->list, reservation) {
        if (reservation->state != RESERVATION_GRANTED || reservation->told_broken == is_broken)
            continue;
        reservation->told_broken = is_broken;
        if (is_broken)
            raise_event(reservations, reservation, EVENT_RESERVATION_BROKEN, "");
    }
}

void reservations_prepare(struct reservations *reservations, struct snapshot *snapshot,
                          struct vm *vms)
{
    struct reservation *reservation, *next;
    struct err gone;

    err_set(&gone, ERR_UNREACHABLE, "the client left");
    DL_FOREACH_SAFE(reservations->list, reservation, next)
    {
        if (reservation->asker && !call_is_alive(reservation->asker))
            refuse(reservations, reservation, &gone);
        else if (!is_waiting(reservation) &&
                 !follow_granted(reservations, reservation, snapshot->now_ms, vms) &&
                 reservation->state != RESERVATION_BOUND)
            snapshot->host.unbound = kib_add(snapshot->host.unbound, reservation->size);
    }
    tell_broken(reservations, snapshot);
    grant_what_fits(reservations, snapshot);
}

/* --- who waits ---------------------------------------------------------------------------------
 */

void reservations_judge(struct reservations *reservations, const struct snapshot *snapshot,
                        const struct decision *decision)
{
    struct kib ahead = kib(0);
    struct err err;

    line_up(reservations);
    for (size_t i = 0; i < reservations->n_waiting; i++) {
        struct reservation *reservation = reservations->waiting[i];
        struct admission found = admit(snapshot, decision, reservation->priority);
        struct kib needed = kib_add(ahead, reservation->size);
        const struct reservation *implicit = find_implicit(reservations, reservation->name);

        if (implicit && implicit != reservation)
            needed = kib_sub(needed, implicit->size);
        reservation_judge(reservation, kib_add(found.now, found.freeable).v >= needed.v,
                          snapshot->now_ms);
        if (reservation_is_over(reservation, snapshot->now_ms)) {
            reservation_explain(reservations->daemon, snapshot, decision, reservation, &err);
            refuse(reservations, reservation, &err);
        } else if (reservation->state == RESERVATION_SQUEEZING) {
            ahead = kib_add(ahead, reservation->size);
        }
    }
}
