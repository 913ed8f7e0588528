/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dividing the host's memory: what each VM is entitled to, whatever it has now.
 *
 * First minimums and floors; then demand, the highest priority first; then buffers, the highest
 * first; within one priority everybody gets the same fraction of what it asks for. What a start
 * waits for comes after what it may not touch: demands of its own priority, and demands and buffers
 * of higher ones. What is left
 * after that is nobody's, except with `surplus = share`. docs/policy.md has it in words.
 */
#ifndef CORE_SHARE_H
#define CORE_SHARE_H

#include "core/decide.h"

/* What there is to divide, in terms of targets. */
struct pool {
    struct kib all;  /* may be negative: more is promised than there is */
    struct kib owed; /* to VMs that the operator set by hand: after minimums, before demand */
};

/* Fills the VM's working space from its verdict (demand, wanted, low, high; goal where it is fixed)
 * and its role. squeezed_below: one that is fixed may be sent down to its low for a start where its
 * priority is lower than this. */
void share_prepare(const struct vm *vm, const struct verdict *verdict, int32_t squeezed_below,
                   struct decide_work *work);

/* Sets share in the working space of all that have ROLE_FIXED or ROLE_SHARES; returns whether there
 * is enough for all minimums and floors. */
bool share_divide(const struct snapshot *snapshot, const struct pool *pool,
                  struct decision *decision);

/* The end of the part that it wants: base, demand and buffer. */
static inline struct kib share_wanted(const struct decide_work *work)
{
    uint64_t granules = (uint64_t)work->demand + work->buffer;

    return kib_add(work->base, kib((int64_t)granules * KIB_GRANULE));
}

/* What it is entitled to. */
static inline struct kib share_due(const struct decide_work *work)
{
    struct kib given = kib((int64_t)work->given * KIB_GRANULE);

    return work->is_short ? kib_min(given, work->base) : kib_add(work->base, given);
}

#endif
