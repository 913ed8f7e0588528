/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guests write into xenstore: each agent in its own words and its own rhythm; and liars. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/invariant.h"
#include "hv/sim/tell.h"
#include "hv/sim/world.h"

#define HEARTBEAT_MS   10000
#define XENSERVER_MS   60000
#define TOLD_SHARE     50 /* a change of one in so many is worth a report: 2% */
#define KERNEL_SHARE   64 /* of its pages the kernel does not count as MemTotal */
#define PSI_FULL_SCALE 10000

/* Whoever watches stops listening to one that writes all the time, and looks at it at every look.
 */
static void fire(struct world *world, struct sim_domain *domain)
{
    (void)noise_fired(&domain->noise, world->now_ms);
    if (!domain->noise.deaf)
        world->changes |= HV_REPORTS;
}

static void write_key(struct world *world, struct sim_domain *domain, enum need_source source,
                      size_t which, const void *bytes, size_t length)
{
    struct sim_report *report = &domain->report;

    invariant(length <= WORLD_MAX_TEXT);
    report->source = source;
    report->length[which] = (uint16_t)length;
    memcpy(report->text[which], bytes, length);
    report->stamp = ++world->stamp;
    fire(world, domain);
}

static void write_amount(struct world *world, struct sim_domain *domain, enum need_source source,
                         size_t which, struct kib amount)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%" PRId64, amount.v);

    write_key(world, domain, source, which, text, (size_t)length);
}

/* How much of the time somebody waits for memory: as much as is missing of what is needed. */
static int32_t pressure_of(const struct sim_domain *domain)
{
    struct kib missing = kib_excess(domain->inside.need, domain->tot);

    if (domain->inside.need.v == 0)
        return 0;
    return (int32_t)kib_scale(missing, PSI_FULL_SCALE, domain->inside.need.v).v;
}

/* As xenmem-agent reads it off /proc/meminfo: nobody can use more than there is. */
static struct guest_report measure(const struct sim_domain *domain)
{
    const struct sim_inside *inside = &domain->inside;
    struct kib total = kib_sub(domain->tot, kib(domain->tot.v / KERNEL_SHARE));
    struct kib in_pages = kib_min(kib_sub(inside->need, inside->swapped), domain->tot);
    struct kib available = kib_min(kib_sub(domain->tot, in_pages), total);

    return (struct guest_report){
        .source = NEED_AGENT,
        .sequence = inside->sequence,
        .need = kib_add(kib_sub(domain->tot, available), inside->swapped),
        .floor = domain->vm->pinned,
        .total = total,
        .available = available,
        .swap_used = inside->swapped,
        .cache = kib(available.v / 2),
        .psi_some = pressure_of(domain),
        .psi_full = pressure_of(domain) / 2,
        .oom_kills = inside->oom_kills,
        .balloon = domain->vm->balloon,
    };
}

static void tell_xenmem(struct world *world, struct sim_domain *domain,
                        const struct guest_report *measured)
{
    char text[REPORT_TEXT_MAX];
    size_t length = report_encode(measured, text, sizeof(text));

    write_key(world, domain, NEED_AGENT, 0, text, length);
}

static void tell_xenserver(struct world *world, struct sim_domain *domain,
                           const struct guest_report *measured)
{
    write_amount(world, domain, NEED_XENSERVER, 0, measured->total);
    write_amount(world, domain, NEED_XENSERVER, 1, measured->available);
}

/* A well-formed report of somebody who wants all there is. */
static void tell_greedy(struct world *world, struct sim_domain *domain,
                        struct guest_report measured)
{
    measured.need = measured.floor = kib(domain->static_max.v * 2);
    measured.available = kib(0);
    measured.psi_some = measured.psi_full = PSI_FULL_SCALE;
    tell_xenmem(world, domain, &measured);
}

