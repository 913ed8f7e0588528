/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a daemon may do to a simulated domain, through the same gate as on Xen (hv/xen/xen_write.c).
 */
#include <string.h>

#include "base/err.h"
#include "hv/domain_state.h"
#include "hv/sim/fault.h"
#include "hv/sim/world.h"
#include "hv/sim/write.h"

/* The write gate: it is the same domain, and nothing goes on with it but running. */
static int check_gate(const struct world *world, const struct hv_ref *ref, struct sim_domain **out,
                      struct err *err)
{
    struct sim_domain *domain = world_find(world, ref->domid);

    if (!domain || memcmp(domain->ref.uuid, ref->uuid, sizeof(ref->uuid)) != 0)
        return err_set(err, ERR_NOT_FOUND, "the domain is gone");
    if (domain->phase != PHASE_RUNNING || domain->paused)
        return err_set(err, ERR_NOT_FOUND, "the domain is not running any more");
    if (!domain->vm || domain_name_migrates(domain->name))
        return err_set(err, ERR_NOT_FOUND, "the domain is not a VM in normal operation");
    if (domain->job != JOB_NONE)
        return err_set(err, ERR_NOT_FOUND, "the domain is being saved or migrated");
    if (domain->locked)
        return err_set(err, ERR_BUSY, "xl or libvirt works on this domain right now");
    *out = domain;
    return 0;
}

static int check_amount(struct kib amount, struct err *err)
{
    if (amount.v < 0 || amount.v > KIB_LIMIT)
        return err_set(err, ERR_INVALID, "an amount outside 0 to 1 PiB");
    return 0;
}

static void apply_target(struct world *world, struct sim_domain *domain, struct kib target,
                         struct kib cap)
{
    domain->cap = kib_floor(cap, KIB_PAGE);
    world_set_pod_target(world, domain, target);
    domain->target = domain->own = target;
    domain->has_own = true;
}

int world_set_target(struct world *world, const struct hv_ref *ref, struct kib expected,
                     struct kib target, struct kib cap, struct err *err)
{
    enum sim_fault_how how = SIM_FAULT_DONE;
    struct sim_domain *domain;
    bool fails;

    if (check_amount(target, err) || check_amount(cap, err) || check_gate(world, ref, &domain, err))
        return -1;
    if (domain->target.v != expected.v)
        return err_set(err, ERR_BUSY, "somebody else has just set the domain's target");
    if (domain->vm->type != SIM_PV && kib_add(target, CAP_SLACK).v > cap.v)
        return err_set(err, ERR_FAILED,
                       "set the domain's populate-on-demand target: Invalid argument");
    fails = sim_fault_strikes(world, SIM_OP_SET_TARGET, &how, err);
    if (how == SIM_FAULT_DONE)
        apply_target(world, domain, target, cap);
    else if (how == SIM_FAULT_HALF)
        domain->cap = kib_floor(cap, KIB_PAGE);
    return fails ? -1 : 0;
}

int world_set_cap(struct world *world, const struct hv_ref *ref, struct kib cap, struct err *err)
{
    enum sim_fault_how how = SIM_FAULT_DONE;
    struct sim_domain *domain;
    bool fails;

    if (check_amount(cap, err) || check_gate(world, ref, &domain, err))
        return -1;
    fails = sim_fault_strikes(world, SIM_OP_SET_CAP, &how, err);
    if (how == SIM_FAULT_DONE)
        domain->cap = kib_floor(cap, KIB_PAGE);
    return fails ? -1 : 0;
}

int world_adopt_target(struct world *world, const struct hv_ref *ref, struct kib seen,
                       struct err *err)
{
    enum sim_fault_how how = SIM_FAULT_DONE;
    struct sim_domain *domain;
    bool fails;

    if (check_amount(seen, err) || check_gate(world, ref, &domain, err))
        return -1;
    fails = sim_fault_strikes(world, SIM_OP_ADOPT_TARGET, &how, err);
    if (how == SIM_FAULT_DONE) {
        domain->own = seen;
        domain->has_own = true;
    }
    return fails ? -1 : 0;
}
