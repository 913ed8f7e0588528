/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dividing the host's memory: what each VM is entitled to, whatever it has now.
 *
 * First minimums and floors; then demand, the highest priority first; then buffers, the highest
 * first; within one priority everybody gets the same fraction of what it asks for. Of demand, what
 * is needed now comes before what was needed a while ago, within one priority. What a start waits
 * for comes as soon as what it may not touch is served: demands of its own priority, and all that
 * those of higher ones want. What is left after that is nobody's, except with `surplus = share`.
 * docs/policy.md has it in words.
 */
#ifndef CORE_SHARE_H
#define CORE_SHARE_H

#include "core/decide.h"

/* What there is to divide, in terms of targets. */
struct pool {
    struct kib all;  /* may be negative: more is promised than there is */
    struct kib owed; /* to VMs that the operator set by hand: after minimums, before demand */
};

#define SHARE_PRIORITIES 101

/* What is handed out one after the other. */
enum share_phase {
    SHARE_BASE,
    SHARE_NEED, /* demand: what is needed now … */
    SHARE_HELD, /* … and the rest of it */
    SHARE_BUFFER,
    SHARE_WANT, /* of starts */
    SHARE_PHASES
};

/* What all ask for together. */
struct asked {
    struct kib bases;                             /* to the KiB */
    int32_t highest_want;                         /* the highest priority of a start; −1 none */
    uint64_t sum[SHARE_PHASES][SHARE_PRIORITIES]; /* granules */
};

/* Where the memory ends: whoever comes before this place gets all that it asks for, whoever comes
 * behind it nothing, and those in it share what is left. */
struct place {
    int phase, priority;
    int served[SHARE_PHASES]; /* whoever has at least this priority comes before the place */
    uint64_t left;            /* granules */
};

/* Nobody has asked yet but the starts that wait. */
void share_begin(const struct snapshot *snapshot, struct asked *asked);

/* Fills the VM's working space from its verdict (demand, wanted, low, high; goal where it is fixed)
 * and its role, and adds to what is asked for. One that is fixed may be sent down to its low for a
 * start of higher priority. */
void share_prepare(const struct vm *vm, const struct verdict *verdict, struct decide_work *work,
                   struct asked *asked);

/* Finds the place and serves those in it; everybody else gets its part by share_serve. */
struct place share_divide(const struct snapshot *snapshot, const struct pool *pool,
                          const struct asked *asked, struct decision *decision);

/* True where there is enough for all minimums and floors. */
static inline bool share_has_bases(const struct place *place)
{
    return place->phase != SHARE_BASE;
}

/* Sets given in the working space of one VM, in the place that was found. */
void share_serve(const struct place *place, struct decide_work *work);

static inline bool share_takes_part(const struct decide_work *work)
{
    return work->role == ROLE_SHARES || work->role == ROLE_FIXED;
}

/* The end of the part that it wants: base, demand and buffer. */
static inline struct kib share_wanted(const struct decide_work *work)
{
    uint64_t granules = (uint64_t)work->demand + work->buffer;

    return kib_add(work->base, kib((int64_t)granules * KIB_GRANULE));
}

/* What it is entitled to: what it is given comes on top of its base, or is all that it has of that.
 */
static inline struct kib share_due(const struct place *place, const struct decide_work *work)
{
    struct kib given = kib((int64_t)work->given * KIB_GRANULE);

    return share_has_bases(place) ? kib_add(work->base, given) : kib_min(given, work->base);
}

#endif
