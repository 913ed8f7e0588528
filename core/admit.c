/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/admit.h"

#include "core/share.h"

struct kib admit_keeps(const struct snapshot *snapshot, const struct decision *decision, size_t vm,
                       int32_t priority)
{
    const struct decide_work *work = &decision->work[vm];
    struct kib need = kib((int64_t)work->demand * KIB_GRANULE);

    switch (work->role) {
    case ROLE_FIXED:
        return work->priority < priority
                   ? kib_min(work->base, kib_ceil(decision->verdicts[vm].low, KIB_GRANULE))
                   : share_wanted(work);
    case ROLE_SHARES:
        if (work->priority < priority)
            return work->base;
        return work->priority == priority ? kib_add(work->base, need) : share_wanted(work);
    default:
        return snapshot->vms[vm].target;
    }
}

struct kib admit_holds(const struct snapshot *snapshot, const struct decision *decision, size_t vm,
                       int32_t priority)
{
    const struct vm *it = &snapshot->vms[vm];
    struct kib rest = model_rest(it, admit_keeps(snapshot, decision, vm, priority));

    switch (decision->work[vm].role) {
    case ROLE_NONE:
        return decision->work[vm].counted;
    case ROLE_OVERRIDDEN:
        return kib_max(rest, it->assigned);
    default:
        return rest;
    }
}

struct admission admit(const struct snapshot *snapshot, const struct decision *decision,
                       int32_t priority)
{
    struct kib all = decision->uncommitted;
    struct admission out;

    for (size_t i = 0; i < snapshot->n_vms; i++)
        all = kib_add(
            all, kib_sub(decision->work[i].counted, admit_holds(snapshot, decision, i, priority)));
    all = kib_max(all, kib(0));
    out.now = kib_clamp(decision->uncommitted, kib(0), all);
    out.freeable = kib_sub(all, out.now);
    return out;
}

/* The one of the largest that it keeps, among those that the refusal does not name yet; n_vms where
 * nobody keeps anything. */
static size_t largest_holder(const struct snapshot *snapshot, const struct decision *decision,
                             const struct refusal *refusal)
{
    size_t largest = snapshot->n_vms;
    struct kib most = kib(0);

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        struct kib holds = admit_holds(snapshot, decision, i, refusal->priority);
        bool is_named = false;

        for (size_t j = 0; j < refusal->n_holders; j++)
            is_named |= refusal->holders[j].vm == i;
        if (is_named || holds.v <= most.v)
            continue;
        largest = i;
        most = holds;
    }
    return largest;
}

void admit_refuse(const struct snapshot *snapshot, const struct decision *decision, struct kib size,
                  int32_t priority, struct kib ahead, struct refusal *out)
{
    struct admission found = admit(snapshot, decision, priority);

    *out = (struct refusal){.code = REFUSAL_NO_MEMORY,
                            .size = size,
                            .priority = priority,
                            .now = found.now,
                            .freeable = found.freeable,
                            .ahead = ahead};
    while (out->n_holders < REFUSAL_HOLDERS) {
        size_t vm = largest_holder(snapshot, decision, out);

        if (vm == snapshot->n_vms)
            return;
        out->holders[out->n_holders++] =
            (struct refusal_holder){vm, admit_holds(snapshot, decision, vm, priority),
                                    decision->verdicts[vm].state == VM_UNRESPONSIVE};
    }
}
