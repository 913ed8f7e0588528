/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/hooks/hooks.h"

#include <ctype.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <utlist.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/units.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/hooks/hook_files.h"
#include "daemon/hooks/hook_process.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/options.h"
#include "daemon/wall_clock.h"
#include "db/db.h"
#include "proto/proto.h"
#include "proto/records.h"

/* Read of a hook's output in one go; the rest waits for the next turn of the loop. */
#define READ_MAX 65536

/* One event with its hooks; of them, at most one runs. */
struct run {
    struct hooks *hooks;
    struct run *prev, *next;
    struct proto_event event; /* strings owned */
    bool due;                 /* as its row says */
    struct hook_files files;
    size_t at; /* the file that runs, or is next */
    struct hook_outcome *outcomes;
    pid_t pid; /* 0: none runs */
    int fd;    /* its output */
    struct event *readable, *time_out;
    int64_t started_ms;
    bool timed_out;
    char tail[HOOK_OUTPUT_MAX]; /* the end of its output */
    size_t tail_length;
    hooks_done_fn *done; /* a test's; NULL: an event's */
    void *arg;
};

struct hooks {
    struct daemon *daemon;
    struct event *child_ended;
    struct proto_writer *writer;
    struct run *running, *queued;
    size_t n_running, n_queued;
    int64_t dropped;
    bool overflowing; /* said once, until the queue was empty */
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- one event ------------------------------------------------------------------------------- */

static char *copy_or_null(const char *text)
{
    return text ? memory_copy_text(text) : NULL;
}

static struct run *run_new(struct hooks *hooks, const struct proto_event *event)
{
    struct run *run = memory_new(1, sizeof(*run));
    const char *folder = hooks->daemon->options->hooks_folder;

    run->hooks = hooks;
    run->event = *event;
    run->event.kind = memory_copy_text(event->kind);
    run->event.vm = copy_or_null(event->vm);
    run->event.reason = copy_or_null(event->reason);
    run->event.detail = memory_copy_text(event->detail);
    hook_files_add(&run->files, folder, event->kind);
    hook_files_add(&run->files, folder, "all");
    run->outcomes = memory_new(run->files.count + 1, sizeof(*run->outcomes));
    return run;
}

static void run_free(struct run *run)
{
    free((char *)run->event.kind);
    free((char *)run->event.vm);
    free((char *)run->event.reason);
    free((char *)run->event.detail);
    hook_files_fini(&run->files);
    free(run->outcomes);
    free(run);
}

/* --- what became of one ---------------------------------------------------------------------- */

static void journal(struct run *run, const struct hook_outcome *outcome)
{
    struct event event = {.kind = EVENT_HOOK, .vm = run->event.vm, .domid = -1, .uid = -1};

    snprintf(event.detail, sizeof(event.detail),
             "event=%s path=%.200s result=%s took_ms=%" PRId64 "%s%s%s%s", run->event.kind,
             outcome->path, outcome->result, outcome->took_ms,
             outcome->output[0] ? " output=\"" : "", outcome->output,
             outcome->output[0] ? "\"" : "", run->done ? " test=yes" : "");
    events_raise(run->hooks->daemon->events, &event);
}

/* Several lines become one; what could do harm on a terminal becomes a blank. */
static void clean_output(struct hook_outcome *outcome)
{
    for (char *c = outcome->output; *c; c++)
        if (iscntrl((unsigned char)*c) || *c == '"')
            *c = *c == '\n' ? '|' : ' ';
}

static struct hook_outcome *note(struct run *run, const char *text)
{
    struct hook_outcome *outcome = &run->outcomes[run->at];

