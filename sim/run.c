/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/err.h"
#include "base/invariant.h"
#include "daemon/engine.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"
#include "hv/sim/step.h"
#include "hv/sim/vm.h"
#include "hv/sim/world.h"
#include "sim/pilot.h"
#include "sim/scenario.h"
#include "sim/script.h"

#define PASS_MS        1000 /* as the daemon's interval is if nobody sets it */
#define LEAST_MS       (10 * 60 * INT64_C(1000))
#define BEYOND_MS      (60 * INT64_C(1000))
#define PROGRESS_EVERY 256

/* A VM by name, over all of its lives. */
struct run_vm {
    char name[HV_NAME_MAX];
    size_t index;   /* of the names, and of the rows of the result */
    uint32_t domid; /* of the life that was seen last */
    struct kib tot; /* what it had then */
    struct kib target;
    uint64_t changes; /* of its target */
    double unmet, need;
    UT_hash_handle hh;
};

struct run {
    struct run_options options;
    struct world *world;
    struct script script;
    struct pilot pilot;
    struct run_vm *vms;   /* by name */
    struct samples names; /* the same, in the order in which they came */
    struct replay_result result;
    struct run_counts counts;
    struct run_miss *misses; /* as many as there are expectations */
    size_t next_expectation;
    int64_t now_ms, end_ms;
};

/* --- counting -------------------------------------------------------------------------------- */

static void *grow(void *array, size_t n, size_t size)
{
    array = realloc(array, n * size);
    invariant(array);
    return array;
}

static struct run_vm *add_vm(struct run *run, const char *name)
{
    struct run_vm *vm = calloc(1, sizeof(*vm));
    size_t n = run->names.n_vms + 1;
    size_t row = sizeof(*run->result.vm_assigned) * REPLAY_BINS;

    invariant(vm);
    snprintf(vm->name, sizeof(vm->name), "%s", name);
    vm->index = run->names.n_vms;
    run->names.vms = grow(run->names.vms, n, sizeof(*run->names.vms));
    snprintf(run->names.vms[vm->index].name, SAMPLES_NAME, "%.*s", SAMPLES_NAME - 1, name);
    run->result.vm_assigned = grow(run->result.vm_assigned, n, row);
    memset(run->result.vm_assigned + vm->index * REPLAY_BINS, 0, row);
    run->names.n_vms = run->result.n_vms = n;
    HASH_ADD_STR(run->vms, name, vm);
    return vm;
}

static struct run_vm *find_vm(struct run *run, const char *name)
{
    struct run_vm *vm;

    HASH_FIND_STR(run->vms, name, vm);
    return vm;
}

static void count_moves(struct run *run, struct run_vm *vm, const struct sim_domain *domain)
{
    if (vm->domid == domain->ref.domid && sim_domain_runs(domain)) {
        int64_t moved = kib_sub(domain->tot, vm->tot).v;
        bool changed = vm->target.v > 0 && vm->target.v != domain->target.v;

        run->result.moved_kib += (double)(moved < 0 ? -moved : moved);
        run->result.changes += changed;
        vm->changes += changed;
    }
    vm->domid = domain->ref.domid;
    vm->tot = domain->tot;
    vm->target = domain->target;
}

static bool is_below_minimum(const struct run *run, const struct sim_domain *domain)
{
    const struct vm_entry *vm = pilot_vm(&run->pilot, domain->name);

    return vm && vm->domain && vm->domain->now.state == VM_RUNNING && !vm->domain->overridden &&
           vm->settings.mode != VM_MODE_IGNORED && domain->tot.v < vm->settings.minimum.v;
}

static void count_domain(struct run *run, const struct sim_domain *domain, int bin)
{
    struct replay_result *result = &run->result;
    struct run_vm *vm = find_vm(run, domain->name);
    double need = 0, unmet = 0;

    if (!vm)
        vm = add_vm(run, domain->name);
    count_moves(run, vm, domain);
    if (sim_domain_runs(domain)) {
        need = (double)domain->inside.need.v;
        unmet = (double)kib_excess(domain->inside.need, domain->tot).v;
        result->minimum_violations += is_below_minimum(run, domain);
    }
    vm->need += need;
    vm->unmet += unmet;
    result->need[bin] += need;
    result->unmet[bin] += unmet;
    result->assigned[bin] += (double)domain->tot.v;
    result->vm_assigned[vm->index * REPLAY_BINS + (size_t)bin] += (float)domain->tot.v;
}

