/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Targets that the operator set by hand: known by the copy that we keep of our own. */
#ifndef DAEMON_OVERRIDES_H
#define DAEMON_OVERRIDES_H

#include <stddef.h>

struct daemon;
struct decision;
struct err;

/* From the first pass that manages a domain on, its target is known to be ours: only so can one
 * that the operator sets by hand be told from it. What cannot be done is tried again in the next
 * pass, and journalled once. decision is of the registry as it is. */
void overrides_adopt_new(struct daemon *daemon, const struct decision *decision);

/* One that stays as it was set by hand, and why. vm and err are borrowed during the call. */
typedef void overrides_kept_fn(void *arg, const char *vm, const struct err *err);

/*
 * Takes the overrides of managed VMs back, or that of the one named vm (NULL: all): the next pass
 * moves those VMs again. What cannot be taken back now, because the VM is paused, say, is
 * journalled and told to kept (NULL: nobody). Returns how many were taken back.
 */
size_t overrides_clear(struct daemon *daemon, const char *vm, overrides_kept_fn *kept, void *arg);

#endif
