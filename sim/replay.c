/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"
#include "core/decide.h"

#define PROGRESS_STEPS 512

const char *const replay_policy_names[] = {"xenmem", "static", "proportional"};

/* One host in virtual time: arrays, and free memory as a number. */
struct replay_host {
    const struct samples *samples;
    const struct replay_options *options;
    struct replay_result *result;
    size_t first_vm; /* of the samples */
    struct snapshot snapshot;
    struct vm *vms;
    struct vm_track *tracks;
    struct decision decision;
    int64_t *need; /* of this step, KiB */
    double *unmet_of, *need_of;
};

/* --- the host -------------------------------------------------------------------------------- */

static int64_t need_at(const struct replay_host *host, size_t i, int64_t seconds)
{
    const struct samples *samples = host->samples;
    const int64_t *used = samples->used_kib + (host->first_vm + i) * samples->n_times;
    size_t at = (size_t)(seconds / samples->interval_s);
    int64_t within = seconds % samples->interval_s;

    if (!host->options->linear || at + 1 >= samples->n_times)
        return used[at];
    return used[at] + (used[at + 1] - used[at]) * within / samples->interval_s;
}

static struct vm make_vm(const struct sampled_vm *sampled)
{
    struct kib maximum = sampled->provisioned;
    struct kib minimum = kib_min(kib_max(kib_scale(maximum, 1, 4), kib_mib(256)), maximum);

    return (struct vm){
        .state = VM_RUNNING,
        .settings = {.startup = kib_max(minimum, kib_scale(maximum, 1, 2)),
                     .minimum = minimum,
                     .maximum = maximum,
                     .buffer_percent = 20,
                     .priority = 50,
                     .mode = VM_MODE_DYNAMIC},
        .report = {.source = NEED_AGENT, .balloon = true},
        .fresh = true,
    };
}

struct sums {
    struct kib minimums, startups, maximums;
};

static void add_to_sums(const struct vm_settings *settings, struct sums *sums)
{
    sums->minimums = kib_add(sums->minimums, settings->minimum);
    sums->startups = kib_add(sums->startups, settings->startup);
    sums->maximums = kib_add(sums->maximums, settings->maximum);
}

static struct kib usable(const struct replay_host *host)
{
    return kib_sub(host->snapshot.host.total, host->snapshot.settings.reserve);
}

/* Startup memory; or, where the host is too small for that, its minimum and the same part as
 * everybody of what lies between. */
static struct kib target_at_start(const struct replay_host *host, const struct vm *vm,
                                  const struct sums *sums)
{
    const struct vm_settings *settings = &vm->settings;
    struct kib rest = kib_excess(usable(host), sums->minimums);
    struct kib rooms = kib_sub(sums->startups, sums->minimums);

    if (host->result->policy == REPLAY_STATIC && sums->maximums.v > usable(host).v)
        return kib_scale(settings->maximum, usable(host).v, sums->maximums.v);
    if (host->result->policy == REPLAY_STATIC)
        return settings->maximum;
    if (sums->startups.v <= usable(host).v)
        return settings->startup;
    if (sums->minimums.v > usable(host).v)
        return kib_scale(settings->minimum, usable(host).v, sums->minimums.v);
    return kib_add(settings->minimum,
                   kib_scale(kib_sub(settings->startup, settings->minimum), rest.v, rooms.v));
}

/* Every VM has its startup memory, or a part of it where the host is too small. */
static void start_host(struct replay_host *host)
{
    const struct setting_partial *layer = &host->options->settings;
    struct snapshot *snapshot = &host->snapshot;
    struct sums sums = {kib(0), kib(0), kib(0)};

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        host->vms[i] = make_vm(&host->samples->vms[host->first_vm + i]);
        add_to_sums(&host->vms[i].settings, &sums);
    }
    snapshot->host.total = kib_scale(sums.maximums, 1000, host->options->density_permille);
    snapshot->host.free = snapshot->host.total;
    host_settings_resolve(&layer, 1, &snapshot->settings);
    if (!setting_has(layer, HOST_KEY_RESERVE))
        snapshot->settings.reserve = kib_scale(snapshot->host.total, 1, 100);
    for (size_t i = 0; i < snapshot->n_vms; i++) {
        struct vm *vm = &host->vms[i];

        vm->assigned = vm->target = vm->cap = kib_floor(target_at_start(host, vm, &sums), KIB_PAGE);
        snapshot->host.free = kib_sub(snapshot->host.free, vm->assigned);
    }
}

