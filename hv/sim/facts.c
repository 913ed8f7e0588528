/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/sim/facts.h"

#include <stdlib.h>
#include <string.h>

#include "hv/domain_state.h"
#include "hv/rest.h"
#include "hv/sim/world.h"

static uint32_t flag(bool is, uint32_t bit)
{
    return is ? bit : 0;
}

void sim_facts_of(const struct sim_domain *domain, uint64_t since, struct sim_facts *out)
{
    const struct sim_vm *vm = domain->vm;
    const struct sim_report *report = &domain->report;

    *out = (struct sim_facts){
        .ref = domain->ref,
        .flags = flag(domain->dying, FACT_DYING) |
                 flag(domain->phase == PHASE_DOWN, FACT_SHUTDOWN) |
                 flag(domain->paused, FACT_PAUSED) | flag(domain->introduced, FACT_INTRODUCED) |
                 flag(domain->ran, FACT_RAN) | flag(domain->job != JOB_NONE, FACT_SAVING) |
                 flag(!vm || vm->type == SIM_PV, FACT_PV) | flag(vm && vm->stub, FACT_STUB) |
                 flag(domain->cap_unlimited, FACT_UNLIMITED) |
                 flag(domain->has_own, FACT_OWN_TARGET) | flag(domain->noisy, FACT_NOISY),
        .shutdown_reason = domain->shutdown_reason,
        .tot = domain->tot,
        .cap = domain->cap,
        .claim = domain->claim,
        .pod = domain->pod,
        .pool = domain->pool,
        .target = domain->target,
        .static_max = domain->static_max,
        .videoram = vm ? vm->videoram : kib(0),
        .own = domain->own,
        .source = report->source,
        .stamp = report->stamp,
    };
    memcpy(out->name, domain->name, sizeof(out->name));
    for (int i = 0; i < 2 && report->stamp > since; i++) {
        out->length[i] = report->length[i];
        out->text[i] = report->text[i];
    }
}

/* What is known of one domain beside what it looked like. */
struct known {
    struct rest rest;
    uint64_t stamp; /* of the report that was read last */
};

/* One look. */
struct entries {
    struct hv_domain *seen; /* ascending by domid */
    struct known *known;    /* beside them */
    size_t n, room;
};

struct sim_look {
    struct entries now, before;
    size_t at_before; /* how far the merge has come */
    size_t n_reads;   /* texts taken apart for this look */
};

struct sim_look *sim_look_new(void)
{
    struct sim_look *look = calloc(1, sizeof(*look));

    invariant(look);
    return look;
}

struct sim_look *sim_look_free(struct sim_look *look)
{
    if (look) {
        free(look->now.seen);
        free(look->now.known);
        free(look->before.seen);
        free(look->before.known);
        free(look);
    }
    return NULL;
}

void sim_look_begin(struct sim_look *look, size_t n)
{
    struct entries entries = look->before; /* their room is used again */

    look->before = look->now;
    look->at_before = 0;
    look->n_reads = 0;
    entries.n = 0;
    if (entries.room < n) {
        entries.room = n + n / 2;
        entries.seen = realloc(entries.seen, entries.room * sizeof(*entries.seen));
        entries.known = realloc(entries.known, entries.room * sizeof(*entries.known));
        invariant(entries.seen && entries.known);
    }
    look->now = entries;
}

static bool same_domain(const struct hv_ref *a, const struct hv_ref *b)
{
    return a->domid == b->domid && memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0;
}

/* Begins the domain's entry with what the last look left of it, or anew. */
static void recall(struct sim_look *look, const struct hv_ref *ref, bool pv)
{
    const struct entries *before = &look->before;
    struct hv_domain *seen = &look->now.seen[look->now.n];
    struct known *known = &look->now.known[look->now.n];

    while (look->at_before < before->n && before->seen[look->at_before].ref.domid < ref->domid)
        look->at_before++;
    if (look->at_before < before->n && same_domain(&before->seen[look->at_before].ref, ref)) {
        *seen = before->seen[look->at_before];
        *known = before->known[look->at_before];
    } else {
        *seen = (struct hv_domain){.ref = *ref};
        *known = (struct known){.rest = rest_begin(pv)};
    }
}

