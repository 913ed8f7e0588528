/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes on inside guests: they need memory, their balloons follow targets as Linux' driver
 * does, and what gets too little dies. */
#include "hv/sim/guest.h"
#include "base/err.h"
#include "hv/sim/tell.h"
#include "hv/sim/world.h"

#define RETRY_MS      INT64_C(1000)    /* first wait of a balloon that failed; doubled each time */
#define RETRIES       4                /* so often; then it sleeps */
#define SLEEP_MS      INT64_C(3600000) /* unless the target changes */
#define SQUEEZED_MS   2000             /* a guest pushed below its need survives so long */
#define RESTART_MS    60000            /* what the OOM killer killed comes back after */
#define PV_MOST_TIMES 10               /* PV Linux grows to so much of its boot memory */
#define CRASHED       3

void guest_begin(struct world *world, struct sim_domain *domain)
{
    struct kib most = kib_add(domain->static_max, domain->vm->offset);

    if (domain->vm->type == SIM_PV)
        most = kib_min(most, kib(domain->tot.v * PV_MOST_TIMES));
    domain->inside = (struct sim_inside){
        .ready_ms = world->now_ms + domain->vm->boot_ms,
        .boot_max = kib_sub(most, domain->vm->videoram),
        .noticed = kib(-1),
        .starved_ms = INT64_MAX,
        .oom_limit = kib(KIB_LIMIT),
        .oom_until_ms = INT64_MAX,
    };
}

static void crash(struct world *world, struct sim_domain *domain, const char *why)
{
    char tot[UNITS_TEXT], need[UNITS_TEXT];

    world->crashes++;
    world_note(world, "%s crashed: %s (it had %s and needed %s)", domain->name, why,
               kib_format(domain->tot, tot), kib_format(domain->inside.need, need));
    world_shut_down(world, domain, CRASHED);
}

/* --- need --- */

static void update_need(struct world *world, struct sim_domain *domain)
{
    struct sim_inside *inside = &domain->inside;
    struct kib need = sim_vm_need(domain->vm, world->host.seed, world->now_ms);

    if (world->now_ms >= inside->oom_until_ms || need.v <= inside->oom_limit.v) {
        inside->oom_limit = kib(KIB_LIMIT);
        inside->oom_until_ms = INT64_MAX;
    }
    if (world->now_ms < inside->ready_ms)
        need = kib_min(need, domain->tot);
    inside->need = kib_min(need, inside->oom_limit);
}

/* --- balloon --- */

static struct kib ceiling_of(const struct sim_domain *domain)
{
    return domain->vm->ceiling.v > 0 ? domain->vm->ceiling : domain->inside.boot_max;
}

/* Pages that the driver works towards. */
static struct kib goal_of(const struct sim_domain *domain)
{
    if (domain->vm->deflate)
        return ceiling_of(domain);
    return kib_floor(kib_add(domain->inside.noticed, domain->vm->offset), KIB_PAGE);
}

/* Below that it finds no page that it could give: the rest is in use. */
static struct kib lowest_of(const struct sim_domain *domain)
{
    struct kib used = kib_excess(domain->inside.need, domain->vm->swap);

    return kib_ceil(kib_max(used, domain->vm->floor), KIB_PAGE);
}

/* A new target wakes the driver; the same one written again does not. */
static void notice_target(struct sim_domain *domain)
{
    struct sim_inside *inside = &domain->inside;

    if (inside->noticed.v == domain->target.v)
        return;
    inside->noticed = domain->target;
    inside->failures = 0;
    inside->retry_ms = 0;
}

static bool balloon_works(const struct world *world, const struct sim_domain *domain)
{
    return domain->vm->balloon && world->now_ms >= domain->inside.ready_ms &&
           !sim_vm_is_stuck(domain->vm, world->now_ms);
}

/* moved of wanted: none is a failure, after which it waits. */
static void note_progress(const struct world *world, struct sim_inside *inside, struct kib moved,
                          struct kib wanted)
{
    if (moved.v < wanted.v)
        inside->budget = 0;
    if (moved.v > 0 || wanted.v == 0) {
        inside->failures = moved.v > 0 ? 0 : inside->failures;
        return;
    }
    inside->retry_ms =
        world->now_ms + (inside->failures < RETRIES ? RETRY_MS << inside->failures : SLEEP_MS);
    inside->failures++;
}