/* --- policies -------------------------------------------------------------------------------- */

static void set_target(struct replay_host *host, struct vm *vm, struct kib target)
{
    host->result->changes += vm->target.v != target.v;
    vm->target = target;
}

/* The daemon's own decision, carried out in its order. */
static void apply_decision(struct replay_host *host, int64_t now_ms)
{
    static const struct decide_faults none;
    struct snapshot *snapshot = &host->snapshot;

    snapshot->now_ms = now_ms;
    decide(snapshot, host->tracks, &host->decision, &none);
    for (size_t i = 0; i < host->decision.n_actions; i++) {
        const struct action *action = &host->decision.actions[i];
        struct vm *vm = &host->vms[action->vm];

        vm->cap = action->cap;
        if (action->kind == ACTION_TARGET)
            set_target(host, vm, action->target);
    }
    host->result->invariant_violations += model_uncommitted(snapshot).v < 0;
}

/* squeezed's formula: the same part of everybody's room. */
static void apply_proportional(struct replay_host *host)
{
    struct kib minimums = kib(0);
    struct kib rooms = kib(0);
    struct kib surplus;

    for (size_t i = 0; i < host->snapshot.n_vms; i++) {
        const struct vm_settings *settings = &host->vms[i].settings;

        minimums = kib_add(minimums, settings->minimum);
        rooms = kib_add(rooms, kib_sub(settings->maximum, settings->minimum));
    }
    surplus = kib_min(kib_excess(usable(host), minimums), rooms);
    for (size_t i = 0; i < host->snapshot.n_vms; i++) {
        struct vm *vm = &host->vms[i];
        struct kib room = kib_sub(vm->settings.maximum, vm->settings.minimum);
        struct kib part = rooms.v > 0 ? kib_scale(room, surplus.v, rooms.v) : kib(0);

        set_target(host, vm, kib_add(vm->settings.minimum, part));
        vm->cap = vm->target;
    }
}

/* --- balloons -------------------------------------------------------------------------------- */

static void move(struct replay_host *host, struct vm *vm, struct kib by)
{
    vm->assigned = kib_add(vm->assigned, by);
    host->snapshot.host.free = kib_sub(host->snapshot.host.free, by);
    host->result->moved_kib += (double)(by.v < 0 ? -by.v : by.v);
}

static void shrink_all(struct replay_host *host, struct kib most)
{
    for (size_t i = 0; i < host->snapshot.n_vms; i++) {
        struct vm *vm = &host->vms[i];
        struct kib by = kib_min(kib_excess(vm->assigned, vm->target), most);

        if (by.v > 0)
            move(host, vm, kib(-by.v));
    }
}

static void grow_all(struct replay_host *host, struct kib most)
{
    for (size_t i = 0; i < host->snapshot.n_vms; i++) {
        struct vm *vm = &host->vms[i];
        struct kib by = kib_min(kib_excess(kib_min(vm->target, vm->cap), vm->assigned), most);

        by = kib_min(by, kib_excess(host->snapshot.host.free, host->snapshot.settings.reserve));
        if (by.v > 0)
            move(host, vm, by);
    }
}

/* --- counting -------------------------------------------------------------------------------- */

static void count_step(struct replay_host *host, size_t bin)
{
    struct replay_result *result = host->result;

    for (size_t i = 0; i < host->snapshot.n_vms; i++) {
        const struct vm *vm = &host->vms[i];
        double need = (double)host->need[i];
        double unmet =
            host->need[i] > vm->assigned.v ? (double)(host->need[i] - vm->assigned.v) : 0;

        host->need_of[i] += need;
        host->unmet_of[i] += unmet;
        result->need[bin] += need;
        result->unmet[bin] += unmet;
        result->assigned[bin] += (double)vm->assigned.v;
        result->vm_assigned[(host->first_vm + i) * REPLAY_BINS + bin] += (float)vm->assigned.v;
        result->minimum_violations += vm->assigned.v < vm->settings.minimum.v;
    }
    result->invariant_violations += host->snapshot.host.free.v < host->snapshot.settings.reserve.v;
    result->free_part += (double)host->snapshot.host.free.v / (double)host->snapshot.host.total.v;
}

