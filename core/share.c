/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/share.h"

#include <string.h>

#define PRIORITIES 101

/* Sums by priority of what one phase asks for. */
struct asked {
    struct kib sum[PRIORITIES];
};

/* What the phases hand out: from…to of each VM. */
enum phase { PHASE_DEMAND, PHASE_BUFFER };

static struct kib granules_up(struct kib amount, struct kib low, struct kib high)
{
    return kib_clamp(kib_ceil(amount, KIB_GRANULE), low, high);
}

static struct kib need_of(const struct verdict *verdict)
{
    return granules_up(kib_clamp(verdict->demand, verdict->low, verdict->high), verdict->low,
                       verdict->high);
}

static struct kib want_of(const struct verdict *verdict)
{
    return granules_up(verdict->wanted, verdict->low, verdict->high);
}

static struct kib asked_of(const struct verdict *verdict, enum phase phase)
{
    if (phase == PHASE_DEMAND)
        return kib_sub(need_of(verdict), verdict->low);
    return kib_excess(want_of(verdict), need_of(verdict));
}

/* Hands rest out for one phase: whole priorities first, then the same fraction to each of the one
 * that it ends in. */
static struct kib hand_out(const struct snapshot *snapshot, const bool *movable, enum phase phase,
                           struct kib rest, struct verdict *verdicts)
{
    struct asked asked = {0};
    struct kib given[PRIORITIES];

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        int32_t priority = snapshot->vms[i].settings.priority;

        if (movable[i])
            asked.sum[priority] = kib_add(asked.sum[priority], asked_of(&verdicts[i], phase));
    }
    for (int p = PRIORITIES - 1; p >= 0; p--) {
        given[p] = kib_clamp(rest, kib(0), asked.sum[p]);
        rest = kib_sub(rest, given[p]);
    }
    for (size_t i = 0; i < snapshot->n_vms; i++) {
        int32_t p = snapshot->vms[i].settings.priority;
        struct kib part;

        if (!movable[i] || asked.sum[p].v == 0)
            continue;
        part = asked_of(&verdicts[i], phase);
        if (given[p].v < asked.sum[p].v)
            part = kib_floor(kib_scale(part, given[p].v, asked.sum[p].v), KIB_GRANULE);
        verdicts[i].goal = kib_add(verdicts[i].goal, part);
    }
    return rest;
}

static void divide_scarcity(const struct snapshot *snapshot, const bool *movable, struct kib pool,
                            struct verdict *verdicts)
{
    struct kib rest = pool;

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        if (!movable[i])
            continue;
        verdicts[i].goal = verdicts[i].low;
        verdicts[i].reason = REASON_SCARCE;
        rest = kib_sub(rest, verdicts[i].low);
    }
    rest = hand_out(snapshot, movable, PHASE_DEMAND, kib_max(rest, kib(0)), verdicts);
    (void)hand_out(snapshot, movable, PHASE_BUFFER, rest, verdicts);
}

/* Growth is prompt, but not for crumbs: as long as most of the buffer is there, it stays. */
static struct kib grown(const struct vm *vm, const struct verdict *verdict)
{
    struct kib want = want_of(verdict);
    struct kib missing = kib_sub(want, vm->target);

    if (missing.v <= 0)
        return vm->target;
    if (vm->target.v >= verdict->low.v && missing.v <= kib_scale(want, 1, 64).v &&
        kib_add(vm->target, vm->offset).v > verdict->demand.v)
        return vm->target;
    return want;
}

static void settle_reason(const struct vm *vm, struct verdict *verdict)
{
    if (vm->target.v > verdict->high.v)
        verdict->reason = REASON_BOUND_HIGH;
    else if (vm->target.v < verdict->low.v)
        verdict->reason = REASON_BOUND_LOW;
    else if (verdict->goal.v > vm->target.v)
        verdict->reason = REASON_GROW_DEMAND;
    else
        verdict->reason = REASON_KEEP;
}

/* The weight of a VM when something is taken: the more important, the more it may keep to spare. */
static int64_t keeping_weight(const struct vm *vm)
{
    return 1 + vm->settings.priority;
}

