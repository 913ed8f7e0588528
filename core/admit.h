/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether there is room for a start: the exact answer, without changing anything. */
#ifndef CORE_ADMIT_H
#define CORE_ADMIT_H

#include "core/decide.h"
#include "core/reason.h"

/* What a start could be given. */
struct admission {
    struct kib now;      /* there without moving anyone */
    struct kib freeable; /* could be freed for this priority, besides */
};

/*
 * The target that a VM keeps, whatever starts with that priority: lower priorities give down to
 * their minimum, equals down to their demand, higher ones only what they have above what they want.
 * decision is that of the same snapshot, with its working space as decide() left it. What is not
 * ours keeps its target.
 */
struct kib admit_keeps(const struct snapshot *snapshot, const struct decision *decision, size_t vm,
                       int32_t priority);

/* What a VM is counted with when it has what it keeps; all that it has where it may not be moved.
 */
struct kib admit_holds(const struct snapshot *snapshot, const struct decision *decision, size_t vm,
                       int32_t priority);

/* Exact as far as floors and mobility are known: what is left when every VM has what it keeps; who
 * lacks some of that goes first. */
struct admission admit(const struct snapshot *snapshot, const struct decision *decision,
                       int32_t priority);

/* Why a start of that size has no room, of which ahead is for those whose turn is before; its code
 * is no-memory, and the caller's to change. */
void admit_refuse(const struct snapshot *snapshot, const struct decision *decision, struct kib size,
                  int32_t priority, struct kib ahead, struct refusal *out);

#endif
