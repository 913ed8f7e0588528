/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/snapshot.h"

#include "daemon/registry.h"

#define AGENT_FRESH_MS     INT64_C(30000)  /* three heartbeats */
#define XENSERVER_FRESH_MS INT64_C(180000) /* three reports */

bool snapshot_report_is_fresh(const struct guest_report *report, int64_t age_ms)
{
    switch (report->source) {
    case NEED_AGENT:
        return age_ms <= AGENT_FRESH_MS;
    case NEED_XENSERVER:
        return age_ms <= XENSERVER_FRESH_MS;
    case NEED_QUBES:
        return true;
    default:
        return false;
    }
}

/* A domain without a VM of its own is counted, and never touched. */
static struct vm_settings settings_of(const struct domain *domain)
{
    if (domain->vm)
        return domain->vm->settings;
    return (struct vm_settings){.mode = VM_MODE_IGNORED};
}

static enum vm_state state_of(const struct domain *domain)
{
    bool is_frozen = domain->vm && domain->vm->frozen && domain->now.state == VM_RUNNING;

    return is_frozen ? VM_FROZEN : domain->now.state;
}

static struct vm_report report_of(const struct guest_report *last)
{
    return (struct vm_report){
        .need = last->need,
        .floor = last->floor,
        .swap_used = last->swap_used,
        .source = last->source,
        .psi_some = (int16_t)last->psi_some,
        .balloon = last->balloon,
    };
}

bool snapshot_is_zombie(const struct domain *domain, int64_t now_ms)
{
    return domain->now.dying && now_ms - domain->moved_ms >= SNAPSHOT_ZOMBIE_MS;
}

/*
 * What dies can take nothing more. While its pages come back it is counted with its cap all the
 * same, for its VM may be about to be built again, and they are for that. Not so where the VM runs
 * already, nor where pages stay for good: a zombie holds what it has, and not what it once had.
 */
static bool is_spent(const struct domain *domain, int64_t now_ms)
{
    return domain->now.dying && (!domain->vm || snapshot_is_zombie(domain, now_ms));
}

/* Its page tables come back first, and are kept with its pages. */
static struct kib cap_of(const struct domain *domain, bool spent)
{
    const struct hv_domain *now = &domain->now;

    if (spent)
        return now->assigned;
    return now->dying ? kib_add(now->cap, now->pool) : now->cap;
}

struct vm snapshot_vm(const struct domain *domain, int64_t now_ms)
{
    const struct hv_domain *now = &domain->now;
    bool spent = is_spent(domain, now_ms);

    return (struct vm){
        .state = state_of(domain),
        .settings = settings_of(domain),
        .dom0 = now->dom0,
        .young = domain->young,
        .cap_unlimited = now->cap_unlimited && !spent,
        .assigned = now->assigned,
        .cap = cap_of(domain, spent),
        .claim = now->claim,
        .target = now->target,
        .offset = now->offset,
        .overridden = domain->overridden,
        .report = report_of(&now->report),
        .fresh = snapshot_report_is_fresh(&now->report, now_ms - now->report_ms),
    };
}
