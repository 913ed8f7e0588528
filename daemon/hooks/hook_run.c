/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/hooks/hook_run.h"

#include <ctype.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/units.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/hooks/hook_process.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/monotonic.h"
#include "daemon/options.h"
#include "proto/proto.h"

/* Read of a hook's output in one go; the rest waits for the next turn of the loop. */
#define READ_MAX 65536

static char *copy_or_null(const char *text)
{
    return text ? memory_copy_text(text) : NULL;
}

struct hook_run *hook_run_new(struct daemon *daemon, struct proto_writer *writer,
                              const struct proto_event *event)
{
    struct hook_run *run = memory_new(1, sizeof(*run));
    const char *folder = daemon->options->hooks_folder;

    run->daemon = daemon;
    run->writer = writer;
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

void hook_run_free(struct hook_run *run)
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

/* What it wrote stands between quotes there: its own become others. */
static void journal(struct hook_run *run, const struct hook_outcome *outcome)
{
    struct event event = {.kind = EVENT_HOOK, .vm = run->event.vm, .domid = -1, .uid = -1};
    char output[HOOK_OUTPUT_MAX];

    strcpy(output, outcome->output);
    for (char *quote = output; (quote = strchr(quote, '"'));)
        *quote = '\'';
    snprintf(event.detail, sizeof(event.detail),
             "event=%s path=%.200s result=%s took_ms=%" PRId64 "%s%s%s%s", run->event.kind,
             outcome->path, outcome->result, outcome->took_ms,
             outcome->output[0] ? " output=\"" : "", output, outcome->output[0] ? "\"" : "",
             run->done ? " test=yes" : "");
    events_raise(run->daemon->events, &event);
}

/* Several lines become one; what could do harm on a terminal becomes a blank. */
static void clean_output(struct hook_outcome *outcome)
{
    for (char *c = outcome->output; *c; c++)
        if (iscntrl((unsigned char)*c))
            *c = *c == '\n' ? '|' : ' ';
}

static struct hook_outcome *note(struct hook_run *run, const char *text)
{
    struct hook_outcome *outcome = &run->outcomes[run->at];

    outcome->path = run->files.files[run->at].path;
    snprintf(outcome->output, sizeof(outcome->output), "%s", text);
    clean_output(outcome);
    run->at++;
    return outcome;
}

static void note_unstarted(struct hook_run *run, const char *result, const char *why)
{
    struct hook_outcome *outcome = note(run, why);

    snprintf(outcome->result, sizeof(outcome->result), "%s", result);
    journal(run, outcome);
}

static void note_ended(struct hook_run *run, int status)
{
    struct hook_outcome *outcome;
    char span[UNITS_TEXT];

    run->tail[run->tail_length] = '\0';
    while (run->tail_length > 0 && run->tail[run->tail_length - 1] == '\n')
        run->tail[--run->tail_length] = '\0';
    outcome = note(run, run->tail);
    outcome->took_ms = monotonic_ms() - run->started_ms;
    if (run->timed_out)
        snprintf(outcome->result, sizeof(outcome->result), "timed-out=%s",
                 duration_format(run->daemon->options->hooks_timeout_ms, span));
    else if (WIFSIGNALED(status))
        snprintf(outcome->result, sizeof(outcome->result), "signal=%d", WTERMSIG(status));
    else
        snprintf(outcome->result, sizeof(outcome->result), "exit=%d", WEXITSTATUS(status));
    outcome->ok = !run->timed_out && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    journal(run, outcome);
}

/* --- one process ----------------------------------------------------------------------------- */

static void keep_tail(struct hook_run *run, const char *bytes, size_t length)
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
static void read_output(struct hook_run *run)
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
    struct hook_run *run = arg;

    (void)fd;
    (void)what;
    run->timed_out = true;
    kill(-run->pid, SIGKILL);
}

static void watch(struct hook_run *run)
{
    struct event_base *base = loop_base(run->daemon->loop);
    int64_t limit_ms = run->daemon->options->hooks_timeout_ms;
    const struct timeval limit = {.tv_sec = (time_t)(limit_ms / 1000),
                                  .tv_usec = (suseconds_t)(limit_ms % 1000 * 1000)};

    run->started_ms = monotonic_ms();
    run->timed_out = false;
    run->tail_length = 0;
    run->readable = event_new(base, run->fd, EV_READ | EV_PERSIST, on_output, run);
    run->time_out = evtimer_new(base, on_time_out, run);
    invariant(run->readable && run->time_out);
    invariant(event_add(run->readable, NULL) == 0 && event_add(run->time_out, &limit) == 0);
}

static void unwatch(struct hook_run *run)
{
    event_free(run->readable);
    event_free(run->time_out);
    close(run->fd);
    run->pid = 0;
}

static int start(struct hook_run *run, struct err *err)
{
    const struct options *options = run->daemon->options;
    struct proto_writer *writer = run->writer;
    struct hook_start wanted = {.path = run->files.files[run->at].path,
                                .event = &run->event,
                                .user = options->hooks_user,
                                .socket = options->socket};

    proto_writer_clear(writer);
    proto_put_event(writer, NULL, &run->event);
    wanted.input = proto_writer_bytes(writer, &wanted.length);
    return hook_process_start(&wanted, &run->pid, &run->fd, err);
}

bool hook_run_step(struct hook_run *run)
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

/* What it started and left behind goes with it: its group is killed while its number is still its.
 */
bool hook_run_has_ended(struct hook_run *run)
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

void hook_run_kill(struct hook_run *run)
{
    kill(-run->pid, SIGKILL);
    waitpid(run->pid, NULL, 0);
    unwatch(run);
}
