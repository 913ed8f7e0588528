/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bulk query: one hypercall for all domains, merged with what is known of each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "hv/domain_state.h"
#include "hv/xen/xen.h"

#define INFOS_FIRST 64

static int refused(struct err *err)
{
    err_set_errno(err, ERR_UNREACHABLE, errno, "ask the hypervisor for its domains");
    return err_advise(err, XEN_MISMATCH);
}

int domains_query(struct xen *xen, struct err *err)
{
    for (;;) {
        int count;

        if (xen->infos_room == 0) {
            xen->infos_room = INFOS_FIRST;
            xen->infos = malloc(xen->infos_room * sizeof(*xen->infos));
            invariant(xen->infos);
        }
        count = xc_domain_getinfolist(xen->xc, 0, (unsigned)xen->infos_room, xen->infos);
        if (count < 0)
            return refused(err);
        xen->n_infos = (size_t)count;
        if (xen->n_infos < xen->infos_room)
            return 0;
        free(xen->infos);
        xen->infos_room *= 2;
        xen->infos = malloc(xen->infos_room * sizeof(*xen->infos));
        invariant(xen->infos);
    }
}

struct xen_domain *domains_find(struct xen *xen, uint32_t domid)
{
    size_t low = 0, high = xen->n_known;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (xen->known[middle].seen.ref.domid < domid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < xen->n_known && xen->known[low].seen.ref.domid == domid ? &xen->known[low] : NULL;
}

static bool same_domain(const struct xen_domain *known, const xc_domaininfo_t *info)
{
    return known->seen.ref.domid == info->domain &&
           memcmp(known->seen.ref.uuid, info->handle, sizeof(known->seen.ref.uuid)) == 0;
}

static void begin_domain(const xc_domaininfo_t *info, struct xen_domain *out)
{
    *out = (struct xen_domain){.stale = STALE_ALL};
    out->seen.ref.domid = info->domain;
    memcpy(out->seen.ref.uuid, info->handle, sizeof(out->seen.ref.uuid));
    out->seen.dom0 = info->domain == 0;
    out->seen.pv = !(info->flags & XEN_DOMINF_hvm_guest);
    out->rest = rest_begin(out->seen.pv);
}

static void end_domain(struct xen *xen, const struct xen_domain *domain)
{
    store_unwatch(xen, domain->seen.ref.domid);
}

/* What the bulk query itself says. A cap of all ones is no cap. */
static void take_info(struct hv_domain *seen, const xc_domaininfo_t *info)
{
    seen->assigned = kib_from_pages(info->tot_pages);
    seen->claim = kib_from_pages(info->outstanding_pages);
    seen->cap_unlimited = info->max_pages >= UINT32_MAX;
    seen->cap = kib_from_pages(info->max_pages);
    seen->shutdown_reason =
        (int32_t)(info->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask);
}

/*
 * A guest that boots populate-on-demand has more pages than memory: it must balloon the difference
 * away before it touches them all. Entries that the cache covers may be left for ever. The debt
 * ends once; until then it costs one hypercall a look.
 */
static void look_at_pod(struct xen *xen, struct xen_domain *domain)
{
    uint64_t tot, cache, entries;

    if (domain->seen.pv || domain->rest.rested)
        return;
    if (xc_domain_get_pod_target(xen->xc, domain->seen.ref.domid, &tot, &cache, &entries))
        entries = cache = 0;
    domain->seen.pod_debt = kib_from_pages(entries > cache ? entries - cache : 0);
}

static void judge_state(struct xen *xen, struct xen_domain *domain, const xc_domaininfo_t *info)
{
    struct hv_domain *seen = &domain->seen;
    const struct domain_facts facts = {
        .dying = info->flags & XEN_DOMINF_dying,
        .shutdown = info->flags & XEN_DOMINF_shutdown,
        .paused = info->flags & XEN_DOMINF_paused,
        .introduced = domain->introduced,
        .ran = info->cpu_time > 0,
        .saving = savers_have(&xen->savers, seen->ref.domid) || domain_name_migrates(seen->name),
        .pv = seen->pv,
        .pod_debt = seen->pod_debt.v > 0,
        .rested = domain->rest.rested,
    };

    seen->dying = facts.dying;
    seen->state = domain_state(&facts);
}

/* The pool for its page tables, which comes out of free and is not among its pages; 0 where it
 * cannot be asked for. */
static struct kib ask_pool(struct xen *xen, const struct xen_domain *domain)
{
    uint64_t bytes;