    outcome->path = run->files.files[run->at].path;
    snprintf(outcome->output, sizeof(outcome->output), "%s", text);
    clean_output(outcome);
    run->at++;
    return outcome;
}

static void note_unstarted(struct run *run, const char *result, const char *why)
{
    struct hook_outcome *outcome = note(run, why);

    snprintf(outcome->result, sizeof(outcome->result), "%s", result);
    journal(run, outcome);
}

static void note_ended(struct run *run, int status)
{
    struct hook_outcome *outcome;
    char span[UNITS_TEXT];

    run->tail[run->tail_length] = '\0';
    while (run->tail_length > 0 && run->tail[run->tail_length - 1] == '\n')
        run->tail[--run->tail_length] = '\0';
    outcome = note(run, run->tail);
    outcome->took_ms = now_ms() - run->started_ms;
    if (run->timed_out)
        snprintf(outcome->result, sizeof(outcome->result), "timed-out=%s",
                 duration_format(run->hooks->daemon->options->hooks_timeout_ms, span));
    else if (WIFSIGNALED(status))
        snprintf(outcome->result, sizeof(outcome->result), "signal=%d", WTERMSIG(status));
    else
        snprintf(outcome->result, sizeof(outcome->result), "exit=%d", WEXITSTATUS(status));
    outcome->ok = !run->timed_out && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    journal(run, outcome);
}

/* --- one process ----------------------------------------------------------------------------- */

static void keep_tail(struct run *run, const char *bytes, size_t length)
{
    const size_t room = sizeof(run->tail) - 1;
    size_t kept;

    if (length > room) {
        bytes += length - room;
        length = room;
    }
    kept = run->tail_length < room - length ? run->tail_length : room - length;
    memmove(run->tail, run->tail + run->tail_length - kept, kept);
    memcpy(run->tail + kept, bytes, length);
    run->tail_length = kept + length;
}

/* However much a hook writes: as much as one turn of the loop may take, of which the end is kept.
 */
static void read_output(struct run *run)
{
    char bytes[READ_MAX];
    ssize_t length = read(run->fd, bytes, sizeof(bytes));

    if (length > 0)
        keep_tail(run, bytes, (size_t)length);
    else if (length == 0 || (errno != EAGAIN && errno != EINTR))
        event_del(run->readable);
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    read_output(arg);
}

static void on_time_out(evutil_socket_t fd, short what, void *arg)
{
    struct run *run = arg;

    (void)fd;
    (void)what;
    run->timed_out = true;
    kill(-run->pid, SIGKILL);
}

static void watch(struct run *run)
{
    struct event_base *base = loop_base(run->hooks->daemon->loop);
    int64_t limit_ms = run->hooks->daemon->options->hooks_timeout_ms;
    const struct timeval limit = {.tv_sec = (time_t)(limit_ms / 1000),
                                  .tv_usec = (suseconds_t)(limit_ms % 1000 * 1000)};

    run->started_ms = now_ms();
    run->timed_out = false;
    run->tail_length = 0;
    run->readable = event_new(base, run->fd, EV_READ | EV_PERSIST, on_output, run);
    run->time_out = evtimer_new(base, on_time_out, run);
    invariant(run->readable && run->time_out);
    invariant(event_add(run->readable, NULL) == 0 && event_add(run->time_out, &limit) == 0);
}

static void unwatch(struct run *run)
{
    event_free(run->readable);
    event_free(run->time_out);
    close(run->fd);
    run->pid = 0;
}

static int start(struct run *run, struct err *err)
{
    const struct options *options = run->hooks->daemon->options;
    struct proto_writer *writer = run->hooks->writer;
    struct hook_start wanted = {.path = run->files.files[run->at].path,
                                .event = &run->event,
                                .user = options->hooks_user,
                                .socket = options->socket};

    proto_writer_clear(writer);
    proto_put_event(writer, NULL, &run->event);
    wanted.input = proto_writer_bytes(writer, &wanted.length);
    return hook_process_start(&wanted, &run->pid, &run->fd, err);
}

/* Starts the next one that may run. False where there is none left. */
static bool step(struct run *run)
{
    while (run->at < run->files.count) {
        const struct hook_file *file = &run->files.files[run->at];
        struct err err;

        if (file->refused[0]) {
            note_unstarted(run, "refused", file->refused);
        } else if (start(run, &err)) {
            note_unstarted(run, "failed", err.text);
        } else {
            watch(run);
            return true;
        }
    }
    return false;
}

/* --- all of them ----------------------------------------------------------------------------- */

/* The event needs its hooks no more. */
static void settle(struct run *run)
{
    const struct db_change change = {.kind = DB_END_EVENT, .event = {.id = run->event.id}};

    if (run->due)
        (void)db_post(run->hooks->daemon->db, &change, 1, NULL, NULL, NULL);
}

static void end_run(struct run *run)
{
    if (run->done)
        run->done(run->arg, run->outcomes, run->at);
    run_free(run);
}

static void start_queued(struct hooks *hooks)
{
    while (hooks->queued && (int64_t)hooks->n_running < hooks->daemon->options->hooks_at_once) {
        struct run *run = hooks->queued;

        DL_DELETE(hooks->queued, run);
        hooks->n_queued--;
        if (!step(run)) {
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

/* What it started and left behind goes with it: its group is killed while its number is still its.
 */
static bool has_ended(struct run *run)
{
    siginfo_t info = {0};
    int status;

    if (waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == 0)
        return false;
    kill(-run->pid, SIGKILL);
    if (waitpid(run->pid, &status, 0) != run->pid)
        status = 0;
    read_output(run);
    unwatch(run);
    note_ended(run, status);
    return true;
}

static void on_child_ended(evutil_socket_t fd, short what, void *arg)
{
    struct hooks *hooks = arg;
    struct run *run, *next;

    (void)fd;
    (void)what;
    DL_FOREACH_SAFE(hooks->running, run, next)
    {
        if (!has_ended(run) || step(run))
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
    struct run *run, *next;

    if (!hooks)
        return;
    DL_FOREACH_SAFE(hooks->running, run, next)
    {
        kill(-run->pid, SIGKILL);
        waitpid(run->pid, NULL, 0);
        unwatch(run);
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
static bool enqueue(struct hooks *hooks, struct run *run)
{
    if ((int64_t)hooks->n_queued >= hooks->daemon->options->hooks_queue) {
        hooks->dropped++;
        if (!hooks->overflowing)
            log_warning("hooks-dropped event=%s queued=%zu", run->event.kind, hooks->n_queued);
        hooks->overflowing = true;
        settle(run);
        run_free(run);
        return false;
    }
    DL_APPEND(hooks->queued, run);
    hooks->n_queued++;
    start_queued(hooks);
    return true;
}

static void take(struct hooks *hooks, struct run *run)
{
    if (run->files.count > 0) {
        (void)enqueue(hooks, run);
        return;
    }
    settle(run);
    run_free(run);
}

void hooks_run(struct hooks *hooks, const struct proto_event *event, bool due)
{
    struct run *run = run_new(hooks, event);

    run->due = due;
    take(hooks, run);
}

/* What the last daemon left. */
struct left {
    struct hooks *hooks;
    struct run *runs;
};

static void note_left(void *arg, const struct db_event *row)
{
    struct left *left = arg;
    struct run *run;
    const struct proto_event event = event_record(row);

    run = run_new(left->hooks, &event);
    run->due = row->due;
    DL_APPEND(left->runs, run);
}

/* They were begun at two starts, and did not end: perhaps it is they that end the daemon. */
static void give_up(struct run *run)
{
    struct event event = {.kind = EVENT_HOOK, .vm = run->event.vm, .domid = -1, .uid = -1};

    snprintf(event.detail, sizeof(event.detail), "event=%s id=%" PRId64 " result=given-up tried=2",
             run->event.kind, run->event.id);
    if (run->files.count > 0)
        events_raise(run->hooks->daemon->events, &event);
    run_free(run);
}

/* All are read first: what runs them writes to the database. */
void hooks_resume(struct hooks *hooks)
{
    struct left left = {hooks, NULL};
    struct run *run, *next;
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
    struct run *run;

    if (strncmp(event, "vm-", 3) == 0)
        sample.vm = "sample";
    run = run_new(hooks, &sample);
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

void hooks_find(const struct daemon *daemon, struct hook_files *files)
{
    const char *folder = daemon->options->hooks_folder;

    *files = (struct hook_files){0};
    for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
        if (event_kind_is_told((enum event_kind)kind))
            hook_files_add(files, folder, event_kind_name((enum event_kind)kind));
    hook_files_add(files, folder, "all");
}
