/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is entitled to how much: promises 4, 5, 8. */
#include <inttypes.h>

#include "core/admit.h"
#include "core/share.h"
#include "tests/core/promises.h"

static bool shares(const struct decide_work *work)
{
    return work->role == ROLE_SHARES || work->role == ROLE_FIXED;
}

static struct kib need_of(const struct decide_work *work)
{
    return kib_add(work->base, kib((int64_t)work->need * KIB_GRANULE));
}

static struct kib demand_of(const struct decide_work *work)
{
    return kib_add(work->base, kib((int64_t)work->demand * KIB_GRANULE));
}

/* The least share that a VM may have while somebody of that priority lacks something. */
struct lack {
    int base, need, demand, buffer; /* the highest priority that lacks some; −1 nobody */
};

static struct lack lacks_of(const struct paper *paper)
{
    struct lack lack = {-1, -1, -1, -1};

    for (size_t i = 0; i < paper->snapshot.n_vms; i++) {
        const struct decide_work *work = &paper->work[i];
        int64_t share = paper->verdicts[i].share.v;
        int priority = work->priority;

        if (!shares(work))
            continue;
        if (share < work->base.v && priority > lack.base)
            lack.base = priority;
        if (share < need_of(work).v && priority > lack.need)
            lack.need = priority;
        if (share < demand_of(work).v && priority > lack.demand)
            lack.demand = priority;
        if (share < share_wanted(work).v && priority > lack.buffer)
            lack.buffer = priority;
    }
    return lack;
}

static const char *out_of_order(const struct decide_work *work, const struct verdict *verdict,
                                const struct lack *lack)
{
    int64_t share = verdict->share.v;

    if (lack->base >= 0 && share > work->base.v)
        return "has more than its minimum while others lack theirs";
    if (work->priority < lack->base && share > 0)
        return "has some of its minimum while a more important one lacks it";
    if (lack->base < 0 && work->priority <= lack->need && share > need_of(work).v)
        return "has what it needed once while an equal lacks what it needs now";
    if (lack->demand >= 0 && share > demand_of(work).v)
        return "has some of its buffer while others lack demand";
    if (lack->base < 0 && work->priority < lack->demand && share > work->base.v)
        return "has some of its demand while a more important one lacks it";
    if (lack->base < 0 && lack->demand < 0 && work->priority < lack->buffer &&
        share > demand_of(work).v)
        return "has some of its buffer while a more important one lacks it";
    if (lack->buffer >= 0 && share > share_wanted(work).v)
        return "has more than it wants while others lack buffer";
    return NULL;
}

/* Promises 4 and 5: minimums, demand, buffers, the more important first; and nothing is lost while
 * somebody lacks something. */
bool promise_order(struct world *world, struct complaint *complaint)
{
    struct paper *paper = &world->paper;
    struct lack lack;

    paper_decide(paper);
    lack = lacks_of(paper);
    for (size_t i = 0; i < paper->snapshot.n_vms; i++) {
        const char *why;

        if (!shares(&paper->work[i]))
            continue;
        why = out_of_order(&paper->work[i], &paper->verdicts[i], &lack);
        if (why)
            return broken(complaint, "vm %zu %s", i, why);
    }
    return true;
}

static bool differ(struct kib a, struct kib b)
{
    return a.v - b.v > KIB_GRANULE || b.v - a.v > KIB_GRANULE;
}

static void reverse(struct world *world)
{
    size_t n = world->paper.snapshot.n_vms;

    for (size_t i = 0; i < n / 2; i++) {
        struct vm vm = world->paper.vms[i];
        struct vm_track track = world->paper.tracks[i];

        world->paper.vms[i] = world->paper.vms[n - 1 - i];
        world->paper.tracks[i] = world->paper.tracks[n - 1 - i];
        world->paper.vms[n - 1 - i] = vm;
        world->paper.tracks[n - 1 - i] = track;
    }
}

/* Two VMs that ask for the same with the same priority, whatever they have now. */
static bool ask_the_same(const struct decide_work *a, const struct decide_work *b)
{
    return shares(a) && shares(b) && a->priority == b->priority && a->base.v == b->base.v &&
           a->demand == b->demand && a->buffer == b->buffer && a->room == b->room;
}

/* Promise 5: equals differ by at most one granule, whatever their order. */
bool promise_equals(struct world *world, struct complaint *complaint)
{
    static struct world turned;
    struct paper *paper = &world->paper;
    size_t n = paper->snapshot.n_vms;

    world_copy(&turned, world);
    reverse(&turned);
    paper_decide(paper);
    paper_decide(&turned.paper);
    for (size_t i = 0; i < n; i++) {
        struct kib other = turned.paper.verdicts[n - 1 - i].share;

        if (differ(paper->verdicts[i].share, other))
            return broken(complaint, "vm %zu has %" PRId64 ", and %" PRId64 " in another order", i,
                          paper->verdicts[i].share.v, other.v);
        if (i > 0 && ask_the_same(&paper->work[i], &paper->work[i - 1]) &&
            differ(paper->verdicts[i].share, paper->verdicts[i - 1].share))
            return broken(complaint, "vm %zu has %" PRId64 ", its equal %" PRId64, i,
                          paper->verdicts[i].share.v, paper->verdicts[i - 1].share.v);
    }
    return true;
}