    if (xc_get_paging_mempool_size(xen->xc, domain->seen.ref.domid, &bytes))
        return kib(0);
    return bytes / 1024 < KIB_LIMIT ? kib((int64_t)(bytes / 1024)) : kib(KIB_LIMIT);
}

/*
 * While a domain is built its pool grows, and only what it had before free was read may be taken as
 * gone from it: that is what is handed out. Later it stays as it is.
 */
static void look_at_pool(struct xen *xen, struct xen_domain *domain)
{
    bool is_built = domain->seen.state != VM_BUILDING;
    struct kib before = domain->pool;

    if (domain->seen.pv || domain->seen.dying)
        return;
    if (!is_built || before.v == 0)
        domain->pool = ask_pool(xen, domain);
    domain->seen.pool = is_built ? domain->pool : kib_min(before, domain->pool);
    xen->pool_moved |= !is_built && domain->pool.v > before.v;
}

/* Introduction happens once; a paused domain may also have been forgotten again, on its way out. */
static void look_at_introduction(struct xen *xen, struct xen_domain *domain,
                                 const xc_domaininfo_t *info)
{
    bool was = domain->introduced;

    if (was && !(info->flags & XEN_DOMINF_paused))
        return;
    domain->introduced =
        domain->seen.dom0 || xs_is_domain_introduced(xen->xs, domain->seen.ref.domid);
    if (!was && domain->introduced) {
        unsigned length;
        char *target;

        xen->read_failed = false;
        target = store_read(xen, domain->seen.ref.domid, "target", &length);
        domain->seen.stub = target != NULL;
        domain->introduced = !xen->read_failed; /* else it would never be asked again */
        free(target);
        domain->stale = STALE_ALL;
    }
}

static void update_domain(struct xen *xen, struct xen_domain *domain, const xc_domaininfo_t *info,
                          int64_t now_ms)
{
    take_info(&domain->seen, info);
    look_at_introduction(xen, domain, info);
    store_watch(xen, domain);
    store_poll(xen, domain);
    if (domain->stale)
        store_refresh(xen, domain, now_ms);
    look_at_pod(xen, domain);
    rest_look(&domain->rest, &domain->seen, domain->videoram, now_ms);
    judge_state(xen, domain, info);
    look_at_pool(xen, domain);
}

void domains_update(struct xen *xen, int64_t now_ms)
{
    struct xen_domain *before = xen->known;
    size_t n_before = xen->n_known, at = 0;
    struct xen_domain *after = calloc(xen->n_infos + 1, sizeof(*after));

    invariant(after);
    xen->pool_moved = false;
    (void)savers_look(&xen->savers, now_ms, SAVERS_EVERY_MS); /* asked again before a write */
    for (size_t i = 0; i < xen->n_infos; i++) {
        const xc_domaininfo_t *info = &xen->infos[i];

        for (; at < n_before && before[at].seen.ref.domid < info->domain; at++)
            end_domain(xen, &before[at]);
        if (at < n_before && same_domain(&before[at], info)) {
            after[i] = before[at++];
        } else {
            /* A reused domid: watches of the old one go first. */
            if (at < n_before && before[at].seen.ref.domid == info->domain)
                end_domain(xen, &before[at++]);
            begin_domain(info, &after[i]);
        }
        update_domain(xen, &after[i], info, now_ms);
    }
    for (; at < n_before; at++)
        end_domain(xen, &before[at]);
    free(before);
    xen->known = after;
    xen->n_known = xen->n_infos;
}
