/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/admit.h"

#include "core/share.h"

/* The target that it keeps, whatever else starts with that priority. */
static struct kib keeps(const struct vm *vm, const struct decide_work *work,
                        const struct verdict *verdict, int32_t priority)
{
    struct kib granules = kib((int64_t)work->demand * KIB_GRANULE);

    if (work->role == ROLE_FIXED)
        return vm->settings.priority < priority ? kib_min(work->base, verdict->low)
                                                : share_wanted(work);
    if (vm->settings.priority < priority)
        return work->base;
    return vm->settings.priority == priority ? kib_add(work->base, granules) : share_wanted(work);
}

struct kib admit_keeps(const struct snapshot *snapshot, const struct decision *decision, size_t i,
                       int32_t priority)
{
    const struct vm *vm = &snapshot->vms[i];
    const struct decide_work *work = &decision->work[i];

    if (work->role == ROLE_NONE)
        return model_counted(vm);
    if (work->role == ROLE_OVERRIDDEN)
        return kib_max(model_rest(vm, vm->target), vm->assigned);
    return model_rest(vm, keeps(vm, work, &decision->verdicts[i], priority));
}

struct admission admit(const struct snapshot *snapshot, const struct decision *decision,
                       int32_t priority)
{
    struct kib all = decision->uncommitted;
    struct admission out;

    for (size_t i = 0; i < snapshot->n_vms; i++)
        all = kib_add(all, kib_sub(model_counted(&snapshot->vms[i]),
                                   admit_keeps(snapshot, decision, i, priority)));
    all = kib_max(all, kib(0));
    out.now = kib_clamp(decision->uncommitted, kib(0), all);
    out.freeable = kib_sub(all, out.now);
    return out;
}
