/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds, destroys, saves and reboots domains the way xl and libxl do, one step after the other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "hv/sim/guest.h"
#include "hv/sim/toolstack.h"
#include "hv/sim/world.h"

#define UNPAUSE_MS 200  /* from introduced to running */
#define DYING_MS   100  /* until the hypervisor shows that a domain dies */
#define REBUILD_MS 2000 /* xl sleeps between destroying and building a rebooting guest */
#define INCOMING   "--incoming"
#define SUSPEND_MS 300 /* until a guest that is saved or migrated stands still */

enum { REASON_POWEROFF = 0, REASON_REBOOT = 1, REASON_SUSPEND = 2, REASON_CRASH = 3 };

static void make_uuid(struct world *world, uint8_t uuid[16])
{
    for (int half = 0; half < 2; half++) {
        uint64_t bits = sim_random(world->host.seed, world->uuids++);

        memcpy(uuid + half * 8, &bits, 8);
    }
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

static void set_claim(struct world *world, struct sim_domain *domain, struct kib claim)
{
    world->claimed = kib_add(kib_sub(world->claimed, domain->claim), claim);
    domain->claim = claim;
}

/* What is to be built, and of how much. */
struct build {
    const char *name;
    const struct sim_vm *vm;
    const uint8_t *uuid; /* NULL: a new one */
    struct kib memory, maxmem;
};

/* Pages of a domain with that memory, as it boots. */
static struct kib pages_of(const struct build *build)
{
    return kib_add(kib_sub(build->memory, build->vm->videoram), build->vm->offset);
}

static int check_build(const struct world *world, const struct build *build, struct err *err)
{
    struct kib want = kib_add(pages_of(build), sim_vm_pool(build->vm));
    char text[UNITS_TEXT], have[UNITS_TEXT];

    if (world_find_name(world, build->name))
        return err_set(err, ERR_INVALID, "Domain with name \"%s\" already exists.", build->name);
    if (world->n_domains >= WORLD_MAX_DOMAINS)
        return err_set(err, ERR_FAILED, "more than %d domains", WORLD_MAX_DOMAINS);
    if (want.v > world_unclaimed(world).v)
        return err_set(err, ERR_NO_MEMORY,
                       "xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory "
                       "(the simulated host has %s left, %s are wanted)",
                       kib_format(world_unclaimed(world), have), kib_format(want, text));
    return 0;
}

/* As libxl does: the cap first, then the claim; the pages come as time passes. */
static int begin_build(struct world *world, const struct build *build, struct sim_domain **out,
                       struct err *err)
{
    struct sim_domain *domain;

    if (check_build(world, build, err)) {
        world->next_domid++; /* it was there, for a moment */
        return -1;
    }
    domain = world_add_domain(world);
    snprintf(domain->name, sizeof(domain->name), "%s", build->name);
    domain->vm = build->vm;
    if (build->uuid)
        memcpy(domain->ref.uuid, build->uuid, sizeof(domain->ref.uuid));
    else
        make_uuid(world, domain->ref.uuid);
    domain->paused = true;
    domain->build_to = pages_of(build);
    domain->build_target = kib_sub(build->memory, build->vm->videoram);
    domain->build_max = build->maxmem;
    domain->cap = kib_add(build->memory, CAP_SLACK);
    domain->pool = sim_vm_pool(build->vm);
    world->free = kib_sub(world->free, domain->pool);
    set_claim(world, domain, domain->build_to);
    if (build->vm->type != SIM_PV)
        domain->pod = kib_sub(build->maxmem, build->memory);
    *out = domain;
    return 0;
}

int toolstack_create(struct world *world, const struct sim_vm *vm, enum sim_create how,
                     struct sim_domain **out, struct err *err)
{
    struct build build = {vm->name, vm, NULL, vm->memory, vm->maxmem};
    char name[HV_NAME_MAX];

    if (how == CREATE_RECEIVE) {
        snprintf(name, sizeof(name), "%.60s" INCOMING, vm->name);
        build.name = name;
    }
    if (begin_build(world, &build, out, err))
        return -1;
    (*out)->keep_paused = how == CREATE_PAUSED;
    (*out)->arriving = how == CREATE_RECEIVE;
    return 0;
}

static void introduce(struct world *world, struct sim_domain *domain)
{
    set_claim(world, domain, kib(0));
    domain->introduced = true;
    domain->target = domain->build_target;
    domain->static_max = domain->build_max;
    domain->phase = PHASE_BUILT;
    domain->phase_ms = domain->keep_paused ? INT64_MAX : world->now_ms + UNPAUSE_MS;
    domain->budget = 0;
    world->changes |= HV_DOMAINS;
}

/* It gets its own name; one that somebody else named meanwhile keeps that. */
static void drop_incoming(struct world *world, struct sim_domain *domain)
{
    char *suffix = strstr(domain->name, INCOMING);

    if (suffix)
        *suffix = '\0';
    world->changes |= HV_DOMAINS;
}

void toolstack_unpause(struct world *world, struct sim_domain *domain)
{
    domain->paused = false;
    if (domain->phase != PHASE_BUILT)
        return;
    if (domain->arriving)
        drop_incoming(world, domain);
    domain->phase = PHASE_RUNNING;
    domain->phase_ms = INT64_MAX;
    guest_begin(world, domain);
}

int toolstack_settle(struct world *world, const struct sim_vm *vm, struct err *err)
{
    const struct build build = {vm->name, vm, NULL, vm->memory, vm->maxmem};
    struct sim_domain *domain;

    if (begin_build(world, &build, &domain, err))
        return -1;
    (void)world_allocate(world, domain, domain->build_to);
    introduce(world, domain);
    toolstack_unpause(world, domain);
    guest_settle(world, domain);
    return 0;
}

void toolstack_destroy(struct world *world, struct sim_domain *domain)
{
    set_claim(world, domain, kib(0));
    domain->phase = PHASE_TEARDOWN;
    domain->phase_ms = world->now_ms + DYING_MS;
    domain->job = JOB_NONE;
    domain->paused = true;
    domain->introduced = false;
    domain->target = domain->static_max = domain->own = domain->pod = kib(0);
    domain->has_own = false;
    domain->budget = 0;
    world->changes |= HV_DOMAINS;
}

/* How long a domain takes to be written or sent. */
static int64_t transfer_ms(const struct world *world, const struct sim_domain *domain)
{
    return domain->tot.v * 1000 / world->host.save_rate.v;
}

void toolstack_save(struct world *world, struct sim_domain *domain, enum sim_job job)
{
    int64_t live_ms = job == JOB_MIGRATE ? transfer_ms(world, domain) : 0;

    domain->job = job;
    domain->phase_ms = world->now_ms + live_ms + SUSPEND_MS;
}

/* A guest that is saved has stopped; a migrated one already runs elsewhere. */
static void suspend(struct world *world, struct sim_domain *domain)
{
    world_shut_down(world, domain, REASON_SUSPEND);
    if (domain->job == JOB_MIGRATE)
        snprintf(domain->name + strlen(domain->name), sizeof(domain->name) - strlen(domain->name),
                 "--migratedaway");
    else
        domain->phase_ms = world->now_ms + transfer_ms(world, domain);
}

static void resume(struct world *world, struct sim_domain *domain)
{
    domain->phase = PHASE_RUNNING;
    domain->phase_ms = INT64_MAX;
    domain->job = JOB_NONE;
    domain->shutdown_reason = 0;
    world->changes |= HV_DOMAINS;
}

static void plan_rebuild(struct world *world, const struct sim_domain *domain)
{
    struct sim_rebuild *rebuild;

    world->rebuilds = realloc(world->rebuilds, (world->n_rebuilds + 1) * sizeof(*world->rebuilds));
    invariant(world->rebuilds);
    rebuild = &world->rebuilds[world->n_rebuilds++];
    *rebuild = (struct sim_rebuild){
        .vm = domain->vm,
        .memory = kib_add(domain->target, domain->vm->videoram),
        .maxmem = domain->static_max,
        .domid = domain->ref.domid,
        .due_ms = INT64_MAX,
    };
    memcpy(rebuild->name, domain->name, sizeof(rebuild->name));
    memcpy(rebuild->uuid, domain->ref.uuid, sizeof(rebuild->uuid));
}

/* xl has noticed that the guest went down. */
static void follow_shutdown(struct world *world, struct sim_domain *domain)
{
    bool crashed = domain->shutdown_reason == REASON_CRASH;

    if (domain->shutdown_reason == REASON_SUSPEND && domain->job == JOB_CHECKPOINT) {
        resume(world, domain);
        return;
    }
    if (crashed && domain->vm->on_crash == SIM_CRASH_PRESERVE) {
        domain->phase_ms = INT64_MAX;
        return;
    }
    if (domain->shutdown_reason == REASON_REBOOT ||
        (crashed && domain->vm->on_crash == SIM_CRASH_RESTART))
        plan_rebuild(world, domain);
    toolstack_destroy(world, domain);
}

static void build(struct world *world, struct sim_domain *domain)
{
    struct kib step = world_budget(world->host.build_rate, world->host.step_ms, &domain->budget);

    (void)world_allocate(world, domain, kib_min(step, kib_sub(domain->build_to, domain->tot)));
    if (domain->tot.v == domain->build_to.v)
        introduce(world, domain);
}

/* xl's own destruction has come to its end, and xl sleeps; what a zombie keeps does not hold it up.
 */
static void time_rebuild(struct world *world, const struct sim_domain *domain)
{
    for (size_t i = 0; i < world->n_rebuilds; i++)
        if (world->rebuilds[i].domid == domain->ref.domid && world->rebuilds[i].due_ms == INT64_MAX)
            world->rebuilds[i].due_ms = world->now_ms + REBUILD_MS;
}

/* Returns true once nothing of it is left. */
static bool tear_down(struct world *world, struct sim_domain *domain)
{
    struct kib left = domain->vm->zombie;
    struct kib step;

    if (world->now_ms < domain->phase_ms)
        return false;
    domain->dying = true;
    world->free = kib_add(world->free, domain->pool);
    domain->pool = kib(0);
    step = world_budget(world->host.teardown_rate, world->host.step_ms, &domain->budget);
    world_release(world, domain, kib_min(step, kib_excess(domain->tot, left)));
    if (domain->tot.v <= left.v)
        time_rebuild(world, domain);
    return domain->tot.v == 0;
}

/* Returns true once the domain is gone. */
static bool step_domain(struct world *world, struct sim_domain *domain)
{
    if (domain->phase == PHASE_BUILDING) {
        build(world, domain);
        return false;
    }
    if (domain->phase == PHASE_TEARDOWN)
        return tear_down(world, domain);
    if (world->now_ms < domain->phase_ms)
        return false;
    if (domain->phase == PHASE_BUILT)
        toolstack_unpause(world, domain);
    else if (domain->phase == PHASE_RUNNING)
        suspend(world, domain);
    else
        follow_shutdown(world, domain);
    return false;
}

static void step_domains(struct world *world)
{
    size_t kept = 0;

    for (size_t i = 0; i < world->n_domains; i++) {
        struct sim_domain *domain = world->domains[i];

        if (step_domain(world, domain)) {
            world->changes |= HV_DOMAINS;
            free(domain);
        } else {
            world->domains[kept++] = domain;
        }
    }
    world->n_domains = kept;
}

/* Whoever took the memory meanwhile: without it the VM is lost, as with xl. */
static void rebuild_one(struct world *world, const struct sim_rebuild *rebuild)
{
    const struct build build = {rebuild->name, rebuild->vm, rebuild->uuid, rebuild->memory,
                                rebuild->maxmem};
    struct sim_domain *domain;
    struct err err;

    if (begin_build(world, &build, &domain, &err))
        world_note(world, "%s is lost: it could not be built again: %s", rebuild->name, err.text);
}

static void step_rebuilds(struct world *world)
{
    size_t kept = 0;

    for (size_t i = 0; i < world->n_rebuilds; i++) {
        if (world->now_ms >= world->rebuilds[i].due_ms)
            rebuild_one(world, &world->rebuilds[i]);
        else
            world->rebuilds[kept++] = world->rebuilds[i];
    }
    world->n_rebuilds = kept;
}

void toolstack_step(struct world *world)
{
    step_domains(world);
    step_rebuilds(world);
}

int toolstack_set_memory(struct world *world, struct sim_domain *domain, struct kib memory,
                         struct err *err)
{
    struct kib target = kib_sub(memory, domain->vm->videoram);

    if (memory.v > domain->static_max.v)
        return err_set(err, ERR_INVALID,
                       "memory_dynamic_max must be less than or equal to memory_static_max");
    if (target.v < 0)
        return err_set(err, ERR_INVALID, "new target %" PRId64 " for domain is below zero",
                       target.v);
    domain->cap = kib_min(kib_add(memory, CAP_SLACK), kib(KIB_LIMIT));
    world_set_pod_target(world, domain, target);
    domain->target = target;
    return 0;
}

int toolstack_set_maxmem(struct world *world, struct sim_domain *domain, struct kib maxmem,
                         struct err *err)
{
    (void)world; /* nobody's memory moves: it is called as toolstack_set_memory is */
    if (maxmem.v < kib_add(domain->target, domain->vm->videoram).v)
        return err_set(err, ERR_INVALID,
                       "memory_static_max must be greater than or or equal to memory_dynamic_max");
    domain->cap = kib_min(kib_add(maxmem, CAP_SLACK), kib(KIB_LIMIT));
    domain->static_max = maxmem;
    return 0;
}
