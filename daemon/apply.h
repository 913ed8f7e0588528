/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries decided actions out, one by one, and journals each with its reason. */
#ifndef DAEMON_APPLY_H
#define DAEMON_APPLY_H

#include <stddef.h>

#include "core/decide.h"

struct daemon;

/*
 * In order; one that fails is left to the next pass. Those that take memory are paid for by what
 * was free before the first, never by others of the same list. Returns how many were carried out.
 *
 * The account of promise 1 is kept with every write: vms, which were decided on, get what was
 * written, and *lowest, what was left to promise before, becomes the least that was left after any.
 */
size_t apply_actions(struct daemon *daemon, const struct action *actions, size_t count,
                     struct vm *vms, struct kib *lowest);

/* action = observe: journals what would be done, once as long as it stays the same. */
void apply_observe(struct daemon *daemon, const struct action *actions, size_t count);

#endif
