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

/* Serves everybody its part by the place that share_divide found, and sets share, goal and reason
 * in the verdicts of all that have ROLE_FIXED or ROLE_SHARES, and goal in their working space. */
void steady_goals(const struct snapshot *snapshot, const struct pool *pool,
                  const struct place *place, struct decision *decision);

#endif