/* A different insult each time. */
static void tell_lies(struct world *world, struct sim_domain *domain)
{
    static const char *const texts[] = {
        "",
        "xenmem1",
        "xenmem1 seq=1 need=-1 floor=0",
        "xenmem1 seq=99999999999999999999999 need=1",
        "xenmem2 seq=1 need=1",
        "xenmem1 seq=18446744073709551615 need=9223372036854775807 floor=9223372036854775807",
        "\xff\xfe\x80 not text at all \x1b[2J",
        "need=100%n%s%s%n",
    };
    const size_t n_texts = sizeof(texts) / sizeof(*texts);
    uint64_t which = domain->inside.sequence % (n_texts + 2);
    char junk[WORLD_MAX_TEXT];

    if (which < n_texts) {
        write_key(world, domain, NEED_AGENT, 0, texts[which], strlen(texts[which]));
        return;
    }
    for (size_t i = 0; i < sizeof(junk); i++)
        junk[i] = (char)sim_random(world->host.seed + domain->inside.sequence, i);
    write_key(world, domain, NEED_AGENT, 0, junk, which == n_texts ? sizeof(junk) : 64);
}

static bool is_news(struct kib now, struct kib told)
{
    struct kib change = kib(now.v > told.v ? now.v - told.v : told.v - now.v);

    return change.v * TOLD_SHARE > told.v;
}

/* Worth saying: a changed figure, or that it is still there. */
static bool has_news(const struct world *world, const struct sim_domain *domain)
{
    const struct sim_inside *inside = &domain->inside;
    int64_t silent_ms = world->now_ms - inside->told_ms;

    switch (domain->vm->agent) {
    case SIM_AGENT_NONE:
        return false;
    case SIM_AGENT_LIES:
    case SIM_AGENT_GREEDY:
    case SIM_AGENT_REPLAYS:
        return true;
    case SIM_AGENT_XENSERVER:
        return inside->sequence == 0 || silent_ms >= XENSERVER_MS;
    case SIM_AGENT_QUBES:
        return inside->sequence == 0 || is_news(inside->need, inside->told);
    default:
        return inside->sequence == 0 || silent_ms >= HEARTBEAT_MS ||
               is_news(inside->need, inside->told) || is_news(domain->tot, inside->told_tot);
    }
}

static void tell(struct world *world, struct sim_domain *domain)
{
    struct guest_report measured;

    domain->inside.sequence++;
    measured = measure(domain);
    switch (domain->vm->agent) {
    case SIM_AGENT_QUBES:
        write_amount(world, domain, NEED_QUBES, 0, measured.need);
        break;
    case SIM_AGENT_XENSERVER:
        tell_xenserver(world, domain, &measured);
        break;
    case SIM_AGENT_LIES:
        tell_lies(world, domain);
        break;
    case SIM_AGENT_GREEDY:
        tell_greedy(world, domain, measured);
        break;
    case SIM_AGENT_REPLAYS:
        measured.sequence = 1;
        tell_xenmem(world, domain, &measured);
        break;
    default:
        tell_xenmem(world, domain, &measured);
    }
    domain->inside.told = domain->inside.need;
    domain->inside.told_tot = domain->tot;
    domain->inside.told_ms = world->now_ms;
}

void guest_tell_one(struct world *world, struct sim_domain *domain)
{
    domain->inside.next_report_ms = world->now_ms + domain->vm->report_every_ms;
    if (has_news(world, domain))
        tell(world, domain);
}

/* One that is faster than the world's steps tells several times in each. */
static int64_t times_a_step(const struct world *world, const struct sim_domain *domain)
{
    int64_t every_ms = domain->vm->report_every_ms;

    return every_ms < world->host.step_ms ? world->host.step_ms / every_ms : 1;
}

void guest_tell(struct world *world)
{
    for (size_t i = 0; i < world->n_domains; i++) {
        struct sim_domain *domain = world->domains[i];

        if (noise_ends(&domain->noise, world->now_ms))
            noise_listen(&domain->noise, world->now_ms);
        domain->noisy = noise_goes_on(&domain->noise, world->now_ms);
        if (!sim_domain_runs(domain) || world->now_ms < domain->inside.ready_ms ||
            world->now_ms < domain->inside.next_report_ms)
            continue;
        for (int64_t n = times_a_step(world, domain); n > 0; n--)
            guest_tell_one(world, domain);
    }
}
