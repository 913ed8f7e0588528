/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From goals to ordered actions. What gives back comes first; what takes is held to what is free
 * and promised to nobody at this moment, so that promise 1 holds after each action, and shrinking
 * is verified before anything grows on it.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/decide.h"

/* The cap that goes with a target of this VM. */
struct kib plan_cap(const struct vm *vm, struct kib target);

/* What the VM is counted with against promise 1: what it has and may still take. */
struct kib plan_commitment(const struct vm *vm, struct kib cap);

/* Fills decision's actions. managed[i]: it may be written at all. movable[i]: its goal counts. */
void plan_actions(const struct snapshot *snapshot, const bool *managed, const bool *movable,
                  const struct decide_faults *faults, struct decision *decision);

#endif