/* Small changes may be made, and what is left over stays where it is: goals are then as monotonic
 * as shares. */
static bool is_without_hysteresis(struct world *world)
{
    if (world->paper.snapshot.settings.surplus != SURPLUS_KEEP)
        return false;
    paper_decide(&world->paper); /* the first look takes every target for a new one */
    for (size_t i = 0; i < world->paper.snapshot.n_vms; i++)
        world->paper.tracks[i].changed = false;
    return true;
}

/* A target between large pages may stay as long as it fits, or be rounded. */
static struct kib rounding_of(const struct vm *vm)
{
    return kib(vm->target.v % KIB_GRANULE != 0 ? KIB_GRANULE : 0);
}

/* Promise 5: more memory on the host never lowers anyone's. */
bool promise_more_memory(struct world *world, struct complaint *complaint)
{
    static struct world more;
    struct paper *paper = &world->paper;
    struct random random = {world->seed};
    bool are_goals_checked = is_without_hysteresis(world);

    world_copy(&more, world);
    more.paper.snapshot.host.free =
        kib_add(more.paper.snapshot.host.free,
                kib(random_between(&random, 1, INT64_C(1) << random_between(&random, 0, 34))));
    paper_decide(paper);
    paper_decide(&more.paper);
    for (size_t i = 0; i < paper->snapshot.n_vms; i++) {
        const struct verdict *before = &paper->verdicts[i];
        const struct verdict *after = &more.paper.verdicts[i];

        if (after->share.v < before->share.v)
            return broken(complaint, "vm %zu's share falls from %" PRId64 " to %" PRId64, i,
                          before->share.v, after->share.v);
        if (are_goals_checked &&
            kib_add(after->goal, rounding_of(&paper->vms[i])).v < before->goal.v)
            return broken(complaint, "vm %zu's goal falls from %" PRId64 " to %" PRId64, i,
                          before->goal.v, after->goal.v);
    }
    return true;
}

/* Decides on two hosts that differ in one VM, which is better off in the second. */
static bool falls(struct world *world, struct world *better, size_t vm, bool are_goals_checked,
                  struct complaint *complaint)
{
    const struct verdict *before = &world->paper.verdicts[vm];
    const struct verdict *after = &better->paper.verdicts[vm];
    struct kib may_round = rounding_of(&world->paper.vms[vm]);

    paper_decide(&world->paper);
    paper_decide(&better->paper);
    if (after->share.v < before->share.v)
        return broken(complaint, "vm %zu's share falls from %" PRId64 " to %" PRId64, vm,
                      before->share.v, after->share.v);
    if (are_goals_checked && kib_add(after->goal, may_round).v < before->goal.v)
        return broken(complaint, "vm %zu's goal falls from %" PRId64 " to %" PRId64, vm,
                      before->goal.v, after->goal.v);
    return true;
}

/* Promise 5: raising a VM's priority never lowers its own target. */
bool promise_more_priority(struct world *world, struct complaint *complaint)
{
    static struct world better;
    struct random random = {world->seed};
    size_t n = world->paper.snapshot.n_vms;
    bool are_goals_checked = is_without_hysteresis(world);
    struct vm_settings *settings;
    size_t vm;

    if (n == 0)
        return true;
    vm = random_next(&random) % n;
    world_copy(&better, world);
    settings = &better.paper.vms[vm].settings;
    settings->priority = (int32_t)random_between(&random, settings->priority, 100);
    return falls(world, &better, vm, are_goals_checked, complaint);
}

/* Promise 5: raising a VM's demand never lowers its own target. */
bool promise_more_demand(struct world *world, struct complaint *complaint)
{
    static struct world better;
    struct random random = {world->seed};
    size_t n = world->paper.snapshot.n_vms;
    bool are_goals_checked = is_without_hysteresis(world);
    struct vm_report *report;
    size_t vm;

    if (n == 0)
        return true;
    vm = random_next(&random) % n;
    world_copy(&better, world);
    report = &better.paper.vms[vm].report;
    report->need = kib_add(report->need, kib(INT64_C(1) << random_between(&random, 0, 30)));
    return falls(world, &better, vm, are_goals_checked, complaint);
}