static struct kib spare_of(const struct vm *vm, const struct verdict *verdict, int64_t level)
{
    struct kib keeps = kib(level * keeping_weight(vm));
    struct kib spare = kib_excess(verdict->goal, want_of(verdict));

    return kib_floor(kib_excess(spare, keeps), KIB_GRANULE);
}

static struct kib taken_at(const struct snapshot *snapshot, const bool *movable,
                           const struct verdict *verdicts, int64_t level)
{
    struct kib sum = kib(0);

    for (size_t i = 0; i < snapshot->n_vms; i++)
        if (movable[i])
            sum = kib_add(sum, spare_of(&snapshot->vms[i], &verdicts[i], level));
    return sum;
}

/* Takes missing from those with most to spare: everybody is cut down to one level, found by
 * bisection. */
static void take_spare(const struct snapshot *snapshot, const bool *movable, struct kib missing,
                       struct verdict *verdicts)
{
    int64_t low = 0;
    int64_t high = KIB_LIMIT;

    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;

        if (taken_at(snapshot, movable, verdicts, middle).v >= missing.v)
            low = middle;
        else
            high = middle - 1;
    }
    for (size_t i = 0; i < snapshot->n_vms && missing.v > 0; i++) {
        struct kib part;

        if (!movable[i])
            continue;
        part = spare_of(&snapshot->vms[i], &verdicts[i], low);
        if (part.v == 0)
            continue;
        verdicts[i].goal = kib_sub(verdicts[i].goal, part);
        verdicts[i].reason = REASON_GIVE;
        missing = kib_sub(missing, part);
    }
}

static void share_surplus(const struct snapshot *snapshot, const bool *movable, struct kib rest,
                          struct verdict *verdicts)
{
    struct kib room = kib(0);

    for (size_t i = 0; i < snapshot->n_vms; i++)
        if (movable[i])
            room = kib_add(room, kib_sub(verdicts[i].high, verdicts[i].goal));
    if (room.v == 0)
        return;
    rest = kib_min(rest, room);
    for (size_t i = 0; i < snapshot->n_vms; i++) {
        struct kib part;

        if (!movable[i])
            continue;
        part = kib_scale(kib_sub(verdicts[i].high, verdicts[i].goal), rest.v, room.v);
        verdicts[i].goal = kib_add(verdicts[i].goal, kib_floor(part, KIB_GRANULE));
        verdicts[i].reason = REASON_SHARE;
    }
}

static void divide_plenty(const struct snapshot *snapshot, const bool *movable, struct kib pool,
                          struct verdict *verdicts)
{
    struct kib held = kib(0);
    struct kib keep_free = snapshot->settings.headroom;

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        const struct vm *vm = &snapshot->vms[i];
        struct kib goal;

        if (!movable[i])
            continue;
        goal = kib_min(grown(vm, &verdicts[i]), verdicts[i].high);
        if (snapshot->settings.surplus != SURPLUS_KEEP)
            goal = want_of(&verdicts[i]);
        verdicts[i].goal = goal;
        settle_reason(vm, &verdicts[i]);
        if (snapshot->settings.surplus == SURPLUS_HOLD && goal.v < vm->target.v)
            verdicts[i].reason = REASON_HOLD;
        held = kib_add(held, goal);
    }
    if (held.v > kib_sub(pool, keep_free).v)
        take_spare(snapshot, movable, kib_sub(held, kib_sub(pool, keep_free)), verdicts);
    else if (snapshot->settings.surplus == SURPLUS_SHARE)
        share_surplus(snapshot, movable, kib_sub(kib_sub(pool, keep_free), held), verdicts);
}

void share_divide(const struct snapshot *snapshot, const bool *movable, struct kib pool,
                  struct verdict *verdicts)
{
    struct kib wanted = kib(0);

    for (size_t i = 0; i < snapshot->n_vms; i++)
        if (movable[i])
            wanted = kib_add(wanted, want_of(&verdicts[i]));
    if (wanted.v > pool.v)
        divide_scarcity(snapshot, movable, pool, verdicts);
    else
        divide_plenty(snapshot, movable, pool, verdicts);
}
