/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/rest.h"

#include "core/model.h"
#include "hv/hv.h"

/* At rest, a balloon is this near its target, besides libxl's slack and video memory. */
#define REST_TOLERANCE KIB_GRANULE

struct rest rest_begin(bool pv)
{
    return (struct rest){.rested = pv, .measured = pv};
}

static bool moved(const struct rest *rest, const struct hv_domain *seen)
{
    return seen->pod_debt.v > 0 || seen->assigned.v != rest->assigned.v ||
           seen->target.v != rest->target.v;
}

static bool is_near_target(struct kib offset, struct kib videoram)
{
    return offset.v >= -REST_TOLERANCE &&
           offset.v <= kib_add(videoram, kib(CAP_SLACK.v + REST_TOLERANCE)).v;
}

void rest_look(struct rest *rest, struct hv_domain *seen, struct kib videoram, int64_t now_ms)
{
    struct kib offset = kib_sub(seen->assigned, seen->target);

    if (seen->state == VM_SAVING) /* by the look before; resumed, its offset may be another */
        *rest = rest_begin(seen->pv);
    if (rest->measured)
        return;
    if (moved(rest, seen))
        rest->since_ms = now_ms;
    rest->assigned = seen->assigned;
    rest->target = seen->target;
    if (seen->target.v == 0 || now_ms - rest->since_ms < REST_MS)
        return;
    if (is_near_target(offset, videoram)) {
        seen->offset = offset;
        rest->rested = rest->measured = true;
    } else if (seen->has_own_target) {
        /* Stuck, but we wrote to it in an earlier life of ours: it has booted, and must not wait
         * for help until it moves. What xl leaves out of a target is mostly video memory. */
        seen->offset = videoram;
        rest->rested = true;
    }
}
