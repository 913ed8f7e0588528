/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events: what an operator wants to be told. Each is raised on an edge, becomes a row in the
 * journal and a line in the log, and goes to subscribers and hooks once the row is on disk: what
 * was acted on is not lost by a crash. Decisions (actions) and what became of hooks are journalled
 * the same way, but only logged, not published.
 */
#ifndef DAEMON_EVENTS_H
#define DAEMON_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct daemon;
struct db_event;
struct events;
struct proto_event;

enum event_kind {
    EVENT_HOST_LOW,
    EVENT_HOST_OK,
    EVENT_VM_LOW,
    EVENT_VM_WARNING,
    EVENT_VM_OK,
    EVENT_VM_UNRESPONSIVE,
    EVENT_VM_RECOVERED,
    EVENT_VM_SUSPICIOUS, /* it says that more is in use than it has, or never stops saying things */
    EVENT_VM_PLAUSIBLE,
    EVENT_VM_APPEARED,
    EVENT_VM_GONE,
    EVENT_OVERRIDE_SEEN,
    EVENT_OVERRIDE_CLEARED,
    EVENT_RESERVATION_GRANTED,
    EVENT_RESERVATION_REFUSED,
    EVENT_RESERVATION_EXPIRED,
    EVENT_RESERVATION_RELEASED,
    EVENT_RESERVATION_BROKEN,
    EVENT_FREEZE_SET,
    EVENT_FREEZE_CLEARED,
    EVENT_SETTINGS_CHANGED,
    EVENT_POLICY_APPLIED,
    EVENT_POLICY_REVERTED,
    EVENT_CHANGE_REFUSED, /* somebody wanted to change something, and was not let */
    EVENT_DATABASE_FAILED,
    EVENT_DATABASE_OK,
    EVENT_INVARIANT_BROKEN,
    EVENT_INVARIANT_RESTORED,
    EVENT_DAEMON_STARTED,
    EVENT_DAEMON_STOPPING,
    EVENT_HOOK,   /* what became of a hook; only journalled, and runs no hook itself */
    EVENT_ACTION, /* a decision that was carried out, or could not be */
    EVENT_KIND_COUNT
};

#define EVENT_DETAIL_MAX 640

/* One event. Strings are borrowed for the call. */
struct event {
    enum event_kind kind;
    const char *vm;                /* NULL: about the host */
    int64_t domid;                 /* −1: none */
    int64_t uid;                   /* whose doing it was; −1: the daemon's own */
    const char *reason;            /* a reason code's name; NULL: none */
    char detail[EVENT_DETAIL_MAX]; /* key=value …, for people and scripts */
};

/* A row as it goes over the wire; strings are borrowed from it. */
struct proto_event event_record(const struct db_event *row);

/* "host-low", …: the name in journal, log, hooks and on the wire. */
const char *event_kind_name(enum event_kind kind);

struct events *events_new(struct daemon *daemon);
void events_free(struct events *events);

/* Raises one. Never fails: what the database cannot take is counted there, and the log has it. */
void events_raise(struct events *events, const struct event *event);

/*
 * For an event whose row goes to the disk in one transaction with the change that it tells of:
 * prepare makes the row (strings borrowed from event), settled tells of it once it is on disk.
 */
void events_prepare(struct events *events, const struct event *event, struct db_event *row);
void events_settled(struct events *events, const struct event *event, const struct db_event *row);

/* False while some are on their way to the disk that have not been told yet. */
bool events_are_told(const struct events *events);

/* False for kinds that are only journalled. */
bool event_kind_is_told(enum event_kind kind);

/* True for the name of a kind that is told. */
bool event_is_told(const char *name);

/* The common case: about vm (NULL: the host), by the daemon itself, with figures as printf makes
 * them. */
__attribute__((format(printf, 4, 5))) void events_raise_about(struct events *events,
                                                              enum event_kind kind, const char *vm,
                                                              const char *format, ...);

#endif
