/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all reservations together are made of: for reservations.c and reservations_pass.c alone. */
#ifndef DAEMON_RESERVATIONS_RESERVATIONS_PARTS_H
#define DAEMON_RESERVATIONS_RESERVATIONS_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/model.h"
#include "daemon/events.h"
#include "daemon/reservations/reservations.h"

struct reservations {
    struct daemon *daemon;
    struct reservation *list;   /* by id */
    struct reservation *doomed; /* ended, and perhaps still on disk */
    int64_t next_id;
    size_t count;
    struct want wants[RESERVATIONS_MAX];           /* for the core, of the last pass */
    struct reservation *waiting[RESERVATIONS_MAX]; /* by priority, then age */
    size_t n_waiting;
    bool returns; /* guests gave for one that came to nothing, and have not got it back yet */
};

/* It is not granted yet. */
bool reservation_is_waiting(const struct reservation *reservation);

/* The event that tells of it; vm is borrowed from the reservation. */
void reservation_event(const struct reservation *reservation, enum event_kind kind, const char *why,
                       struct event *out);

void reservation_raise(struct reservations *reservations, const struct reservation *reservation,
                       enum event_kind kind, const char *why);

/* Ends it with that event; whoever asked or holds is told why. It is gone, or among the doomed. */
void reservation_end(struct reservations *reservations, struct reservation *reservation,
                     enum event_kind kind, const char *why);

/* There is no room for it: ends it, tells why by the figures, and answers whoever asked. ahead is
 * for those whose turn is before. */
void reservation_refuse(struct reservations *reservations, struct reservation *reservation,
                        const struct snapshot *snapshot, const struct decision *decision,
                        struct kib ahead);

/* Nobody's memory has to do with it: ends it, and whoever asked is answered with err. */
void reservation_fail(struct reservations *reservations, struct reservation *reservation,
                      const struct err *err);

void reservation_free(struct reservation *reservation);

/* Takes what has ended off the disk, where that is not under way. */
void reservations_drop_ended(struct reservations *reservations);

/* NULL where there is none. */
struct reservation *reservations_find(const struct reservations *reservations, int64_t id);

/* What its own VM's death left for it; NULL nothing. */
struct reservation *reservations_find_implicit(const struct reservations *reservations,
                                               const char *name);

#endif
