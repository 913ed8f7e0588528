/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define NOTICE_MS 200 /* until xl notices that a guest went down */

void world_host_init(struct world_host *host)
{
    *host = (struct world_host){
        .size = kib_gib(32),
        .heap = kib_mib(128),
        .dom0 = kib_gib(2),
        .low_memory = kib_mib(64),
        .build_rate = kib_gib(2),
        .teardown_rate = kib_gib(8),
        .save_rate = kib_mib(512),
        .nodes = 1,
        .step_ms = 100,
        .seed = 1,
    };
}

static int check_host(const struct world_host *host, struct err *err)
{
    struct kib taken = kib_add(host->heap, host->dom0);
    char have[UNITS_TEXT], want[UNITS_TEXT];

    if (host->dom0.v < KIB_PAGE)
        return err_set(err, ERR_INVALID, "dom0 has no memory");
    if (taken.v > host->size.v)
        return err_set(err, ERR_INVALID, "a host of %s cannot hold Xen and dom0, which take %s",
                       kib_format(host->size, have), kib_format(taken, want));
    if (host->dom0_cap.v > 0 && host->dom0_cap.v < host->dom0.v)
        return err_set(err, ERR_INVALID, "dom0's cap %s is below its memory %s",
                       kib_format(host->dom0_cap, have), kib_format(host->dom0, want));
    return 0;
}

struct sim_domain *world_add_domain(struct world *world)
{
    struct sim_domain *domain = calloc(1, sizeof(*domain));

    if (world->n_domains == world->domains_room) {
        world->domains_room = world->domains_room ? world->domains_room * 2 : 16;
        world->domains = realloc(world->domains, world->domains_room * sizeof(struct sim_domain *));
    }
    invariant(domain && world->domains);
    domain->ref.domid = world->next_domid++;
    domain->begun_ms = world->now_ms;
    domain->phase_ms = INT64_MAX;
    world->domains[world->n_domains++] = domain;
    world->changes |= HV_DOMAINS;
    return domain;
}

/* Its uuid is all zero, as on Xen. */
static void add_dom0(struct world *world)
{
    const struct world_host *host = &world->host;
    struct sim_domain *domain = world_add_domain(world);

    snprintf(domain->name, sizeof(domain->name), "Domain-0");
    domain->phase = PHASE_RUNNING;
    domain->introduced = domain->ran = true;
    domain->cap = kib_floor(kib_max(host->dom0_cap, host->dom0), KIB_PAGE);
    domain->cap_unlimited = host->dom0_unlimited;
    domain->target = kib_floor(host->dom0, KIB_PAGE);
    domain->static_max = domain->cap;
    (void)world_allocate(world, domain, domain->target);
}

int world_new(const struct world_host *host, struct world **out, struct err *err)
{
    struct world *world;

    if (check_host(host, err))
        return -1;
    world = calloc(1, sizeof(*world));
    invariant(world);
    world->host = *host;
    world->free = kib_floor(kib_sub(host->size, host->heap), KIB_PAGE);
    world->low_threshold = host->low_memory;
    add_dom0(world);
    *out = world;
    return 0;
}

struct world *world_free(struct world *world)
{
    if (!world)
        return NULL;
    for (size_t i = 0; i < world->n_domains; i++)
        free(world->domains[i]);
    for (size_t i = 0; i < world->n_vms; i++) {
        sim_vm_fini(world->vms[i]);
        free(world->vms[i]);
    }
    for (size_t i = 0; i < world->n_events; i++)
        free(world->events[i].line);
    free(world->domains);
    free(world->vms);
    free(world->rebuilds);
    free(world->events);
    free(world);
    return NULL;
}

void world_note(struct world *world, const char *format, ...)
{
    struct sim_note *note = &world->notes[world->n_notes++ % WORLD_NOTES];
    va_list args;

    note->ms = world->now_ms;
    va_start(args, format);
    vsnprintf(note->text, sizeof(note->text), format, args);
    va_end(args);
}

/* --- configurations --- */

static bool is_used(const struct world *world, const struct sim_vm *vm)
{
    for (size_t i = 0; i < world->n_domains; i++)
        if (world->domains[i]->vm == vm)
            return true;
    for (size_t i = 0; i < world->n_rebuilds; i++)
        if (world->rebuilds[i].vm == vm)
            return true;
    return false;
}

static struct sim_vm *find_vm(const struct world *world, const char *name)
{
    for (size_t i = world->n_vms; i > 0; i--)
        if (strcmp(world->vms[i - 1]->name, name) == 0)
            return world->vms[i - 1];
    return NULL;
}

const struct sim_vm *world_find_vm(const struct world *world, const char *name)
{
    return find_vm(world, name);
}

struct sim_vm *world_take_vm(struct world *world, struct sim_vm *vm)
{
    struct sim_vm *place = find_vm(world, vm->name);

