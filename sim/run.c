/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uthash.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/layers.h"
#include "daemon/options.h"
#include "daemon/registry.h"
#include "daemon/reservations.h"
#include "db/db.h"
#include "hv/hv_sim.h"
#include "hv/hv_sim_vm.h"
#include "hv/hv_sim_world.h"
#include "sim/scenario.h"
#include "sim/script.h"

#define PASS_MS        1000                   /* as the daemon's interval is if nobody sets it */
#define EPOCH_MS       INT64_C(1700000000000) /* when a run begins */
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
    char folder[64]; /* of the database; "" none was made */
    bool is_up;      /* the daemon is */
    struct daemon daemon;
    struct run_vm *vms;   /* by name */
    struct samples names; /* the same, in the order in which they came */
    struct replay_result result;
    struct run_counts counts;
    struct run_miss *misses; /* as many as there are expectations */
    size_t next_expectation;
    int64_t now_ms, end_ms;
    int64_t wall_ms; /* the daemon's wall clock: it began at some time, and moves with now_ms */
};

/* --- the daemon ------------------------------------------------------------------------------ */

static void database_of(const struct run *run, char *out, size_t room)
{
    snprintf(out, room, "%s/xenmem.db", run->folder);
}

static int make_folder(struct run *run, struct err *err)
{
    strcpy(run->folder, "/tmp/xenmem-run-XXXXXX");
    if (mkdtemp(run->folder))
        return 0;
    err_set_errno(err, ERR_FAILED, errno, "a folder for the database, %s", run->folder);
    run->folder[0] = '\0';
    return -1;
}

