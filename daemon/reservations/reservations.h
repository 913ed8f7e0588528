/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reservations: memory that a start will find there. One waits until guests were squeezed for it;
 * is granted (on disk before the answer); is bound to the domain of its name, NAME or
 * NAME--incoming, as soon as one appears; and ends when that runs, on its holder's death, on
 * request, or on expiry, which waits while the domain is being built: if that dies half-built, the
 * reservation is its holder's again, for what is left of its time. What fits is decided by
 * core/admit.h, who is squeezed by core/share.h.
 */
#ifndef DAEMON_RESERVATIONS_RESERVATIONS_H
#define DAEMON_RESERVATIONS_RESERVATIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/model.h"
#include "daemon/events.h"
#include "db/db.h"

struct call;
struct daemon;
struct decision;
struct domain;
struct refusal;
struct registry;
struct reservations;

#define RESERVATIONS_MAX 1000

/* Guests that were asked for memory have so long to give it. */
#define RESERVATION_SQUEEZE_MS INT64_C(60000)

enum reservation_state {
    RESERVATION_QUEUED,    /* there is not enough for it now, and whoever asked wants to wait */
    RESERVATION_SQUEEZING, /* guests give way for it */
    RESERVATION_SAVING,    /* granted, and on its way to the disk */
    RESERVATION_GRANTED,   /* no domain has it yet */
    RESERVATION_BOUND,     /* its domain is being built */
};

/* "queued", "squeezing", … */
const char *reservation_state_name(enum reservation_state state);

struct reservation {
    struct reservation *prev, *next;
    struct reservations *owner;
    int64_t id;
    char *name; /* owned; "" of no VM */
    struct kib size;
    int32_t priority;
    enum reservation_state state;
    int64_t ttl_ms;      /* from its grant on; 0 for good */
    int64_t expires_ms;  /* wall clock; 0 never; not while its domain is being built */
    int64_t created_ms;  /* wall clock */
    int64_t wait_ms;     /* may queue for so long; 0 not at all */
    int64_t since_ms;    /* the pass that first saw it; −1 before */
    int64_t squeezed_ms; /* the pass since when it is squeezed for; −1 not yet */
    struct kib freed;    /* of it, what the last pass saw free */
    struct kib first;    /* what was free of it when it began to wait */
    int64_t told_ms;     /* the pass that last told its asker how far it is; −1 none */
    struct kib told;     /* so much was free then … */
    enum reservation_state told_state; /* … and this it was */
    bool progress;                     /* its asker wants to be told */
    bool tied;                         /* to its holder */
    bool implicit;                     /* left by a VM's death */
    int64_t uid;                       /* −1: nobody's doing */
    struct call *asker;                /* waits for it; NULL: answered */
    struct call *holder;               /* open as long as the holder lives; NULL: not connected */
    int64_t loose_ms;                  /* since when there is no holder; −1 unknown yet */
    bool told_broken;                  /* reservation-broken was raised */
    bool is_covered;      /* its memory is counted elsewhere: with its domain, or its successor */
    bool is_leaving;      /* it has ended, and is on its way off the disk */
    struct event granted; /* goes to disk with it, so that neither is there without the other … */
    struct db_event granted_row; /* … as this row */
};

/* The index of the domain that has come for it; −1 where there is none. */
ssize_t reservation_find_domain(const struct registry *registry, const char *name);

/* True where it has waited for too long, or may not wait for what there is not. */
bool reservation_is_over(const struct reservation *reservation, int64_t now_ms);

/* One that waits is squeezed for as long as that is feasible, and else queued. */
void reservation_judge(struct reservation *reservation, bool is_feasible, int64_t now_ms);

/* Which code the refusal of one that is over has, and how long it took. */
void reservation_judge_refusal(const struct reservation *reservation, struct refusal *refusal);

/* Whoever asks says none: the VM's own, where it has one. */
#define RESERVATION_PRIORITY_OWN (-1)

/* What is asked for. */
struct reservation_request {
    const char *name; /* "" of no VM */
    struct kib size;
    int32_t priority; /* 0 to 100, or RESERVATION_PRIORITY_OWN */
    int64_t ttl_ms;   /* 0 for good */
    int64_t wait_ms;  /* 0: refuse at once what is not feasible now */
    bool progress;    /* tell the asker how far it is while it waits */
    bool tied;
};

struct reservations *reservations_new(struct daemon *daemon);

/* Whoever still waits is told that the daemon stops. NULL is fine. */
void reservations_free(struct reservations *reservations);

/* Takes one in that was on disk. */
void reservations_load(struct reservations *reservations, const struct db_reservation *row);

/*
 * Asks for memory, by the last pass. What is not feasible is refused at once (the call is answered,
 * and nothing has moved) unless it may wait; everything else is answered once it is granted. call
 * NULL: the list and the events are the answer.
 */
void reservations_ask(struct reservations *reservations, struct call *call,
                      const struct reservation_request *request);

/* Ends one, and answers call, which it takes, once that is on disk. NULL: nobody waits for that. */
void reservations_release(struct reservations *reservations, struct call *call, int64_t id);

/* This call stays open as long as the holder of a tied one lives. 0, or −1 ERR_NOT_FOUND. */
int reservations_hold(struct reservations *reservations, struct call *call, int64_t id,
                      struct err *err);

/* All of them, the oldest first. */
const struct reservation *reservations_first(const struct reservations *reservations);

/* False while one is on its way to the disk, or off it. */
bool reservations_are_kept(const struct reservations *reservations);

/* A VM's domain died while we looked: what xl may build again is kept for it. */
void reservations_note_death(struct reservations *reservations, const char *name,
                             const struct domain *last);

/*
 * Within a pass, before deciding: binds, ends and grants, and puts what is reserved and what is
 * waited for into the snapshot. vms are the snapshot's.
 */
void reservations_prepare(struct reservations *reservations, struct snapshot *snapshot,
                          struct vm *vms);

/* After deciding: which of those that wait can be fulfilled. */
void reservations_judge(struct reservations *reservations, const struct snapshot *snapshot,
                        const struct decision *decision);

#endif