    if (place && !is_used(world, place)) {
        sim_vm_fini(place);
    } else {
        place = malloc(sizeof(*place));
        world->vms = realloc(world->vms, (world->n_vms + 1) * sizeof(struct sim_vm *));
        invariant(place && world->vms);
        world->vms[world->n_vms++] = place;
    }
    *place = *vm;
    *vm = (struct sim_vm){0};
    return place;
}

int world_change_vm(struct world *world, const struct sim_vm *vm, const char *key,
                    const char *value, struct err *err)
{
    struct sim_vm changed;
    size_t at = 0;

    if (!sim_vm_key_is_inside(key))
        return err_set(err, ERR_INVALID, "'%.40s' is nothing inside a VM that can be changed", key);
    while (world->vms[at] != vm)
        at++;
    sim_vm_copy(vm, &changed);
    if (sim_vm_set(&changed, key, value, err) || sim_vm_complete(&changed, err)) {
        sim_vm_fini(&changed);
        return -1;
    }
    sim_vm_fini(world->vms[at]);
    *world->vms[at] = changed;
    return 0;
}

/* --- domains --- */

struct sim_domain *world_find(const struct world *world, uint32_t domid)
{
    size_t low = 0, high = world->n_domains;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (world->domains[middle]->ref.domid < domid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == world->n_domains || world->domains[low]->ref.domid != domid)
        return NULL;
    return world->domains[low];
}

struct sim_domain *world_find_name(const struct world *world, const char *name)
{
    for (size_t i = 0; i < world->n_domains; i++)
        if (world->domains[i]->phase != PHASE_TEARDOWN &&
            strcmp(world->domains[i]->name, name) == 0)
            return world->domains[i];
    return NULL;
}

bool sim_domain_runs(const struct sim_domain *domain)
{
    return domain->vm && domain->phase == PHASE_RUNNING && !domain->paused;
}

void world_shut_down(struct world *world, struct sim_domain *domain, int32_t reason)
{
    domain->phase = PHASE_DOWN;
    domain->phase_ms = world->now_ms + NOTICE_MS;
    domain->shutdown_reason = reason;
    world->changes |= HV_DOMAINS;
}

void world_show_host(const struct world *world, struct hv_host *out)
{
    const struct world_host *host = &world->host;

    *out = (struct hv_host){
        .total = host->size,
        .free = world->free,
        .claimed = world->claimed,
        .shared = host->shared,
        .n_nodes = (size_t)host->nodes,
    };
    for (size_t i = 0; i < out->n_nodes; i++)
        out->nodes[i] =
            (struct hv_node){kib(host->size.v / host->nodes), kib(world->free.v / host->nodes)};
}

/* --- pages --- */

struct kib world_unclaimed(const struct world *world)
{
    return kib_excess(world->free, world->claimed);
}

struct kib world_allocate(struct world *world, struct sim_domain *domain, struct kib amount)
{
    struct kib reach = kib_add(world_unclaimed(world), domain->claim);
    struct kib claimed;

    if (!domain->cap_unlimited)
        amount = kib_min(amount, kib_excess(domain->cap, domain->tot));
    amount = kib_floor(kib_max(kib_min(amount, reach), kib(0)), KIB_PAGE);
    claimed = kib_min(amount, domain->claim);
    domain->claim = kib_sub(domain->claim, claimed);
    world->claimed = kib_sub(world->claimed, claimed);
    domain->tot = kib_add(domain->tot, amount);
    world->free = kib_sub(world->free, amount);
    return amount;
}

void world_release(struct world *world, struct sim_domain *domain, struct kib amount)
{
    invariant(amount.v >= 0 && amount.v <= domain->tot.v && amount.v % KIB_PAGE == 0);
    domain->tot = kib_sub(domain->tot, amount);
    world->free = kib_add(world->free, amount);
}

void world_set_pod_target(struct world *world, struct sim_domain *domain, struct kib target)
{
    struct kib pages = kib_floor(kib_add(target, domain->vm->offset), KIB_PAGE);
    struct kib used = kib_ceil(domain->inside.need, KIB_PAGE);

    if (domain->pod.v > 0)
        world_release(world, domain, kib_excess(domain->tot, kib_max(pages, used)));
}

struct kib world_budget(struct kib rate, int64_t step_ms, int64_t *budget)
{
    struct kib now;

    invariant(!__builtin_add_overflow(*budget, rate.v * step_ms, budget));
    now = kib_floor(kib(*budget / 1000), KIB_PAGE);
    *budget -= now.v * 1000;
    return now;
}

/* --- what is to come --- */

/* Behind those of the same time, so that they keep their order. */
void world_plan(struct world *world, int64_t due_ms, int64_t every_ms, const char *line)
{
    char *copy = strdup(line);
    size_t at = world->n_events++;

    world->events = realloc(world->events, world->n_events * sizeof(*world->events));
    invariant(copy && world->events);
    for (; at > 0 && world->events[at - 1].due_ms > due_ms; at--)
        world->events[at] = world->events[at - 1];
    world->events[at] = (struct sim_event){due_ms, every_ms, copy};
}