static void remove_folder(struct run *run)
{
    static const char *const files[] = {"xenmem.db", "xenmem.db-wal", "xenmem.db-shm",
                                        "xenmem.db.lock"};
    char path[128];

    if (!run->folder[0])
        return;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(path, sizeof(path), "%s/%s", run->folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(run->folder);
}

/* What the scenario says, as if it had been set. */
static void fill_layers(struct run *run)
{
    struct layers *layers = run->daemon.layers;
    struct layer *base = layers_find(layers, LAYER_ID_BASE);

    *layer_host(layers_find(layers, LAYER_ID_CONFIG)) = run->script.host;
    for (size_t i = 0; i < run->script.n_vms; i++)
        *layer_vm(base, run->script.vms[i].name) = run->script.vms[i].said;
    registry_resolve(run->daemon.registry, layers);
}

static int start_daemon(struct run *run, struct err *err)
{
    struct options_given given = {0};
    struct options *options;
    char database[128];
    struct hv *hv;

    database_of(run, database, sizeof(database));
    given.database = database;
    if (options_read(NULL, &options, err))
        return -1;
    if (options_give(options, &given, err)) {
        options_free(options);
        return -1;
    }
    options->log_level = LOG_LEVEL_ERROR;
    hv_sim_local_open(run->world, &hv);
    if (daemon_start_by_hand(&run->daemon, options, hv, &run->wall_ms, err))
        return -1;
    engine_switch_off(run->daemon.engine, &run->options.faults);
    fill_layers(run);
    run->is_up = true;
    return 0;
}

static void stop_daemon(struct run *run)
{
    if (run->is_up)
        daemon_stop(&run->daemon);
    run->is_up = false;
}

/* --- what the operator does ------------------------------------------------------------------ */

static void set(struct run *run, const struct script_command *command)
{
    bool of_host = strcmp(command->name, SCRIPT_HOST) == 0;
    struct setting_partial *said =
        of_host ? &run->script.host : script_find_vm(&run->script, command->name);

    for (unsigned key = 0; key < SETTINGS_MAX_KEYS; key++)
        if (setting_has(&command->said, key))
            setting_put(said, key, command->said.value[key]);
    if (!run->is_up)
        return;
    fill_layers(run);
    if (!of_host)
        (void)engine_clear_overrides(run->daemon.engine, command->name, NULL);
}

static const struct reservation *find_reservation(const struct run *run, const char *name)
{
    const struct reservation *it = reservations_first(run->daemon.reservations);

    while (it && strcmp(it->name, name) != 0)
        it = it->next;
    return it;
}

static void reserve(struct run *run, const struct script_command *command)
{
    const struct reservation_request request = {.name = command->name,
                                                .size = command->wish.size,
                                                .priority = command->wish.priority,
                                                .ttl_ms = command->wish.ttl_ms,
                                                .wait_ms = command->wish.wait_ms};

    if (run->is_up)
        reservations_ask(run->daemon.reservations, NULL, &request);
}

static void release(struct run *run, const struct script_command *command)
{
    const struct reservation *it = run->is_up ? find_reservation(run, command->name) : NULL;

    if (it)
        (void)reservations_release(run->daemon.reservations, it->id, NULL);
}

static int carry_out(struct run *run, const struct script_command *command, struct err *err)
{
    switch (command->deed) {
    case SCRIPT_SET:
        set(run, command);
        return 0;
    case SCRIPT_CLEAR:
        if (run->is_up)
            (void)engine_clear_overrides(run->daemon.engine, command->name, NULL);
        return 0;
    case SCRIPT_RESERVE:
        reserve(run, command);
        return 0;
    case SCRIPT_RELEASE:
        release(run, command);
        return 0;
    case SCRIPT_KILL:
        stop_daemon(run);
        return 0;
    default:
        return run->is_up ? 0 : start_daemon(run, err);
    }
}

static int carry_out_due(struct run *run, struct err *err)
{
    for (size_t i = 0; i < run->script.n_commands; i++) {
        struct script_command command = run->script.commands[i];

        if (command.due_ms > run->now_ms)
            continue;
        run->script.commands[i].due_ms =
            command.every_ms > 0 ? command.due_ms + command.every_ms : INT64_MAX;
        if (carry_out(run, &command, err))
            return -1;
    }
    return 0;
}

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
    if (vm->domid == domain->ref.domid && guest_runs(domain)) {
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
    const struct vm_entry *vm =
        run->is_up ? registry_find(run->daemon.registry, domain->name) : NULL;

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
    if (guest_runs(domain)) {
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
    if (run->is_up && engine_status(run->daemon.engine)->invariant_broken)
        run->result.invariant_violations++;
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
}

/* --- what is expected ------------------------------------------------------------------------ */

static int64_t host_figure(const struct run *run, enum script_figure figure)
{
    static const struct engine_status nothing;
    const struct engine_status *status = run->is_up ? engine_status(run->daemon.engine) : &nothing;

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
    const struct vm_entry *entry = run->is_up ? registry_find(run->daemon.registry, name) : NULL;
    const struct run_vm *vm = find_vm(run, name);

    if (figure == FIGURE_CHANGES) {
        *out = vm ? (int64_t)vm->changes : 0;
        return true;
    }
    if (figure == FIGURE_RESERVATION) {
        const struct reservation *it = run->is_up ? find_reservation(run, name) : NULL;

        *out = it ? (int64_t)it->state : SCRIPT_NO_RESERVATION;
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

static bool is_saving(const struct run *run)
{
    const struct reservation *it = reservations_first(run->daemon.reservations);

    while (it && it->state != RESERVATION_SAVING)
        it = it->next;
    return it != NULL;
}

/* The disk takes no virtual time: what is on its way is there before the next pass. */
static void await_database(struct run *run)
{
    struct pollfd fd = {.fd = db_fd(run->daemon.db), .events = POLLIN};

    db_dispatch(run->daemon.db);
    while (is_saving(run)) {
        (void)poll(&fd, 1, -1);
        db_dispatch(run->daemon.db);
    }
}

static int pass(struct run *run, struct err *err)
{
    run->now_ms += PASS_MS;
    run->wall_ms += PASS_MS;
    if (carry_out_due(run, err))
        return -1;
    if (run->is_up) {
        if (engine_tick(run->daemon.engine, run->now_ms, err))
            return -1;
        await_database(run);
    }
    world_advance(run->world, run->now_ms);
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
    run->wall_ms = EPOCH_MS;
    run->result.policy = REPLAY_XENMEM;
    if (scenario_read(file, &run->world, &run->script, err)) {
        free(run);
        return -1;
    }
    run->misses = calloc(run->script.n_expectations + 1, sizeof(*run->misses));
    invariant(run->misses);
    if (make_folder(run, err) || start_daemon(run, err) || run_on(run, progress, context, err)) {
        run_free(run);
        return -1;
    }
    *out = run;
    return 0;
}

struct run *run_free(struct run *run)
{
    struct run_vm *vm, *next;

    stop_daemon(run);
    remove_folder(run);
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