static int bin_of(const struct run *run, int64_t ms)
{
    return (int)((ms - PASS_MS) * REPLAY_BINS / run->end_ms);
}

static void count_pass(struct run *run)
{
    const struct world *world = run->world;

    for (size_t i = 0; i < world->n_domains; i++)
        if (world->domains[i]->vm && !world->domains[i]->vm->stub && world->domains[i]->name[0])
            count_domain(run, world->domains[i], bin_of(run, run->now_ms));
    run->result.invariant_violations += pilot_status(&run->pilot)->invariant_broken;
    run->result.free_part += (double)world->free.v / (double)world->host.size.v;
    run->counts.passes++;
}

static void sum_up(struct run *run)
{
    struct replay_result *result = &run->result;
    int64_t in_bin[REPLAY_BINS] = {0};
    struct run_vm *vm, *next;

    for (int64_t ms = PASS_MS; ms <= run->end_ms; ms += PASS_MS)
        in_bin[bin_of(run, ms)]++;
    for (size_t bin = 0; bin < REPLAY_BINS; bin++) {
        double n = in_bin[bin] > 0 ? (double)in_bin[bin] : 1;

        result->assigned[bin] /= n;
        result->need[bin] /= n;
        result->unmet[bin] /= n;
        for (size_t i = 0; i < result->n_vms; i++)
            result->vm_assigned[i * REPLAY_BINS + bin] /= (float)n;
    }
    HASH_ITER (hh, run->vms, vm, next) {
        double part = vm->need > 0 ? vm->unmet / vm->need : 0;

        result->need_kib_s += vm->need * PASS_MS / 1000;
        result->unmet_kib_s += vm->unmet * PASS_MS / 1000;
        if (part > result->worst_vm) {
            result->worst_vm = part;
            result->worst_vm_index = vm->index;
        }
    }
    result->hours = (double)run->end_ms / 3600000;
    result->free_part /= (double)run->counts.passes;
    run->counts.guest_crashes = run->world->crashes;
    run->counts.oom_kills = run->world->oom_kills;
    run->counts.n_later = run->script.n_expectations - run->next_expectation;
}

/* --- what is expected ------------------------------------------------------------------------ */

static int64_t host_figure(const struct run *run, enum script_figure figure)
{
    const struct engine_status *status = pilot_status(&run->pilot);

    switch (figure) {
    case FIGURE_FREE:
        return run->world->free.v;
    case FIGURE_RESERVED:
        return status->unbound.v;
    case FIGURE_UNCOMMITTED:
        return status->uncommitted.v;
    case FIGURE_ASSIGNED:
        return status->assigned.v;
    case FIGURE_DEMAND:
        return status->demand.v;
    case FIGURE_CRASHES:
        return (int64_t)run->world->crashes;
    case FIGURE_OOM_KILLS:
        return (int64_t)run->world->oom_kills;
    case FIGURE_BROKEN:
        return (int64_t)run->result.invariant_violations;
    default:
        return (int64_t)run->result.changes;
    }
}

static int64_t domain_figure(const struct domain *domain, enum script_figure figure)
{
    switch (figure) {
    case FIGURE_ASSIGNED:
        return domain->now.assigned.v;
    case FIGURE_TARGET:
        return domain->now.target.v;
    case FIGURE_CAP:
        return domain->now.cap.v;
    case FIGURE_DEMAND:
        return domain->verdict.demand.v;
    case FIGURE_STATUS:
        return domain->verdict.status;
    default:
        return domain->verdict.state;
    }
}