/* The daemon looks at its host every second until all is as it should be; what was given back in
 * one second is there to be had in the next. */
static void live_by_seconds(struct replay_host *host, int64_t index)
{
    struct kib most = kib_mib(host->options->rate_mib);

    for (int64_t second = 0; second < REPLAY_STEP_S; second++) {
        shrink_all(host, most);
        apply_decision(host, (index * REPLAY_STEP_S + second) * 1000);
        if (host->decision.settled)
            return;
        grow_all(host, most);
    }
}

static void live(struct replay_host *host, int64_t index)
{
    struct kib most = kib_mib((int64_t)host->options->rate_mib * REPLAY_STEP_S);

    if (host->result->policy == REPLAY_XENMEM) {
        live_by_seconds(host, index);
        return;
    }
    if (host->result->policy == REPLAY_PROPORTIONAL)
        apply_proportional(host);
    shrink_all(host, most);
    grow_all(host, most);
}

/* The policy sees the need of the step before; nothing was before the first. */
static void step(struct replay_host *host, int64_t index, size_t bin)
{
    for (size_t i = 0; index > 0 && i < host->snapshot.n_vms; i++)
        host->vms[i].report.need = kib(host->need[i]);
    for (size_t i = 0; i < host->snapshot.n_vms; i++)
        host->need[i] = need_at(host, i, index * REPLAY_STEP_S);
    if (index > 0)
        live(host, index);
    count_step(host, bin);
}

static void count_vms(struct replay_host *host)
{
    struct replay_result *result = host->result;

    for (size_t i = 0; i < host->snapshot.n_vms; i++) {
        double part = host->need_of[i] > 0 ? host->unmet_of[i] / host->need_of[i] : 0;

        result->need_kib_s += host->need_of[i] * REPLAY_STEP_S;
        result->unmet_kib_s += host->unmet_of[i] * REPLAY_STEP_S;
        if (part > result->worst_vm) {
            result->worst_vm = part;
            result->worst_vm_index = host->first_vm + i;
        }
    }
}

/* --- all of it ------------------------------------------------------------------------------- */

static void free_host(struct replay_host *host)
{
    free(host->vms);
    free(host->tracks);
    free(host->decision.verdicts);
    free(host->decision.actions);
    free(host->decision.work);
    free(host->decision.parts);
    free(host->decision.waiting);
    free(host->need);
    free(host->unmet_of);
    free(host->need_of);
}

static bool make_host(struct replay_host *host, size_t n)
{
    host->vms = calloc(n, sizeof(*host->vms));
    host->tracks = calloc(n, sizeof(*host->tracks));
    host->decision.verdicts = calloc(n, sizeof(*host->decision.verdicts));
    host->decision.actions = calloc(n, sizeof(*host->decision.actions));
    host->decision.work = calloc(n, sizeof(*host->decision.work));
    host->decision.parts = calloc(n, sizeof(*host->decision.parts));
    host->decision.waiting = calloc(n, sizeof(*host->decision.waiting));
    host->need = calloc(n, sizeof(*host->need));
    host->unmet_of = calloc(n, sizeof(*host->unmet_of));
    host->need_of = calloc(n, sizeof(*host->need_of));
    host->snapshot.vms = host->vms;
    host->snapshot.n_vms = n;
    return host->vms && host->tracks && host->decision.verdicts && host->decision.actions &&
           host->decision.work && host->decision.parts && host->decision.waiting && host->need &&
           host->unmet_of && host->need_of;
}

static size_t hosts_of(const struct samples *samples, const struct replay_options *options)
{
    size_t group = (size_t)options->group;
    size_t n = group > 0 ? (samples->n_vms + group / 2) / group : 1;

    return n > 0 ? n : 1;
}

static int64_t steps_of(const struct samples *samples)
{
    return (int64_t)samples->n_times * samples->interval_s / REPLAY_STEP_S;
}

