/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether there is room for a start: the exact answer, without changing anything. */
#ifndef CORE_ADMIT_H
#define CORE_ADMIT_H

#include "core/decide.h"

/* What a start could be given. */
struct admission {
    struct kib now;      /* there without moving anyone */
    struct kib freeable; /* could be freed for this priority, besides */
};

/*
 * Exact as far as floors and mobility are known: lower priorities give down to their minimum,
 * equals down to their demand, higher ones only what they have above what they want; who lacks what
 * it would keep by this rule goes first. decision is that of the same snapshot, with its working
 * space as decide() left it.
 */
struct admission admit(const struct snapshot *snapshot, const struct decision *decision,
                       int32_t priority);

/* What the VM at index i keeps of the host's memory by that rule; all that it is counted with where
 * it may not be moved. */
struct kib admit_keeps(const struct snapshot *snapshot, const struct decision *decision, size_t i,
                       int32_t priority);

#endif
