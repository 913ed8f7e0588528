/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From goals to ordered actions. What gives back comes first; what takes is held to what is free
 * and promised to nobody at the moment of the snapshot, whatever is given back in the same breath:
 * until its cap was cut, a guest may still take what it is about to lose. So promise 1 holds after
 * each action, whatever the guests do meanwhile, and shrinking is verified before anything grows
 * on it.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/decide.h"

/* Fills decision's actions from its verdicts and working space. unseen: what was given back at this
 * very moment, and not yet seen to be free. */
void plan_actions(const struct snapshot *snapshot, struct kib unseen,
                  const struct decide_faults *faults, struct decision *decision);

#endif
