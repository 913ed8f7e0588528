/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/hooks/hooks.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/hooks/hook_files.h"
#include "daemon/hooks/hook_run.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/options.h"
#include "daemon/wall_clock.h"
#include "db/db.h"
#include "proto/proto.h"
#include "proto/records.h"

struct hooks {
    struct daemon *daemon;
    struct event *child_ended;
    struct proto_writer *writer;
    struct hook_run *running, *queued;
    size_t n_running, n_queued;
    int64_t dropped;
    bool overflowing; /* said once, until the queue was empty */
};

/* The event needs its hooks no more. */
static void settle(struct hook_run *run)
{
    const struct db_change change = {.kind = DB_END_EVENT, .event = {.id = run->event.id}};

    if (run->due)
        (void)db_post(run->daemon->db, &change, 1, NULL, NULL, NULL);
}

static void end_run(struct hook_run *run)
{
    if (run->done)
        run->done(run->arg, run->outcomes, run->at);
    hook_run_free(run);
}

static void start_queued(struct hooks *hooks)
{
    while (hooks->queued && (int64_t)hooks->n_running < hooks->daemon->options->hooks_at_once) {
        struct hook_run *run = hooks->queued;

        DL_DELETE(hooks->queued, run);
        hooks->n_queued--;
        if (!hook_run_step(run)) {
            settle(run);
            end_run(run);
            continue;
        }
        DL_APPEND(hooks->running, run);
        hooks->n_running++;
    }
    if (hooks->n_queued == 0)
        hooks->overflowing = false;
}

static void on_child_ended(evutil_socket_t fd, short what, void *arg)
{
    struct hooks *hooks = arg;
    struct hook_run *run, *next;

    (void)fd;
    (void)what;
    DL_FOREACH_SAFE(hooks->running, run, next)
    {
        if (!hook_run_has_ended(run) || hook_run_step(run))
            continue;
        DL_DELETE(hooks->running, run);
        hooks->n_running--;
        settle(run);
        end_run(run);
    }
    start_queued(hooks);
}

struct hooks *hooks_new(struct daemon *daemon)
{
    struct hooks *hooks = memory_new(1, sizeof(*hooks));

    hooks->daemon = daemon;
    hooks->writer = proto_writer_new();
    hooks->child_ended = evsignal_new(loop_base(daemon->loop), SIGCHLD, on_child_ended, hooks);
    invariant(hooks->child_ended && event_add(hooks->child_ended, NULL) == 0);
    return hooks;
}

void hooks_free(struct hooks *hooks)
{
    struct hook_run *run, *next;

    if (!hooks)
        return;
    DL_FOREACH_SAFE(hooks->running, run, next)
    {
        hook_run_kill(run);
        end_run(run);
    }
    DL_FOREACH_SAFE(hooks->queued, run, next)
    {
        end_run(run);
    }
    event_free(hooks->child_ended);
    proto_writer_free(hooks->writer);
    free(hooks);
}

/* Takes run. False where the queue is full. */
static bool enqueue(struct hooks *hooks, struct hook_run *run)
{
    if ((int64_t)hooks->n_queued >= hooks->daemon->options->hooks_queue) {
        hooks->dropped++;
        if (!hooks->overflowing)
            log_warning("hooks-dropped event=%s queued=%zu", run->event.kind, hooks->n_queued);
        hooks->overflowing = true;
        settle(run);
        hook_run_free(run);
        return false;
    }
    DL_APPEND(hooks->queued, run);
    hooks->n_queued++;
    start_queued(hooks);
    return true;
}

static void take(struct hooks *hooks, struct hook_run *run)
{
    if (run->files.count > 0) {
        (void)enqueue(hooks, run);
        return;
    }
    settle(run);
    hook_run_free(run);
}

void hooks_run(struct hooks *hooks, const struct proto_event *event, bool due)
{
    struct hook_run *run = hook_run_new(hooks->daemon, hooks->writer, event);

    run->due = due;
    take(hooks, run);
}

/* What the last daemon left. */
struct left {
    struct hooks *hooks;
    struct hook_run *runs;
};

static void note_left(void *arg, const struct db_event *row)
{
    struct left *left = arg;
    struct hook_run *run;
    const struct proto_event event = event_record(row);

    run = hook_run_new(left->hooks->daemon, left->hooks->writer, &event);
    run->due = row->due;
    DL_APPEND(left->runs, run);
}

/* They were begun at two starts, and did not end: perhaps it is they that end the daemon. */
static void give_up(struct hook_run *run)
{
    struct event event = {.kind = EVENT_HOOK, .vm = run->event.vm, .domid = -1, .uid = -1};

    snprintf(event.detail, sizeof(event.detail), "event=%s id=%" PRId64 " result=given-up tried=2",
             run->event.kind, run->event.id);
    if (run->files.count > 0)
        events_raise(run->daemon->events, &event);
    hook_run_free(run);
}

/* All are read first: what runs them writes to the database. */
void hooks_resume(struct hooks *hooks)
{
    struct left left = {hooks, NULL};
    struct hook_run *run, *next;
    struct err err;

    if (db_load_due(hooks->daemon->db, note_left, &left, &err))
        log_error("hooks-not-resumed error=\"%s\"", err.text);
    DL_FOREACH_SAFE(left.runs, run, next)
    {
        DL_DELETE(left.runs, run);
        if (run->due)
            take(hooks, run);
        else
            give_up(run);
    }
}

bool hooks_are_there(const struct hooks *hooks, const char *event)
{
    const char *folder = hooks->daemon->options->hooks_folder;

    return hook_files_any(folder, event) || hook_files_any(folder, "all");
}

bool hooks_are_idle(const struct hooks *hooks)
{
    return !hooks->running && !hooks->queued;
}

bool hooks_test(struct hooks *hooks, const char *event, hooks_done_fn *done, void *arg)
{
    struct proto_event sample = {.time_ms = wall_clock_ms(hooks->daemon),
                                 .kind = event,
                                 .domid = -1,
                                 .uid = -1,
                                 .detail = "test=yes"};
    struct hook_run *run;

    if (strncmp(event, "vm-", 3) == 0)
        sample.vm = "sample";
    run = hook_run_new(hooks->daemon, hooks->writer, &sample);
    run->done = done;
    run->arg = arg;
    return enqueue(hooks, run);
}

size_t hooks_running(const struct hooks *hooks)
{
    return hooks->n_running;
}

size_t hooks_queued(const struct hooks *hooks)
{
    return hooks->n_queued;
}

int64_t hooks_dropped(const struct hooks *hooks)
{
    return hooks->dropped;
}

static bool runs_hooks(const char *name)
{
    return strcmp(name, "all") == 0 || event_is_told(name);
}

void hooks_find(const struct daemon *daemon, struct hook_files *files)
{
    const char *folder = daemon->options->hooks_folder;

    *files = (struct hook_files){0};
    for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (event_kind_is_told((enum event_kind)kind))
            hook_files_add(files, folder, event_kind_name((enum event_kind)kind));
    hook_files_add(files, folder, "all");
    hook_files_add_strays(files, folder, runs_hooks);
}
