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

/* Sets share, goal and reason in the verdicts of all that have ROLE_FIXED or ROLE_SHARES, and goal
 * in everybody's working space. has_enough: as share_divide returned it. */
void steady_goals(const struct snapshot *snapshot, const struct pool *pool, bool has_enough,
                  struct decision *decision);

#endif
