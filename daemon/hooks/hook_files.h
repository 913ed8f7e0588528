/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operator's hooks as files: which there are for an event, in which order, and which of them
 * must not be run. */
#ifndef DAEMON_HOOKS_HOOK_FILES_H
#define DAEMON_HOOKS_HOOK_FILES_H

#include <stdbool.h>
#include <stddef.h>

#define HOOK_REASON_MAX 160

/* One file of FOLDER/EVENT or FOLDER/all, or what lies in FOLDER and is refused as a whole. */
struct hook_file {
    char *event;                   /* "all", or the event's name */
    char *path;                    /* within the hooks' folder, absolute */
    char refused[HOOK_REASON_MAX]; /* why it is not run; "": it is */
    bool is_stray;                 /* because no event has the name that it lies under */
};

struct hook_files {
    struct hook_file *files;
    size_t count;
};

/* Adds those of FOLDER/event in the order of their names; nothing where there is no such folder. */
void hook_files_add(struct hook_files *files, const char *folder, const char *event);

/* Adds, as refused, what lies in FOLDER by a name for which is_event is false: folders, links, and
 * what can be executed, all of which somebody takes for hooks. */
void hook_files_add_strays(struct hook_files *files, const char *folder,
                           bool (*is_event)(const char *name));

/* False where there is no FOLDER/event. */
bool hook_files_any(const char *folder, const char *event);
void hook_files_fini(struct hook_files *files);

/*
 * Writes into why (HOOK_REASON_MAX bytes) what speaks against running path, "" for nothing: it must
 * be a file that can be executed; it, and each folder on its real path, must belong to root or to
 * the daemon's own user, and be writable by nobody else (folders such as /tmp, where only owners
 * remove, are fine).
 */
void hook_files_judge(const char *path, char *why);

#endif
