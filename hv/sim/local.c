/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated backend within one process: what tests drive through hours in milliseconds. */
#include <stdlib.h>

#include "base/err.h"
#include "base/invariant.h"
#include "hv/hv_ops.h"
#include "hv/sim/facts.h"
#include "hv/sim/fault.h"
#include "hv/sim/sim.h"
#include "hv/sim/step.h"
#include "hv/sim/world.h"
#include "hv/sim/write.h"

struct local {
    struct hv hv;
    struct world *world; /* the caller's */
    struct sim_look *look;
};

static struct local *local_of(struct hv *hv)
{
    return (struct local *)hv;
}

static void local_close(struct hv *hv)
{
    struct local *local = local_of(hv);

    sim_look_free(local->look);
    free(local);
}

static size_t local_fds(struct hv *hv, int fds[HV_MAX_FDS])
{
    (void)hv;
    (void)fds;
    return 0;
}

static int local_drain(struct hv *hv, unsigned *changes, struct err *err)
{
    struct world *world = local_of(hv)->world;

    (void)err;
    *changes = world->changes;
    world->changes = 0;
    return 0;
}

static int local_read(struct hv *hv, int64_t now_ms, struct hv_view *view, struct err *err)
{
    struct local *local = local_of(hv);
    struct world *world = local->world;
    enum sim_fault_how how;

    world_advance(world, now_ms);
    if (sim_fault_strikes(world, SIM_OP_READ, &how, err))
        return -1;
    world_show_host(world, &view->host);
    sim_look_begin(local->look, world->n_domains);
    for (size_t i = 0; i < world->n_domains; i++) {
        struct sim_facts facts;

        sim_facts_of(world->domains[i], 0, &facts);
        sim_look_take(local->look, &facts, now_ms);
    }
    sim_look_end(local->look, view);
    return 0;
}

static int local_set_target(struct hv *hv, const struct hv_ref *ref, struct kib target,
                            struct kib cap, struct err *err)
{
    struct local *local = local_of(hv);
    struct hv_domain *seen = sim_look_find(local->look, ref);

    if (!seen)
        return err_set(err, ERR_NOT_FOUND, "the domain is gone");
    if (world_set_target(local->world, ref, seen->target, target, cap, err))
        return -1;
    sim_look_wrote(seen, target, cap);
    return 0;
}

static int local_set_cap(struct hv *hv, const struct hv_ref *ref, struct kib cap, struct err *err)
{
    return world_set_cap(local_of(hv)->world, ref, cap, err);
}

static int local_adopt(struct hv *hv, const struct hv_ref *ref, struct err *err)
{
    struct local *local = local_of(hv);
    struct hv_domain *seen = sim_look_find(local->look, ref);

    if (!seen)
        return err_set(err, ERR_NOT_FOUND, "the domain is gone");
    return world_adopt_target(local->world, ref, seen->target, err);
}

static const struct hv_ops local_ops = {
    .kind = "simulated",
    .close = local_close,
    .fds = local_fds,
    .drain = local_drain,
    .read = local_read,
    .set_target = local_set_target,
    .set_cap = local_set_cap,
    .adopt_target = local_adopt,
};

void hv_sim_local_open(struct world *world, struct hv **out)
{
    struct local *local = calloc(1, sizeof(*local));

    invariant(local);
    local->hv.ops = &local_ops;
    local->world = world;
    local->look = sim_look_new();
    *out = &local->hv;
}
