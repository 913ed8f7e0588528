/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks: the operator's programs, which events run. Those of one event run one after the other, of
 * different events side by side, never more at once than the options say. What finds no place in
 * the queue is dropped and counted. A hook has so much time; then it is killed, with its process
 * group. Nothing here waits.
 */
#ifndef DAEMON_HOOKS_HOOKS_H
#define DAEMON_HOOKS_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct daemon;
struct hook_files;
struct hooks;
struct proto_event;

#define HOOK_OUTPUT_MAX 240

/* The loop must be there. */
struct hooks *hooks_new(struct daemon *daemon);

/* Kills what runs. NULL is fine. */
void hooks_free(struct hooks *hooks);

/* False where that event has no hook, as far as a glance tells. */
bool hooks_are_there(const struct hooks *hooks, const char *event);

/* Runs what there is for that event. Strings are copied. Where its row says that they are due, it
 * says so until they have ended: a daemon that crashes meanwhile runs them again. */
void hooks_run(struct hooks *hooks, const struct proto_event *event, bool due);

/* Runs what the last daemon left due. Before anything is posted to the database. */
void hooks_resume(struct hooks *hooks);

/* True where no hook runs or waits. */
bool hooks_are_idle(const struct hooks *hooks);

/* What became of one hook. */
struct hook_outcome {
    char *path;
    char result[64];              /* "exit=0", "signal=9", "timed-out=10s", "refused", "failed" */
    char output[HOOK_OUTPUT_MAX]; /* the end of what it wrote, or why it was not run; one line */
    int64_t took_ms;
    bool ok; /* it ended by itself, with 0 */
};

typedef void hooks_done_fn(void *arg, const struct hook_outcome *outcomes, size_t count);

/* The same for a sample; done is called once when all have ended. False where the queue is full. */
bool hooks_test(struct hooks *hooks, const char *event, hooks_done_fn *done, void *arg);

/* Events whose hooks run, and wait; and how many were dropped since the start. */
size_t hooks_running(const struct hooks *hooks);
size_t hooks_queued(const struct hooks *hooks);
int64_t hooks_dropped(const struct hooks *hooks);

/* All files that there are for any event now, refused ones too; the caller's to fini. */
void hooks_find(const struct daemon *daemon, struct hook_files *files);

#endif