/* Hosts in the order of the file, whose sizes differ by one VM at most. */
static void replay_host(struct replay_host *host, size_t index, size_t n_hosts,
                        replay_progress *progress, void *context)
{
    int64_t n_steps = steps_of(host->samples);

    start_host(host);
    for (int64_t i = 0; i < n_steps; i++) {
        if (progress && i % PROGRESS_STEPS == 0)
            progress(context, ((double)index + (double)i / (double)n_steps) / (double)n_hosts);
        step(host, i, (size_t)(i * REPLAY_BINS / n_steps));
    }
    count_vms(host);
}

static void average(struct replay_result *result, int64_t n_steps, size_t n_hosts)
{
    for (int64_t bin = 0; bin < REPLAY_BINS; bin++) {
        /* Step i belongs to bin ⌊i × bins ÷ steps⌋. */
        int64_t from = (bin * n_steps + REPLAY_BINS - 1) / REPLAY_BINS;
        int64_t to = ((bin + 1) * n_steps + REPLAY_BINS - 1) / REPLAY_BINS;
        double n = to > from ? (double)(to - from) : 1;

        result->assigned[bin] /= n;
        result->need[bin] /= n;
        result->unmet[bin] /= n;
        for (size_t vm = 0; vm < result->n_vms; vm++)
            result->vm_assigned[vm * REPLAY_BINS + (size_t)bin] /= (float)n;
    }
    result->free_part /= (double)n_steps * (double)n_hosts;
}

/* The VMs of host i are those from here up to the next one's. */
static size_t first_of(const struct samples *samples, size_t i, size_t n_hosts)
{
    return i * samples->n_vms / n_hosts;
}

/* A reserve that was given must leave something of each host. */
static int check_reserve(const struct samples *samples, const struct replay_options *options,
                         size_t n_hosts, struct err *err)
{
    struct kib reserve;
    char text[2][UNITS_TEXT];

    if (!setting_has(&options->settings, HOST_KEY_RESERVE))
        return 0;
    reserve = kib(options->settings.value[HOST_KEY_RESERVE]);
    for (size_t i = 0; i < n_hosts; i++) {
        struct kib total = kib(0);

        for (size_t vm = first_of(samples, i, n_hosts); vm < first_of(samples, i + 1, n_hosts);
             vm++)
            total = kib_add(total, samples->vms[vm].provisioned);
        total = kib_scale(total, 1000, options->density_permille);
        if (reserve.v >= total.v)
            return err_set(err, ERR_INVALID,
                           "--host: a reserve of %s leaves nothing of a host of %s",
                           kib_format(reserve, text[0]), kib_format(total, text[1]));
    }
    return 0;
}

int replay_run(const struct samples *samples, const struct replay_options *options,
               enum replay_policy policy, replay_progress *progress, void *context,
               struct replay_result *out, struct err *err)
{
    size_t n_hosts = hosts_of(samples, options);
    bool is_ok;

    if (check_reserve(samples, options, n_hosts, err))
        return -1;
    *out = (struct replay_result){.policy = policy, .n_vms = samples->n_vms};
    out->hours = (double)steps_of(samples) * REPLAY_STEP_S / 3600;
    out->vm_assigned = calloc(samples->n_vms * REPLAY_BINS, sizeof(*out->vm_assigned));
    is_ok = out->vm_assigned != NULL;
    for (size_t i = 0; i < n_hosts && is_ok; i++) {
        struct replay_host host = {.samples = samples, .options = options, .result = out};
        size_t end = first_of(samples, i + 1, n_hosts);

        host.first_vm = first_of(samples, i, n_hosts);
        is_ok = make_host(&host, end - host.first_vm);
        if (is_ok)
            replay_host(&host, i, n_hosts, progress, context);
        free_host(&host);
    }
    if (!is_ok) {
        replay_result_fini(out);
        return err_set(err, ERR_FAILED, "there is no memory for the hosts");
    }
    average(out, steps_of(samples), n_hosts);
    return 0;
}

void replay_result_fini(struct replay_result *result)
{
    free(result->vm_assigned);
    result->vm_assigned = NULL;
}
