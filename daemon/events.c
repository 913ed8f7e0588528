/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/clients/server.h"
#include "daemon/daemon.h"
#include "daemon/hooks/hooks.h"
#include "daemon/memory.h"
#include "daemon/wall_clock.h"
#include "db/db.h"
#include "proto/proto.h"
#include "proto/records.h"

struct events {
    struct daemon *daemon;
    struct proto_writer *writer; /* reused for each line to subscribers */
    int64_t next_id;
    struct announcement *waiting; /* for their rows to be on disk */
};

/* An event that waits for its row to be on disk. */
struct announcement {
    struct events *events;
    struct announcement *prev, *next;
    struct db_event row; /* strings owned, but that of its kind */
};

static const struct {
    const char *name;
    enum log_level level;
} kinds[EVENT_KIND_COUNT] = {
    [EVENT_HOST_LOW] = {"host-low", LOG_LEVEL_WARNING},
    [EVENT_HOST_OK] = {"host-ok", LOG_LEVEL_NOTICE},
    [EVENT_VM_LOW] = {"vm-low", LOG_LEVEL_NOTICE},
    [EVENT_VM_WARNING] = {"vm-warning", LOG_LEVEL_WARNING},
    [EVENT_VM_OK] = {"vm-ok", LOG_LEVEL_NOTICE},
    [EVENT_VM_UNRESPONSIVE] = {"vm-unresponsive", LOG_LEVEL_WARNING},
    [EVENT_VM_RECOVERED] = {"vm-recovered", LOG_LEVEL_NOTICE},
    [EVENT_VM_SUSPICIOUS] = {"vm-suspicious", LOG_LEVEL_WARNING},
    [EVENT_VM_PLAUSIBLE] = {"vm-plausible", LOG_LEVEL_NOTICE},
    [EVENT_VM_APPEARED] = {"vm-appeared", LOG_LEVEL_NOTICE},
    [EVENT_VM_GONE] = {"vm-gone", LOG_LEVEL_NOTICE},
    [EVENT_OVERRIDE_SEEN] = {"override-seen", LOG_LEVEL_NOTICE},
    [EVENT_OVERRIDE_CLEARED] = {"override-cleared", LOG_LEVEL_NOTICE},
    [EVENT_RESERVATION_GRANTED] = {"reservation-granted", LOG_LEVEL_NOTICE},
    [EVENT_RESERVATION_REFUSED] = {"reservation-refused", LOG_LEVEL_WARNING},
    [EVENT_RESERVATION_EXPIRED] = {"reservation-expired", LOG_LEVEL_WARNING},
    [EVENT_RESERVATION_RELEASED] = {"reservation-released", LOG_LEVEL_NOTICE},
    [EVENT_RESERVATION_BROKEN] = {"reservation-broken", LOG_LEVEL_ERROR},
    [EVENT_FREEZE_SET] = {"freeze-set", LOG_LEVEL_NOTICE},
    [EVENT_FREEZE_CLEARED] = {"freeze-cleared", LOG_LEVEL_NOTICE},
    [EVENT_SETTINGS_CHANGED] = {"settings-changed", LOG_LEVEL_NOTICE},
    [EVENT_POLICY_APPLIED] = {"policy-applied", LOG_LEVEL_NOTICE},
    [EVENT_POLICY_REVERTED] = {"policy-reverted", LOG_LEVEL_NOTICE},
    [EVENT_CHANGE_REFUSED] = {"change-refused", LOG_LEVEL_WARNING},
    [EVENT_DATABASE_FAILED] = {"database-failed", LOG_LEVEL_ERROR},
    [EVENT_DATABASE_OK] = {"database-ok", LOG_LEVEL_NOTICE},
    [EVENT_INVARIANT_BROKEN] = {"invariant-broken", LOG_LEVEL_ERROR},
    [EVENT_INVARIANT_RESTORED] = {"invariant-restored", LOG_LEVEL_NOTICE},
    [EVENT_DAEMON_STARTED] = {"daemon-started", LOG_LEVEL_NOTICE},
    [EVENT_DAEMON_STOPPING] = {"daemon-stopping", LOG_LEVEL_NOTICE},
    [EVENT_HOOK] = {"hook", LOG_LEVEL_INFO},
    [EVENT_ACTION] = {"action", LOG_LEVEL_INFO},
};

const char *event_kind_name(enum event_kind kind)
{
    return kinds[kind].name;
}

struct events *events_new(struct daemon *daemon)
{
    struct events *events = memory_new(1, sizeof(*events));

    events->daemon = daemon;
    events->writer = proto_writer_new();
    events->next_id = db_last_event(daemon->db) + 1;
    return events;
}

