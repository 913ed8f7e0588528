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
#include "core/share.h"

/* How badly a VM waits for memory; the worst first. */
enum plan_urgency {
    PLAN_BELOW_LOW,
    PLAN_BELOW_OVERRIDE,
    PLAN_BELOW_NEED,
    PLAN_BELOW_GOAL,
    PLAN_URGENCIES
};

/* By urgency, then priority. */
#define PLAN_PLACES (PLAN_URGENCIES * SHARE_PRIORITIES)

/* A plan in the making. */
struct plan {
    const struct snapshot *snapshot;
    struct decision *decision;
    struct kib budget; /* what raises may take now */
    bool no_caps;      /* in tests */
    size_t n_waiting;  /* in decision->waiting, in the order of VMs */
    uint32_t n_in_place[PLAN_PLACES];
};

/* Nothing is planned yet. unseen: what was given back at this very moment, and not yet seen to be
 * free. The plan borrows what it is given until plan_end. */
void plan_begin(struct plan *plan, const struct snapshot *snapshot, struct kib unseen,
                const struct decide_faults *faults, struct decision *decision);

/* One VM after the other, in order, with its goal in its working space: what it gives back is
 * planned, and what it is to get waits in the queue. */
void plan_vm(struct plan *plan, size_t vm);

/* What restores promise 1 where it is broken, else what takes. */
void plan_end(struct plan *plan);

#endif