/* As of the last pass; false where the daemon knows of no such domain. */
static bool vm_figure(struct run *run, const char *name, enum script_figure figure, int64_t *out)
{
    const struct reservation *reservation = pilot_reservation(&run->pilot, name);
    const struct vm_entry *entry = pilot_vm(&run->pilot, name);
    const struct run_vm *vm = find_vm(run, name);

    if (figure == FIGURE_CHANGES) {
        *out = vm ? (int64_t)vm->changes : 0;
        return true;
    }
    if (figure == FIGURE_RESERVATION) {
        *out = reservation ? (int64_t)reservation->state : SCRIPT_NO_RESERVATION;
        return true;
    }
    if (!entry || !entry->domain) {
        *out = VM_OFF;
        return figure == FIGURE_STATE;
    }
    *out = domain_figure(entry->domain, figure);
    return true;
}

static bool is_met(const struct script_expectation *expectation, int64_t found)
{
    switch (expectation->sign) {
    case '<':
        return found <= expectation->value;
    case '>':
        return found >= expectation->value;
    default:
        return found == expectation->value;
    }
}

static void hold_against(struct run *run, const struct script_expectation *expectation)
{
    struct run_miss miss = {.expectation = expectation, .exists = true};

    if (strcmp(expectation->name, SCRIPT_HOST) == 0)
        miss.found = host_figure(run, expectation->figure);
    else
        miss.exists = vm_figure(run, expectation->name, expectation->figure, &miss.found);
    if (!miss.exists || !is_met(expectation, miss.found))
        run->misses[run->counts.n_misses++] = miss;
}

static void hold_against_due(struct run *run)
{
    while (run->next_expectation < run->script.n_expectations) {
        const struct script_expectation *expectation =
            &run->script.expectations[run->next_expectation];

        if (expectation->at_ms > run->now_ms)
            return;
        hold_against(run, expectation);
        run->counts.n_expectations++;
        run->next_expectation++;
    }
}

/* --- all of it ------------------------------------------------------------------------------- */

static int pass(struct run *run, struct err *err)
{
    run->now_ms += PASS_MS;
    if (pilot_pass(&run->pilot, run->now_ms, err))
        return -1;
    world_advance(run->world, run->now_ms); /* while the daemon is dead nobody else does */
    count_pass(run);
    hold_against_due(run);
    return 0;
}

static int run_on(struct run *run, replay_progress *progress, void *context, struct err *err)
{
    int64_t planned_ms = run->script.end_ms + BEYOND_MS;

    run->end_ms = planned_ms > LEAST_MS ? planned_ms : LEAST_MS;
    if (run->options.for_ms > 0)
        run->end_ms = run->options.for_ms;
    run->end_ms = (run->end_ms + PASS_MS - 1) / PASS_MS * PASS_MS;
    while (run->now_ms < run->end_ms) {
        if (progress && run->counts.passes % PROGRESS_EVERY == 0)
            progress(context, (double)run->now_ms / (double)run->end_ms);
        if (pass(run, err))
            return -1;
    }
    sum_up(run);
    return 0;
}

int run_scenario(const char *file, const struct run_options *options, replay_progress *progress,
                 void *context, struct run **out, struct err *err)
{
    struct run *run = calloc(1, sizeof(*run));

    invariant(run);
    run->options = *options;
    run->result.policy = REPLAY_XENMEM;
    if (scenario_read(file, &run->world, &run->script, err)) {
        free(run);
        return -1;
    }
    run->misses = calloc(run->script.n_expectations + 1, sizeof(*run->misses));
    invariant(run->misses);
    if (pilot_begin(&run->pilot, run->world, &run->script, &options->faults, err) ||
        run_on(run, progress, context, err)) {
        run_free(run);
        return -1;
    }
    *out = run;
    return 0;
}

struct run *run_free(struct run *run)
{
    struct run_vm *vm, *next;

    pilot_end(&run->pilot);
    HASH_ITER (hh, run->vms, vm, next) {
        HASH_DEL(run->vms, vm);
        free(vm);
    }
    free(run->names.vms);
    replay_result_fini(&run->result);
    script_fini(&run->script);
    world_free(run->world);
    free(run->misses);
    free(run);
    return NULL;
}

const struct replay_result *run_result(const struct run *run)
{
    return &run->result;
}

const struct samples *run_names(const struct run *run)
{
    return &run->names;
}

struct run_counts run_counts(const struct run *run)
{
    return run->counts;
}

const struct run_miss *run_miss(const struct run *run, size_t index)
{
    return &run->misses[index];
}
