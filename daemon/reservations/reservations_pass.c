/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Within a pass: what is granted, bound, ended, and squeezed for. */
#include "daemon/reservations/reservations.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/err.h"
#include "core/admit.h"
#include "daemon/clients/server.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/loop.h"
#include "daemon/methods/reservation_answer.h"
#include "daemon/options.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations_parts.h"
#include "daemon/wall_clock.h"
#include "db/db.h"

/* Whoever waits shall have it as soon as it is free, not at the next regular look. */
#define SQUEEZE_LOOK_MS 100

/* --- granting ----------------------------------------------------------------------------------
 */

static void on_saved(void *arg, int rc, const struct err *err)
{
    struct reservation *reservation = arg;
    struct reservations *reservations = reservation->owner;

    if (rc == 0)
        events_settled(reservations->daemon->events, &reservation->granted,
                       &reservation->granted_row);
    if (!reservations_find(reservations, reservation->id))
        return; /* it ended meanwhile, and goes when it is off the disk again */
    if (rc) {
        reservation->state = RESERVATION_QUEUED; /* it is not on disk */
        reservation_fail(reservations, reservation, err);
        return;
    }
    reservation->state = RESERVATION_GRANTED;
    if (reservation->asker)
        reservation_answer(reservation->asker, reservation);
    reservation->asker = NULL;
}

