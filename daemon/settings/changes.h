/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings on their way: checked, written to disk, and only then in force and answered. One at a
 * time, in the order in which they came, so that each is checked against what those before it left
 * behind.
 */
#ifndef DAEMON_SETTINGS_CHANGES_H
#define DAEMON_SETTINGS_CHANGES_H

#include <stdint.h>
#include <sys/types.h>

#include "core/settings.h"

struct changes;
struct daemon;
struct err;
struct policy;
struct settings_text;

struct changes *changes_new(struct daemon *daemon);

/* What is still on its way is answered as unfinished: it may be on disk. NULL is fine. */
void changes_free(struct changes *changes);

/* Puts what the database holds into layers and registry, at start. 0 or −1. */
int changes_load(struct daemon *daemon, struct err *err);

/* rc 0: on disk and in force; −1: nothing was changed, err says why. */
typedef void changes_done_fn(void *arg, int rc, const struct err *err);

/*
 * Sets what `said` says for the VM of that name, which need not exist yet: in the base, or (for_ms
 * > 0) in a layer of its own that ends by itself. The base also drops those keys from the layers
 * above. done is called exactly once, perhaps at once.
 */
void changes_set(struct changes *changes, const char *vm, const struct setting_partial *said,
                 int64_t for_ms, uid_t uid, changes_done_fn *done, void *arg);

/* The same in the base for each of the VMs, in one transaction: all of them or none. */
void changes_import(struct changes *changes, const struct settings_text *text, uid_t uid,
                    changes_done_fn *done, void *arg);

/* Forgets a VM that is off, with its settings. ERR_NOT_FOUND where nothing is known of it, ERR_BUSY
 * while it runs. */
void changes_forget(struct changes *changes, const char *vm, uid_t uid, changes_done_fn *done,
                    void *arg);

/*
 * Puts a policy in force, which is taken, as the newest layer and in place of the one of its name;
 * for_ms > 0: until then. One that is in force already is left as it is.
 */
void changes_apply(struct changes *changes, struct policy *policy, int64_t for_ms, uid_t uid,
                   changes_done_fn *done, void *arg);

/* Takes the policy of that name off again. ERR_NOT_FOUND where none is in force. */
void changes_revert(struct changes *changes, const char *name, uid_t uid, changes_done_fn *done,
                    void *arg);

/* Ends the layers whose time is over. wall_ms: wall clock. */
void changes_expire(struct changes *changes, int64_t wall_ms);

#endif
