/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What xenstore says of each domain. Every read is a round trip, so nothing is read unless a watch
 * said that it changed. Guests can fire watches as often as they like: an event only sets a flag,
 * and a flagged value is read once a look; and one that fires them all the time is watched no more,
 * but read at every look (hv/noise.h).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "hv/domain_state.h"
#include "hv/xen/xen.h"

#define PATH_ROOM 96

/* What is watched in every domain's folder. The token is the letter and the domid. */
static const struct {
    char letter;
    const char *name;
    unsigned stale;
    unsigned change;
} watched[] = {
    {'t', "memory/target", STALE_MEMORY,
     0}, /* mostly our own doing: the next look is soon enough */
    {'m', "memory/static-max", STALE_MEMORY, 0},
    {'n', "name", STALE_NAME, HV_DOMAINS},
    {'r', REPORT_KEY, STALE_AGENT, HV_REPORTS},
    {'q', "memory/meminfo", STALE_QUBES, HV_REPORTS},
    {'s', "data/meminfo_free", STALE_SERVER, HV_REPORTS},
};
#define N_WATCHED (sizeof(watched) / sizeof(*watched))

static void make_watch(char *path, char *token, uint32_t domid, size_t i)
{
    snprintf(path, PATH_ROOM, "/local/domain/%" PRIu32 "/%s", domid, watched[i].name);
    snprintf(token, PATH_ROOM, "%c%" PRIu32, watched[i].letter, domid);
}

/* Sets those of the watches that tell of one of these. False where not all are set. */
static bool set_watches(struct xen *xen, uint32_t domid, unsigned stale)
{
    char path[PATH_ROOM], token[PATH_ROOM];
    bool is_whole = true;

    for (size_t i = 0; i < N_WATCHED; i++) {
        if (!(watched[i].stale & stale))
            continue;
        make_watch(path, token, domid, i);
        if (!xs_watch(xen->watches, path, token) && errno != EEXIST)
            is_whole = false;
    }
    return is_whole;
}

static void take_watches(struct xen *xen, uint32_t domid, unsigned stale)
{
    char path[PATH_ROOM], token[PATH_ROOM];

    for (size_t i = 0; i < N_WATCHED; i++) {
        if (!(watched[i].stale & stale))
            continue;
        make_watch(path, token, domid, i);
        (void)xs_unwatch(xen->watches, path, token);
    }
}

/* One that is not set fires never: until it is, everything is read at each look. */
void store_watch(struct xen *xen, struct xen_domain *domain)
{
    unsigned heard = domain->noise.deaf ? STALE_ALL & ~STALE_REPORT : STALE_ALL;

    if (domain->watched)
        return;
    domain->watched = set_watches(xen, domain->seen.ref.domid, heard);
    domain->stale = STALE_ALL;
}

void store_unwatch(struct xen *xen, uint32_t domid)
{
    take_watches(xen, domid, STALE_ALL);
}

void store_poll(struct xen *xen, struct xen_domain *domain)
{
    uint32_t domid = domain->seen.ref.domid;

    if (noise_ends(&domain->noise, xen->now_ms) && set_watches(xen, domid, STALE_REPORT))
        noise_listen(&domain->noise, xen->now_ms);
    else if (domain->noise.deaf)
        domain->stale |= STALE_REPORT;
    domain->seen.noisy = noise_goes_on(&domain->noise, xen->now_ms);
}

int store_open(struct xen *xen, struct err *err)
{
    xen->xs = xs_open(0);
    xen->watches = xs_open(0);
    if (!xen->xs || !xen->watches)
        return err_set_errno(err, ERR_UNREACHABLE, errno, "connect to xenstored (is it running?)");
    if (!xs_watch(xen->watches, "@introduceDomain", "+") ||
        !xs_watch(xen->watches, "@releaseDomain", "-")) {
        err_set_errno(err, ERR_UNREACHABLE, errno, "watch xenstore for domains that come and go");
        return err_advise(err, "look into xenstored's log");
    }
    return 0;
}

/* What a guest too noisy to be listened to still has under way is seen at the next look. */
static unsigned note_change(struct xen *xen, struct xen_domain *domain, size_t i)
{
    if (watched[i].stale & STALE_REPORT) {
        if (noise_fired(&domain->noise, xen->now_ms))
            take_watches(xen, domain->seen.ref.domid, STALE_REPORT);
        if (domain->noise.deaf)
            return 0;
    }
    domain->stale |= watched[i].stale;
    return watched[i].change;
}

static unsigned note_event(struct xen *xen, const char *token)
{
    struct xen_domain *domain;

    if (token[0] == '+' || token[0] == '-')
        return HV_DOMAINS;
    domain = domains_find(xen, (uint32_t)strtoul(token + 1, NULL, 10));
    for (size_t i = 0; domain && i < N_WATCHED; i++)
        if (watched[i].letter == token[0])
            return note_change(xen, domain, i);
    return 0;
}

int store_drain(struct xen *xen, unsigned *changes, struct err *err)
{
    char **event;

    while ((event = xs_check_watch(xen->watches))) {
        *changes |= note_event(xen, event[XS_WATCH_TOKEN]);
        free(event);
    }
    if (errno == EAGAIN)
        return 0;
    return err_set_errno(err, ERR_UNREACHABLE, errno, "xenstored has closed the connection");
}

