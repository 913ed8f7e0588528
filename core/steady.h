/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the division is carried out. Memory stays where it is until somebody needs it, and is
 * then taken from whoever has most to spare for its priority; small changes are not made until the
 * VM was left alone for a while.
 */
#ifndef CORE_STEADY_H
#define CORE_STEADY_H

#include "core/decide.h"
#include "core/share.h"

/* Serves everybody its part by the place that share_divide found, and sets goal in the working
 * space of all that have ROLE_FIXED or ROLE_SHARES; and remembers who gives for a start. */
void steady_goals(const struct snapshot *snapshot, struct vm_track *tracks, const struct pool *pool,
                  const struct place *place, struct decision *decision);

/* Tells of one of them what came of it: sets reason in its working space, and share, goal and
 * reason in its verdict. A trial goes below the goal. */
void steady_tell(const struct place *place, enum surplus surplus, struct decide_work *work,
                 struct verdict *verdict);

#endif