/* Everybody has what it keeps, and is at rest there. */
static void give_all(struct world *world, const struct decision *decision, int32_t priority)
{
    struct snapshot *snapshot = &world->paper.snapshot;

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        struct vm *vm = &world->paper.vms[i];
        struct kib had = vm->assigned;

        if (!shares(&decision->work[i]))
            continue;
        vm->target = admit_keeps(snapshot, decision, i, priority);
        vm->assigned = kib_add(vm->target, vm->offset);
        vm->cap = model_cap(vm, vm->target);
        vm->cap_unlimited = false;
        snapshot->host.free = kib_add(snapshot->host.free, kib_sub(had, vm->assigned));
    }
}

static bool has_overrides(const struct paper *paper)
{
    for (size_t i = 0; i < paper->snapshot.n_vms; i++)
        if (paper->work[i].role == ROLE_OVERRIDDEN)
            return true;
    return false;
}

/* Promise 8: what can be given to a start is what is there when all have given; it grows with the
 * start's priority, and is never less than nothing. */
bool promise_admission(struct world *world, struct complaint *complaint)
{
    static struct world after;
    struct paper *paper = &world->paper;
    struct kib last = kib(0);

    paper_decide(paper);
    for (int32_t priority = 0; priority <= 100; priority += 10) {
        struct admission found = admit(&paper->snapshot, &paper->decision, priority);
        struct kib all = kib_add(found.now, found.freeable);

        world_copy(&after, world);
        give_all(&after, &paper->decision, priority);
        if (!has_overrides(paper) &&
            all.v != kib_max(model_uncommitted(&after.paper.snapshot), kib(0)).v)
            return broken(complaint,
                          "a start of priority %d may have %" PRId64 ", and there are %" PRId64,
                          (int)priority, all.v, model_uncommitted(&after.paper.snapshot).v);
        if (found.now.v < 0 || found.freeable.v < 0 || all.v < last.v)
            return broken(complaint, "a start of priority %d may have %" PRId64 " and %" PRId64,
                          (int)priority, found.now.v, found.freeable.v);
        if (found.now.v > kib_max(paper->decision.uncommitted, kib(0)).v)
            return broken(complaint, "a start may have at once what is not there");
        last = all;
    }
    return true;
}

/* What is left to promise once everybody is at its goal. */
static struct kib left_at_goals(const struct paper *paper)
{
    struct kib left = paper->decision.uncommitted;

    for (size_t i = 0; i < paper->snapshot.n_vms; i++) {
        const struct vm *vm = &paper->snapshot.vms[i];

        if (shares(&paper->work[i]))
            left =
                kib_add(left, kib_sub(model_counted(vm), model_rest(vm, paper->verdicts[i].goal)));
    }
    return left;
}

/* The first VM that a start pushes below what it keeps, or would have without it; n_vms nobody. */
static size_t pushed_too_far(const struct paper *paper, const struct kib *keeps)
{
    for (size_t i = 0; i < paper->snapshot.n_vms; i++) {
        struct kib least = kib_min(keeps[i], kib_floor(paper->vms[i].target, KIB_GRANULE));

        if (shares(&paper->work[i]) && paper->work[i].trial == 0 &&
            paper->verdicts[i].goal.v < least.v)
            return i;
    }
    return paper->snapshot.n_vms;
}

/* Promise 8: what was found to be feasible is made room for, and only by those who may be asked. */
bool promise_want(struct world *world, struct complaint *complaint)
{
    static struct kib keeps[PAPER_MAX];
    struct paper *paper = &world->paper;
    struct random random = {world->seed};
    struct want want = {.priority = (int32_t)random_between(&random, 0, 100)};
    struct admission found;
    size_t pushed;

    paper_decide(paper);
    found = admit(&paper->snapshot, &paper->decision, want.priority);
    if (has_overrides(paper) || kib_add(found.now, found.freeable).v == 0)
        return true;
    want.size = kib(random_between(&random, 1, kib_add(found.now, found.freeable).v));
    for (size_t i = 0; i < paper->snapshot.n_vms; i++)
        keeps[i] = kib_min(admit_keeps(&paper->snapshot, &paper->decision, i, want.priority),
                           paper->verdicts[i].goal);
    paper->snapshot.wants = &want;
    paper->snapshot.n_wants = 1;
    paper_decide(paper);
    if (left_at_goals(paper).v < want.size.v)
        return broken(complaint,
                      "a start of priority %d wants %" PRId64 " and %" PRId64
                      " are left when all are at their goals",
                      (int)want.priority, want.size.v, left_at_goals(paper).v);
    pushed = pushed_too_far(paper, keeps);
    return pushed == paper->snapshot.n_vms ||
           broken(complaint, "vm %zu is sent to %" PRId64 " for a start, and keeps %" PRId64,
                  pushed, paper->verdicts[pushed].goal.v, keeps[pushed].v);
}