static void post_row(struct reservations *reservations, struct reservation *reservation)
{
    struct db_change changes[] = {{.kind = DB_ADD_RESERVATION,
                                   .reservation = {.id = reservation->id,
                                                   .name = reservation->name,
                                                   .size_kib = reservation->size.v,
                                                   .priority = reservation->priority,
                                                   .expires_ms = reservation->expires_ms,
                                                   .tied = reservation->tied,
                                                   .implicit = reservation->implicit,
                                                   .uid = reservation->uid,
                                                   .created_ms = reservation->created_ms}},
                                  {.kind = DB_ADD_EVENT}};
    struct err err;

    reservation_event(reservation, EVENT_RESERVATION_GRANTED,
                      reservation->implicit ? "for=reboot" : "command=reservation.create",
                      &reservation->granted);
    events_prepare(reservations->daemon->events, &reservation->granted, &reservation->granted_row);
    changes[1].event = reservation->granted_row;
    if (db_post(reservations->daemon->db, changes, 2, on_saved, reservation, &err)) {
        reservation->state = RESERVATION_QUEUED;
        reservation_fail(reservations, reservation, &err);
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
        if (reservation_is_waiting(reservation))
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
    snapshot->returns = reservations->returns;
    for (size_t i = 0; i < reservations->n_waiting; i++) {
        struct reservation *reservation = reservations->waiting[i];
        struct reservation *implicit =
            reservation->implicit ? NULL
                                  : reservations_find_implicit(reservations, reservation->name);
        struct kib own = implicit ? implicit->size : kib(0);

        reservation->freed = kib_clamp(kib_add(left, own), kib(0), reservation->size);
        if (kib_add(left, own).v >= reservation->size.v) {
            snapshot->host.unbound =
                kib_add(snapshot->host.unbound, kib_sub(reservation->size, own));
            left = kib_sub(kib_add(left, own), reservation->size);
            if (implicit) {
                implicit->is_covered = true;
                reservation_end(reservations, implicit, EVENT_RESERVATION_RELEASED,
                                "reason=replaced");
            }
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

/* True where its domain is there: then that is counted with it. While it is on its way to the disk
 * the domain may even run already. */
static bool has_come(struct reservations *reservations, struct reservation *reservation,
                     struct vm *vms)
{
    const struct registry *registry = reservations->daemon->registry;
    ssize_t i = reservation_find_domain(registry, reservation->name);

    if (i >= 0 && registry->domains[i].now.state == VM_BUILDING)
        vms[i].bound = kib_add(vms[i].bound, reservation->size);
    return i >= 0;
}

/* True where it has ended. One whose domain died half-built is its holder's again. */
static bool bind_or_use(struct reservations *reservations, struct reservation *reservation)
{
    const struct registry *registry = reservations->daemon->registry;
    ssize_t i = reservation_find_domain(registry, reservation->name);

    if (i >= 0 && registry->domains[i].now.state != VM_BUILDING) {
        reservation->is_covered = true;
        reservation_end(reservations, reservation, EVENT_RESERVATION_RELEASED, "reason=used");
        return true;
    }
    reservation->state = i < 0 ? RESERVATION_GRANTED : RESERVATION_BOUND;
    return false;
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
    return is_dead ||
           now_ms - reservation->loose_ms >= reservation->owner->daemon->options->holder_grace_ms;
}

static bool has_expired(const struct reservation *reservation)
{
    return reservation->expires_ms > 0 &&
           wall_clock_ms(reservation->owner->daemon) >= reservation->expires_ms;
}

/* One that is granted. True where it has ended. Its time is that in which its domain has to come:
 * one that is being built, however slowly, finds its memory to the last page. */
static bool follow_granted(struct reservations *reservations, struct reservation *reservation,
                           int64_t now_ms)
{
    if (reservation->state == RESERVATION_SAVING)
        return false;
    if (bind_or_use(reservations, reservation))
        return true;
    if (has_lost_its_holder(reservation, now_ms)) {
        reservation_end(reservations, reservation, EVENT_RESERVATION_RELEASED,
                        "reason=holder-gone");
        return true;
    }
    if (reservation->state == RESERVATION_GRANTED && has_expired(reservation)) {
        reservation_end(reservations, reservation, EVENT_RESERVATION_EXPIRED, "");
        return true;
    }
    return false;
}

/* Until what has ended is off the disk, a daemon that is killed finds it there again: so it counts
 * as if it had not ended. */
static void count_ended(struct reservations *reservations, struct snapshot *snapshot,
                        struct vm *vms)
{
    struct reservation *reservation;

    reservations_drop_ended(reservations);
    DL_FOREACH (reservations->doomed, reservation)
        if (!reservation->is_covered && !has_come(reservations, reservation, vms))
            snapshot->host.unbound = kib_add(snapshot->host.unbound, reservation->size);
}

/* What Xen has taken for the page tables of one that is being built is gone from free, and is no
 * page of its own: of what is kept for it that much has been used. */
static void take_pools_off(const struct registry *registry, struct vm *vms)
{
    for (size_t i = 0; i < registry->n_domains; i++)
        vms[i].bound = kib_excess(vms[i].bound, registry->domains[i].now.pool);
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
            reservation_raise(reservations, reservation, EVENT_RESERVATION_BROKEN, "");
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
            reservation_fail(reservations, reservation, &gone);
        else if (!reservation_is_waiting(reservation) &&
                 !follow_granted(reservations, reservation, snapshot->now_ms) &&
                 !has_come(reservations, reservation, vms))
            snapshot->host.unbound = kib_add(snapshot->host.unbound, reservation->size);
    }
    count_ended(reservations, snapshot, vms);
    take_pools_off(reservations->daemon->registry, vms);
    tell_broken(reservations, snapshot);
    grant_what_fits(reservations, snapshot);
}

/* --- who waits ---------------------------------------------------------------------------------
 */

void reservations_judge(struct reservations *reservations, const struct snapshot *snapshot,
                        const struct decision *decision)
{
    struct kib ahead = kib(0);
    bool is_squeezing = false;

    if (decision->settled)
        reservations->returns = false;
    line_up(reservations);
    for (size_t i = 0; i < reservations->n_waiting; i++) {
        struct reservation *reservation = reservations->waiting[i];
        struct admission found = admit(snapshot, decision, reservation->priority);
        struct kib needed = kib_add(ahead, reservation->size);
        bool was_squeezing;
        const struct reservation *implicit =
            reservations_find_implicit(reservations, reservation->name);

        if (implicit && implicit != reservation)
            needed = kib_sub(needed, implicit->size);
        was_squeezing = reservation->state == RESERVATION_SQUEEZING;
        reservation_judge(reservation, kib_add(found.now, found.freeable).v >= needed.v,
                          snapshot->now_ms);
        reservations->returns |= was_squeezing && reservation->state == RESERVATION_QUEUED;
        if (reservation_is_over(reservation, snapshot->now_ms)) {
            reservation_refuse(reservations, reservation, snapshot, decision, ahead);
            continue;
        }
        reservation_tell(reservation, snapshot->now_ms);
        if (reservation->state != RESERVATION_SQUEEZING)
            continue;
        ahead = kib_add(ahead, reservation->size);
        is_squeezing = true;
    }
    if (is_squeezing)
        loop_look_soon(reservations->daemon->loop, SQUEEZE_LOOK_MS);
}
