/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One event with its hooks, which run one after the other, and what became of each. */
#ifndef DAEMON_HOOKS_HOOK_RUN_H
#define DAEMON_HOOKS_HOOK_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/hooks/hook_files.h"
#include "daemon/hooks/hooks.h"
#include "proto/records.h"

struct daemon;
struct event;
struct proto_writer;

struct hook_run {
    struct daemon *daemon;
    struct proto_writer *writer; /* working space; borrowed */
    struct hook_run *prev, *next;
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

/* None of them runs yet. Strings are copied. */
struct hook_run *hook_run_new(struct daemon *daemon, struct proto_writer *writer,
                              const struct proto_event *event);

/* None of them may run. */
void hook_run_free(struct hook_run *run);

/* Starts the next one that may run. False where there is none left. */
bool hook_run_step(struct hook_run *run);

/* Has the one that runs ended? It is then accounted for, and nothing of it is left. */
bool hook_run_has_ended(struct hook_run *run);

/* Kills the one that runs, and waits for it; nothing is told. */
void hook_run_kill(struct hook_run *run);

#endif
