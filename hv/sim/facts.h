/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a simulated hypervisor and its xenstore show of a domain before anybody interprets it, and
 * the one who does: states, offsets and reports are worked out on the observer's side, from bare
 * facts, as the Xen backend does. An observer that starts anew has to learn them anew.
 */
#ifndef HV_SIM_FACTS_H
#define HV_SIM_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "core/report.h"
#include "hv/hv.h"

struct sim_domain;

/* Bits of flags. */
#define FACT_DYING      0x001u
#define FACT_SHUTDOWN   0x002u
#define FACT_PAUSED     0x004u
#define FACT_INTRODUCED 0x008u
#define FACT_RAN        0x010u
#define FACT_SAVING     0x020u
#define FACT_PV         0x040u
#define FACT_STUB       0x080u
#define FACT_UNLIMITED  0x100u
#define FACT_OWN_TARGET 0x200u
#define FACT_NOISY      0x400u
#define FACT_ALL        0x7ffu

struct sim_facts {
    struct hv_ref ref;
    char name[HV_NAME_MAX];
    uint32_t flags; /* FACT_… */
    int32_t shutdown_reason;
    struct kib tot, cap, claim, pod, pool;
    struct kib target, static_max, videoram, own;
    enum need_source source; /* whose keys the texts are from */
    uint64_t stamp;          /* of the texts; 0: there are none */
    size_t length[2];
    const char *text[2]; /* borrowed from the domain or the message; NULL where not told again */
};

/* The facts of a domain, with the texts that are newer than since. */
void sim_facts_of(const struct sim_domain *domain, uint64_t since, struct sim_facts *out);

/* What is known of all domains between two looks. */
struct sim_look;

struct sim_look *sim_look_new(void);

/* NULL is fine. Returns NULL. */
struct sim_look *sim_look_free(struct sim_look *look);

/* A new look at n domains at most … */
void sim_look_begin(struct sim_look *look, size_t n);

/* … each, ascending by domid, … */
void sim_look_take(struct sim_look *look, const struct sim_facts *facts, int64_t now_ms);

/* … and the result: the view's domains, valid until the next sim_look_begin. */
void sim_look_end(const struct sim_look *look, struct hv_view *view);

/* What was last seen of that domain; NULL where it was not there. Valid until sim_look_begin. */
struct hv_domain *sim_look_find(struct sim_look *look, const struct hv_ref *ref);

/* Notes what we have just written ourselves. */
void sim_look_wrote(struct hv_domain *seen, struct kib target, struct kib cap);

#endif