/* Pages that were never populated go first: the driver does not know them from others. */
static void shrink(struct world *world, struct sim_domain *domain, struct kib wanted)
{
    struct kib unpopulated = kib_min(wanted, domain->pod);
    struct kib given =
        kib_min(kib_sub(wanted, unpopulated), kib_excess(domain->tot, lowest_of(domain)));

    domain->pod = kib_sub(domain->pod, unpopulated);
    world_release(world, domain, given);
    note_progress(world, &domain->inside, kib_add(unpopulated, given), wanted);
}

static void grow(struct world *world, struct sim_domain *domain, struct kib wanted)
{
    struct kib room = kib_excess(ceiling_of(domain), domain->tot);
    struct kib got = world_allocate(world, domain, kib_min(wanted, room));

    note_progress(world, &domain->inside, got, wanted);
}

/* One step of one balloon, in one direction. */
static void move_balloon(struct world *world, struct sim_domain *domain, bool growing)
{
    struct sim_inside *inside = &domain->inside;
    struct kib distance, wanted;

    if (!balloon_works(world, domain))
        return;
    notice_target(domain);
    distance = kib_sub(goal_of(domain), kib_add(domain->tot, domain->pod));
    if (distance.v == 0 || (distance.v > 0) != growing ||
        (world->now_ms < inside->retry_ms && !domain->vm->deflate))
        return;
    wanted = kib_min(world_budget(domain->vm->balloon_rate, world->host.step_ms, &inside->budget),
                     kib(distance.v < 0 ? -distance.v : distance.v));
    if (growing)
        grow(world, domain, wanted);
    else
        shrink(world, domain, wanted);
}

/* --- too little --- */

static void kill_somebody(struct world *world, struct sim_domain *domain)
{
    struct sim_inside *inside = &domain->inside;

    inside->oom_kills++;
    world->oom_kills++;
    inside->oom_limit = kib_scale(kib_add(domain->tot, domain->vm->swap), 3, 4);
    inside->oom_until_ms = world->now_ms + RESTART_MS;
    inside->starved_ms = INT64_MAX;
    world_note(world, "%s: its kernel killed a process for want of memory", domain->name);
}

/* True where the balloon still wants pages, and all that are left are in use. */
static bool is_squeezed(const struct world *world, const struct sim_domain *domain)
{
    struct kib used = kib_excess(domain->inside.need, domain->vm->swap);

    return balloon_works(world, domain) && domain->inside.noticed.v >= 0 &&
           goal_of(domain).v < domain->tot.v && domain->tot.v <= kib_ceil(used, KIB_PAGE).v;
}

static void judge(struct world *world, struct sim_domain *domain)
{
    struct sim_inside *inside = &domain->inside;
    struct kib most = kib_add(domain->tot, domain->vm->swap);
    bool squeezed = is_squeezed(world, domain);

    inside->swapped = kib_clamp(kib_sub(inside->need, domain->tot), kib(0), domain->vm->swap);
    if (domain->pod.v > 0 && inside->need.v > domain->tot.v) {
        crash(world, domain, "it touched more than Xen keeps for it before its balloon had grown");
        return;
    }
    if (!squeezed && inside->need.v <= most.v) {
        inside->starved_ms = INT64_MAX;
        return;
    }
    if (inside->starved_ms == INT64_MAX)
        inside->starved_ms = world->now_ms;
    if (squeezed && world->now_ms - inside->starved_ms >= SQUEEZED_MS)
        crash(world, domain, "its balloon was pushed below what it needs");
    else if (!squeezed && world->now_ms - inside->starved_ms >= domain->vm->oom_ms)
        kill_somebody(world, domain);
}

void guest_settle(struct world *world, struct sim_domain *domain)
{
    domain->pod = kib(0);
    domain->ran = true;
    domain->inside.ready_ms = world->now_ms;
    update_need(world, domain);
    judge(world, domain);
    guest_tell_one(world, domain);
}

void guest_step(struct world *world)
{
    for (size_t i = 0; i < world->n_domains; i++) {
        struct sim_domain *domain = world->domains[i];

        if (!sim_domain_runs(domain))
            continue;
        domain->ran = true;
        update_need(world, domain);
        move_balloon(world, domain, false);
    }
    /* What some gave back, others may have. */
    for (size_t i = 0; i < world->n_domains; i++) {
        struct sim_domain *domain = world->domains[i];

        if (!sim_domain_runs(domain))
            continue;
        move_balloon(world, domain, true);
        judge(world, domain);
    }
}