static void take_figures(struct hv_domain *seen, const struct sim_facts *facts)
{
    memcpy(seen->name, facts->name, sizeof(seen->name));
    seen->shutdown_reason = facts->shutdown_reason;
    seen->dying = facts->flags & FACT_DYING;
    seen->dom0 = facts->ref.domid == 0;
    seen->stub = facts->flags & FACT_STUB;
    seen->pv = facts->flags & FACT_PV;
    seen->assigned = facts->tot;
    seen->cap = facts->cap;
    seen->cap_unlimited = facts->flags & FACT_UNLIMITED;
    seen->claim = facts->claim;
    seen->pod_debt = facts->pod;
    if (!seen->dying)
        seen->pool = facts->pool;
    seen->target = facts->target;
    seen->static_max = facts->static_max;
    seen->own_target = facts->own;
    seen->has_own_target = facts->flags & FACT_OWN_TARGET;
    seen->noisy = facts->flags & FACT_NOISY;
}

static int decode(const struct sim_facts *facts, struct guest_report *out)
{
    switch (facts->source) {
    case NEED_AGENT:
        return report_decode(facts->text[0], facts->length[0], out, NULL);
    case NEED_QUBES:
        return report_decode_qubes(facts->text[0], facts->length[0], out, NULL);
    case NEED_XENSERVER:
        return report_decode_xenserver(facts->text[0], facts->length[0], facts->text[1],
                                       facts->length[1], facts->tot, out, NULL);
    default:
        return -1;
    }
}

/* A report that cannot be understood, or says nothing new, leaves the last one to age. */
static void take_report(struct sim_look *look, struct hv_domain *seen, struct known *known,
                        const struct sim_facts *facts, int64_t now_ms)
{
    struct guest_report report;

    if (facts->stamp == known->stamp || !facts->text[0])
        return;
    known->stamp = facts->stamp;
    look->n_reads++;
    if (decode(facts, &report) || !report_is_news(&report, &seen->report))
        return;
    seen->report = report;
    seen->report_ms = now_ms;
}

static enum vm_state judge_state(const struct hv_domain *seen, const struct known *known,
                                 uint32_t flags)
{
    const struct domain_facts facts = {
        .dying = flags & FACT_DYING,
        .shutdown = flags & FACT_SHUTDOWN,
        .paused = flags & FACT_PAUSED,
        .introduced = flags & FACT_INTRODUCED,
        .ran = flags & FACT_RAN,
        .saving = (flags & FACT_SAVING) || domain_name_migrates(seen->name),
        .pv = seen->pv,
        .pod_debt = seen->pod_debt.v > 0,
        .rested = known->rest.rested,
    };

    return domain_state(&facts);
}

void sim_look_take(struct sim_look *look, const struct sim_facts *facts, int64_t now_ms)
{
    struct entries *now = &look->now;
    struct hv_domain *seen = &now->seen[now->n];
    struct known *known = &now->known[now->n];

    invariant(now->n < now->room);
    recall(look, &facts->ref, facts->flags & FACT_PV);
    take_figures(seen, facts);
    take_report(look, seen, known, facts, now_ms);
    rest_look(&known->rest, seen, facts->videoram, now_ms);
    seen->state = judge_state(seen, known, facts->flags);
    now->n++;
}

void sim_look_end(const struct sim_look *look, struct hv_view *view)
{
    view->domains = look->now.seen;
    view->n_domains = look->now.n;
    view->n_reads = look->n_reads;
}

struct hv_domain *sim_look_find(struct sim_look *look, const struct hv_ref *ref)
{
    for (size_t i = 0; i < look->now.n; i++)
        if (same_domain(&look->now.seen[i].ref, ref))
            return &look->now.seen[i];
    return NULL;
}

void sim_look_wrote(struct hv_domain *seen, struct kib target, struct kib cap)
{
    seen->target = seen->own_target = target;
    seen->has_own_target = true;
    seen->cap = cap;
}