static void announcement_free(struct announcement *announcement)
{
    DL_DELETE(announcement->events->waiting, announcement);
    free((char *)announcement->row.vm);
    free((char *)announcement->row.reason);
    free((char *)announcement->row.detail);
    free(announcement);
}

void events_free(struct events *events)
{
    struct announcement *announcement, *next;

    if (!events)
        return;
    DL_FOREACH_SAFE(events->waiting, announcement, next)
    {
        announcement_free(announcement);
    }
    proto_writer_free(events->writer);
    free(events);
}

static void log_event(const struct event *event)
{
    log_line(kinds[event->kind].level, "%s%s%s%s%s %s", kinds[event->kind].name,
             event->vm ? " vm=" : "", event->vm ? event->vm : "", event->reason ? " reason=" : "",
             event->reason ? event->reason : "", event->detail);
}

struct proto_event event_record(const struct db_event *row)
{
    return (struct proto_event){.id = row->id,
                                .time_ms = row->time_ms,
                                .kind = row->kind,
                                .vm = row->vm,
                                .domid = row->domid,
                                .uid = row->uid,
                                .reason = row->reason,
                                .detail = row->detail};
}

/* To subscribers and hooks. */
static void tell(struct events *events, const struct db_event *row)
{
    const struct proto_event record = event_record(row);
    struct daemon *daemon = events->daemon;
    const char *line;
    size_t length;

    if (daemon->server && server_has_subscribers(daemon->server)) {
        proto_writer_clear(events->writer);
        proto_notification_begin(events->writer, "event");
        proto_put_event(events->writer, NULL, &record);
        proto_notification_end(events->writer);
        line = proto_writer_bytes(events->writer, &length);
        server_publish(daemon->server, line, length);
    }
    if (daemon->hooks)
        hooks_run(daemon->hooks, &record, row->due);
}

/* The database's own events tell of its failure; this one is told all the same. */
static void announce(void *arg, int rc, const struct err *err)
{
    struct announcement *announcement = arg;

    (void)err;
    (void)rc;
    tell(announcement->events, &announcement->row);
    announcement_free(announcement);
}

static char *copy_or_null(const char *text)
{
    return text ? memory_copy_text(text) : NULL;
}

static struct announcement *announcement_new(struct events *events, const struct db_event *row)
{
    struct announcement *announcement = memory_new(1, sizeof(*announcement));

    announcement->events = events;
    announcement->row = *row;
    announcement->row.vm = copy_or_null(row->vm);
    announcement->row.reason = copy_or_null(row->reason);
    announcement->row.detail = copy_or_null(row->detail);
    DL_APPEND(events->waiting, announcement);
    return announcement;
}

static void journal(struct events *events, const struct db_event *row, bool told)
{
    struct db_change change = {.kind = DB_ADD_EVENT, .event = *row};
    struct announcement *announcement;
    struct err err;

    if (!told || (!events->daemon->server && !events->daemon->hooks)) {
        db_note(events->daemon->db, row);
        return;
    }
    announcement = announcement_new(events, row);
    if (db_post(events->daemon->db, &change, 1, announce, announcement, &err))
        announce(announcement, -1, &err);
}

bool events_are_told(const struct events *events)
{
    return !events->waiting;
}

bool event_kind_is_told(enum event_kind kind)
{
    return kind != EVENT_ACTION && kind != EVENT_HOOK;
}

bool event_is_told(const char *name)
{
    for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (strcmp(kinds[kind].name, name) == 0)
            return event_kind_is_told((enum event_kind)kind);
    return false;
}

void events_prepare(struct events *events, const struct event *event, struct db_event *row)
{
    const struct hooks *hooks = events->daemon->hooks;

    *row = (struct db_event){.id = events->next_id++,
                             .time_ms = wall_clock_ms(events->daemon),
                             .kind = event_kind_name(event->kind),
                             .vm = event->vm,
                             .domid = event->domid,
                             .uid = event->uid,
                             .reason = event->reason,
                             .detail = event->detail,
                             .due = hooks && event_kind_is_told(event->kind) &&
                                    hooks_are_there(hooks, event_kind_name(event->kind))};
}

void events_settled(struct events *events, const struct event *event, const struct db_event *row)
{
    log_event(event);
    tell(events, row);
}

void events_raise(struct events *events, const struct event *event)
{
    struct db_event row;

    events_prepare(events, event, &row);
    log_event(event);
    journal(events, &row, event_kind_is_told(event->kind));
}

void events_raise_about(struct events *events, enum event_kind kind, const char *vm,
                        const char *format, ...)
{
    struct event event = {.kind = kind, .vm = vm, .domid = -1, .uid = -1};
    va_list args;

    va_start(args, format);
    vsnprintf(event.detail, sizeof(event.detail), format, args);
    va_end(args);
    events_raise(events, &event);
}
