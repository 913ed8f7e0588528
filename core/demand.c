/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/demand.h"

#define MIB 1024

/* One that was built with less than its startup, as a reboot does after ballooning, wants that for
 * so long from its first report on: what its services need at their start is not seen before. */
#define YOUNG_MS INT64_C(60000)

/* The decay goes in steps, so many to a half-life. */
#define DECAY_STEPS 64

/* Hyper-V's curve in straight pieces: from that size of the guest on, the floor there and how much
 * of each further KiB it takes, as part ÷ 2^shift. */
static const struct {
    int64_t size, floor;
    int64_t part;
    int shift;
} curve[] = {
    {INT64_C(0), 0, 9, 4},
    {INT64_C(128) * MIB, 72 * MIB, 1, 2},
    {INT64_C(512) * MIB, 168 * MIB, 1, 3},
    {INT64_C(2048) * MIB, 360 * MIB, 1, 4},
    {INT64_C(8192) * MIB, 744 * MIB, 1, 5},
};
#define CURVE_PIECES (sizeof(curve) / sizeof(*curve))

struct kib demand_floor_curve(struct kib size)
{
    size_t i = CURVE_PIECES - 1;

    while (i > 0 && size.v < curve[i].size)
        i--;
    return kib(curve[i].floor + ((size.v - curve[i].size) * curve[i].part >> curve[i].shift));
}

/* A guest that lacks memory cannot show that it needs more than it has: nothing is in use but what
 * there is. What it can show is that its processes wait for memory (PSI). Each percent of that time
 * lifts its need by half a percent, 25% at most: enough to climb, step by step, and gone as soon as
 * nobody waits. */
static struct kib pressure_lift(const struct vm_report *report)
{
    int32_t waiting =
        report->psi_some < DEMAND_PRESSURE_MOST ? report->psi_some : DEMAND_PRESSURE_MOST;

    return kib_scale(report->need, waiting, 2 * 10000);
}

/* A guest may say what it likes: it counts for no more than its maximum. */
static struct kib believed_need(const struct vm *vm)
{
    return kib_clamp(kib_add(vm->report.need, pressure_lift(&vm->report)), kib(0),
                     vm->settings.maximum);
}

/* Exponential decay in steps of 1/64 half-life: whole half-lives by halving, the rest by 2^(−1/64)
 * ≈ 1 − 1/93. */
static struct kib decayed(struct kib high, struct kib low, int64_t steps)
{
    int64_t rest = high.v - low.v;

    for (; steps >= DECAY_STEPS && rest > 0; steps -= DECAY_STEPS)
        rest /= 2;
    for (; steps > 0 && rest > 0; steps--)
        rest -= rest / 93 + 1;
    return kib(low.v + (rest > 0 ? rest : 0));
}

/* What rises goes on rising, and its balloon takes its time: some of it is given ahead. */
static struct kib expected_need(const struct vm *vm, struct kib before, struct kib need,
                                int32_t lead_percent)
{
    struct kib most = kib_scale(need, lead_percent, 100);
    struct kib lead = kib_min(kib_excess(need, before), most);

    return kib_min(kib_add(need, lead), vm->settings.maximum);
}

static void fall(struct kib need, int64_t half_life_ms, int64_t now_ms, struct vm_track *track)
{
    int64_t step_ms = half_life_ms / DECAY_STEPS;
    int64_t steps = step_ms > 0 ? (now_ms - track->demand_ms) / step_ms : 0;

    if (step_ms == 0) {
        track->demand = need;
        track->demand_ms = now_ms;
        return;
    }
    track->demand = decayed(track->demand, need, steps);
    track->demand_ms += steps * step_ms;
}

void demand_follow(const struct vm *vm, const struct host_settings *settings, int64_t now_ms,
                   struct vm_track *track)
{
    struct kib need = believed_need(vm);
    struct kib expected = need;

    if (!vm->fresh)
        return;
    if (vm->young && vm->state == VM_RUNNING && track->young_until_ms == 0) {
        track->young_until_ms = now_ms + YOUNG_MS;
        track->young = true;
    }
    if (track->young)
        track->young = now_ms < track->young_until_ms;
    if (track->has_demand)
        expected = expected_need(vm, track->need, need, settings->demand_lead_percent);
    track->need = need;
    if (track->has_demand && expected.v < track->demand.v) {
        fall(need, settings->demand_half_life_ms, now_ms, track);
        return;
    }
    track->demand = expected;
    track->demand_ms = now_ms;
    track->has_demand = true;
}

static struct kib with_margin(struct kib floor)
{
    return kib_add(floor, kib_add(DEMAND_FLOOR_MARGIN, kib(floor.v / DEMAND_FLOOR_SHARE)));
}

/* Memory that a guest has in use it holds, or has in its swap. Only our own agent says both. */
static bool is_suspicious(const struct vm *vm)
{
    struct kib most = kib_add(vm->assigned, vm->report.swap_used);

    most = kib_add(most, kib_add(DEMAND_DOUBT, kib(vm->assigned.v / DEMAND_DOUBT_SHARE)));
    return vm->report.source == NEED_AGENT && vm->report.need.v > most.v;
}

/* Never below what the operator said, what an idle kernel needs, nor what its page structures take.
 */
static struct kib lowest(const struct vm *vm)
{
    struct kib low = vm->settings.minimum;

    low = kib_max(low, demand_floor_curve(vm->settings.startup));
    low = kib_max(low, kib(vm->settings.maximum.v / 64));
    if (vm->settings.trust && vm->fresh && vm->report.floor.v > 0)
        low = kib_max(low, with_margin(vm->report.floor));
    return kib_min(low, vm->settings.maximum);
}

/* What a guest lacks it lacks now: demand that is remembered of a spike is no reason to warn. */
static enum vm_status status_of(struct kib assigned, struct kib need, int32_t buffer_percent)
{
    struct kib buffer = kib_scale(need, buffer_percent, 100);
    struct kib spare = kib_sub(assigned, need);

    if (spare.v < 0)
        return VM_STATUS_WARNING;
    return spare.v * 100 > buffer.v * 80 ? VM_STATUS_OK : VM_STATUS_LOW;
}

static int32_t percent(struct kib part, struct kib whole)
{
    int64_t value = whole.v > 0 ? kib_scale(part, 100, whole.v).v : 0;

    return value > 100000 ? 100000 : (int32_t)value;
}

void demand_judge(const struct vm *vm, const struct vm_track *track, struct verdict *verdict)
{
    struct kib demand, buffer;

    verdict->low = lowest(vm);
    verdict->high = vm->settings.maximum;
    verdict->need = verdict->demand = kib(-1);
    verdict->wanted = verdict->low;
    verdict->pressure = -1;
    verdict->status = VM_STATUS_UNKNOWN;
    verdict->suspicious = vm->fresh && is_suspicious(vm);
    if (!vm->fresh || !track->has_demand)
        return;
    demand = track->demand;
    if (!vm->settings.trust)
        demand = kib_max(demand, kib_min(vm->report.floor, vm->settings.maximum));
    verdict->need = track->need;
    verdict->demand = demand;
    buffer = kib_scale(demand, vm->settings.buffer_percent, 100);
    verdict->wanted = kib_add(demand, buffer);
    if (track->young)
        verdict->wanted = kib_max(verdict->wanted, vm->settings.startup);
    verdict->wanted = kib_clamp(verdict->wanted, verdict->low, verdict->high);
    verdict->pressure = percent(kib_add(demand, buffer), vm->assigned);
    verdict->status = status_of(vm->assigned, track->need, vm->settings.buffer_percent);
}