char *store_read(struct xen *xen, uint32_t domid, const char *name, unsigned *length)
{
    char path[PATH_ROOM], *text;

    snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/%s", domid, name);
    xen->n_reads++;
    text = xs_read(xen->xs, XBT_NULL, path, length);
    if (!text && errno != ENOENT)
        xen->read_failed = true;
    return text;
}

bool store_read_amount(struct xen *xen, uint32_t domid, const char *name, struct kib *out)
{
    unsigned length;
    char *text = store_read(xen, domid, name, &length);
    int64_t value;
    bool good =
        text && strlen(text) == length && integer_parse(text, 0, KIB_LIMIT, &value, NULL) == 0;

    free(text);
    if (good)
        *out = kib(value);
    return good;
}

/* Our copy of the target: one number; or two, while a write was under way (xen_write.c), of which
 * that counts which is there. */
static bool read_own(struct xen *xen, uint32_t domid, struct kib target, struct kib *out)
{
    unsigned length;
    char *text = store_read(xen, domid, OWN_TARGET, &length);
    char *second = text ? strchr(text, ' ') : NULL;
    int64_t ours, before;
    bool good;

    if (second)
        *second++ = '\0';
    good = text && integer_parse(text, 0, KIB_LIMIT, &ours, NULL) == 0 &&
           (!second || integer_parse(second, 0, KIB_LIMIT, &before, NULL) == 0);
    if (good)
        *out = kib(second && before == target.v ? before : ours);
    free(text);
    return good;
}

static void refresh_memory(struct xen *xen, struct xen_domain *domain, int64_t now_ms)
{
    struct hv_domain *seen = &domain->seen;
    uint32_t domid = seen->ref.domid;

    (void)now_ms;
    if (!store_read_amount(xen, domid, "memory/target", &seen->target))
        seen->target = kib(0);
    if (!store_read_amount(xen, domid, "memory/static-max", &seen->static_max))
        seen->static_max = kib(0);
    if (!store_read_amount(xen, domid, "memory/videoram", &domain->videoram))
        domain->videoram = kib(0); /* libxl writes -1 where there is none */
    seen->has_own_target = read_own(xen, domid, seen->target, &seen->own_target);
}

static void refresh_name(struct xen *xen, struct xen_domain *domain, int64_t now_ms)
{
    unsigned length;
    char *name = store_read(xen, domain->seen.ref.domid, "name", &length);

    (void)now_ms;
    snprintf(domain->seen.name, sizeof(domain->seen.name), "%s", name ? name : "");
    free(name);
}

/* A report that cannot be understood leaves the last one to age. */
static void take_report(struct xen_domain *domain, int rc, const struct guest_report *report,
                        int64_t now_ms)
{
    if (rc || !report_is_news(report, &domain->seen.report))
        return;
    domain->seen.report = *report;
    domain->seen.report_ms = now_ms;
}

static void refresh_agent(struct xen *xen, struct xen_domain *domain, int64_t now_ms)
{
    struct guest_report report;
    unsigned length;
    char *text = store_read(xen, domain->seen.ref.domid, REPORT_KEY, &length);

    if (text)
        take_report(domain, report_decode(text, length, &report, NULL), &report, now_ms);
    free(text);
}

static void refresh_qubes(struct xen *xen, struct xen_domain *domain, int64_t now_ms)
{
    struct guest_report report;
    unsigned length;
    char *text = store_read(xen, domain->seen.ref.domid, "memory/meminfo", &length);

    if (text)
        take_report(domain, report_decode_qubes(text, length, &report, NULL), &report, now_ms);
    free(text);
}

static void refresh_xenserver(struct xen *xen, struct xen_domain *domain, int64_t now_ms)
{
    struct guest_report report;
    unsigned total_length, free_length;
    char *total = store_read(xen, domain->seen.ref.domid, "data/meminfo_total", &total_length);
    char *left = store_read(xen, domain->seen.ref.domid, "data/meminfo_free", &free_length);

    if (total && left)
        take_report(domain,
                    report_decode_xenserver(total, total_length, left, free_length,
                                            domain->seen.assigned, &report, NULL),
                    &report, now_ms);
    free(total);
    free(left);
}

/* One part of what is known of a domain: all of it is new, or it stays as it was and stale. */
static void refresh(struct xen *xen, struct xen_domain *domain, unsigned part, int64_t now_ms,
                    void (*read)(struct xen *xen, struct xen_domain *domain, int64_t now_ms))
{
    const struct xen_domain before = *domain;

    xen->read_failed = false;
    read(xen, domain, now_ms);
    if (!xen->read_failed)
        return;
    *domain = before;
    domain->stale |= part;
}

void store_refresh(struct xen *xen, struct xen_domain *domain, int64_t now_ms)
{
    unsigned stale = domain->stale;

    domain->stale = 0;
    if (stale & STALE_NAME)
        refresh(xen, domain, STALE_NAME, now_ms, refresh_name);
    if (stale & STALE_MEMORY)
        refresh(xen, domain, STALE_MEMORY, now_ms, refresh_memory);
    if (stale & STALE_AGENT)
        refresh(xen, domain, STALE_AGENT, now_ms, refresh_agent);
    /* The better source silences the others. */
    if ((stale & STALE_QUBES) && domain->seen.report.source != NEED_AGENT)
        refresh(xen, domain, STALE_QUBES, now_ms, refresh_qubes);
    if ((stale & STALE_SERVER) &&
        (domain->seen.report.source == NEED_NONE || domain->seen.report.source == NEED_XENSERVER))
        refresh(xen, domain, STALE_SERVER, now_ms, refresh_xenserver);
}
