/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One simulated Xen host as plain data: its memory, its domains, what goes on inside them, and the
 * toolstack that builds and destroys them. Pure: time is an argument, chance comes from a seed, so
 * that the same calls make the same world.
 *
 * Every page is accounted for: free = size − Xen's heap − Σ pages − Σ paging pools. A domain's cap
 * binds hard, and nobody gets pages that are claimed by another.
 */
#ifndef HV_SIM_WORLD_H
#define HV_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "core/report.h"
#include "hv/hv.h"
#include "hv/noise.h"
#include "hv/sim/fault.h"
#include "hv/sim/vm.h"

struct err;

#define WORLD_MAX_DOMAINS 20000
#define WORLD_MAX_TEXT    640 /* of what a guest writes into a key; a reader must stand that */
#define WORLD_NOTES       64  /* kept of what happened */

/* What the host is like. world_host_init has a usable one. */
struct world_host {
    struct kib size;          /* all memory */
    struct kib heap;          /* Xen's own */
    struct kib dom0;          /* the control domain's */
    struct kib dom0_cap;      /* its max_pages */
    bool dom0_unlimited;      /* … of which there is none */
    struct kib shared;        /* saved by page sharing, as shown */
    struct kib low_memory;    /* free memory at which Xen signals first; 0: never */
    struct kib build_rate;    /* a second: how fast xl fills a new domain */
    struct kib teardown_rate; /* a second: how fast a dying domain's pages come back */
    struct kib save_rate;     /* a second: how fast a domain is written to a file */
    int64_t nodes;            /* NUMA nodes, of equal size */
    int64_t step_ms;          /* the world moves in steps of this */
    uint64_t seed;
};

enum sim_phase {
    PHASE_BUILDING, /* its pages are being allocated */
    PHASE_BUILT,    /* introduced, and not yet unpaused */
    PHASE_RUNNING,
    PHASE_DOWN,    /* shut down; xl has not destroyed it yet */
    PHASE_TEARDOWN /* its pages come back */
};

/* What the toolstack has in hand with a running domain. */
enum sim_job { JOB_NONE, JOB_SAVE, JOB_CHECKPOINT, JOB_MIGRATE };

/* What the guest wrote last into the keys that are read. */
struct sim_report {
    enum need_source source; /* whose keys */
    uint64_t stamp;          /* of world->stamp when it was written; 0: nothing yet */
    uint16_t length[2];
    char text[2][WORLD_MAX_TEXT]; /* the second is XenServer's meminfo_free */
};

/* The kernel inside. */
struct sim_inside {
    int64_t ready_ms;     /* from then on its balloon and its agent work */
    struct kib need;      /* what all in it want together */
    struct kib swapped;   /* of that, in its swap */
    struct kib boot_max;  /* the maximum that it booted with, in pages */
    struct kib noticed;   /* the target that its balloon driver works on */
    int64_t budget;       /* KiB × ms that the balloon may still move */
    int failures;         /* of the balloon, in a row */
    int64_t retry_ms;     /* it sleeps until then */
    int64_t starved_ms;   /* since when it lacks memory; INT64_MAX: it has enough */
    struct kib oom_limit; /* what the OOM killer left of its need, … */
    int64_t oom_until_ms; /* … until what was killed is started again */
    uint64_t oom_kills;
    uint64_t sequence;         /* of its reports */
    int64_t next_report_ms;    /* when it thinks again about telling something */
    int64_t told_ms;           /* when it last did */
    struct kib told, told_tot; /* need and pages then */
};

struct sim_domain {
    struct hv_ref ref;
    char name[HV_NAME_MAX];
    const struct sim_vm *vm; /* NULL: the control domain. Owned by the world */
    enum sim_phase phase;
    int64_t phase_ms; /* when the toolstack does its next step */
    int64_t begun_ms; /* when it was built */
    enum sim_job job;
    bool paused;      /* by the admin, or by its toolstack */
    bool introduced;  /* xenstored knows it */
    bool ran;         /* it has used CPU time */
    bool dying;       /* as the hypervisor shows it, which is late */
    bool keep_paused; /* xl create -p */
    bool arriving;    /* by migration: gets its own name when it runs */
    bool locked;      /* somebody holds libxl's lock on it */
    int32_t shutdown_reason;
    struct kib tot, cap, claim, pool, pod;
    bool cap_unlimited;
    struct kib build_to;                /* pages that it is built with, … */
    struct kib build_target, build_max; /* … and what xenstore will have then */
    struct kib target, static_max, own;
    bool has_own;
    int64_t budget; /* KiB × ms that build, save or teardown may still move */
    struct sim_report report;
    struct noise noise; /* how often it makes watches fire */
    bool noisy;         /* as noise has it now */
    struct sim_inside inside;
};

/* A VM that xl rebuilds after a reboot. */
struct sim_rebuild {
    char name[HV_NAME_MAX];
    const struct sim_vm *vm;
    uint8_t uuid[16];
    uint32_t domid;            /* of the domain that went down */
    struct kib memory, maxmem; /* as they were then */
    int64_t due_ms;            /* INT64_MAX until that is taken apart */
};

/* A command for later. */
struct sim_event {
    int64_t due_ms;
    int64_t every_ms; /* and again after so long; 0: once */
    char *line;       /* for sim_xl_planned; owned */
};

struct sim_note {
    int64_t ms;
    char text[192];
};

struct world {
    struct world_host host;
    int64_t now_ms;
    struct kib free, claimed;
    struct sim_domain **domains; /* ascending by domid; the first is the control domain */
    size_t n_domains, domains_room;
    uint32_t next_domid;
    uint64_t uuids;      /* made so far */
    struct sim_vm **vms; /* every configuration, whether it runs or not */
    size_t n_vms;
    struct sim_rebuild *rebuilds;
    size_t n_rebuilds;
    struct sim_event *events; /* ascending in time */
    size_t n_events;
    uint64_t stamp;                      /* grows with every report */
    unsigned changes;                    /* HV_…, since somebody took and cleared them */
    struct kib low_threshold, low_rearm; /* of the low-memory signal */
    uint64_t low_signals;                /* how often it came */
    uint64_t crashes, oom_kills;         /* so far */
    struct sim_note notes[WORLD_NOTES];
    uint64_t n_notes; /* ever made; note i is at i % WORLD_NOTES */
    struct sim_fault faults[SIM_OP_COUNT];
};

void world_host_init(struct world_host *host);

/* A host without VMs at time 0. 0 and *out, or −1 ERR_INVALID: these figures make no host. */
int world_new(const struct world_host *host, struct world **out, struct err *err);

/* NULL is fine. Returns NULL. */
struct world *world_free(struct world *world);

/* A new domain, building, with nothing. */
struct sim_domain *world_add_domain(struct world *world);

/* Takes over a complete configuration; replaces that of the same name where no domain has it.
 * Returns the one that is kept. */
struct sim_vm *world_take_vm(struct world *world, struct sim_vm *vm);

/* The newest configuration of that name; NULL where there is none. */
const struct sim_vm *world_find_vm(const struct world *world, const char *name);

/* Changes one key of a configuration, whoever runs with it: only those of its inside. 0, or −1
 * ERR_INVALID. */
int world_change_vm(struct world *world, const struct sim_vm *vm, const char *key,
                    const char *value, struct err *err);

struct sim_domain *world_find(const struct world *world, uint32_t domid);
struct sim_domain *world_find_name(const struct world *world, const char *name);

/* Has a line for the simulated xl carried out at that time, and again every every_ms (0: once). */
void world_plan(struct world *world, int64_t due_ms, int64_t every_ms, const char *line);

/* Remembers that something happened, for people. */
__attribute__((format(printf, 2, 3))) void world_note(struct world *world, const char *format, ...);

/* The host's figures as a hypervisor shows them. */
void world_show_host(const struct world *world, struct hv_host *out);

/* Pages that nobody has and nobody claimed. */
struct kib world_unclaimed(const struct world *world);

/* Up to amount more pages for the domain, as far as its cap, the host and others' claims allow, its
 * own claim first. Returns how much it got, in whole pages. */
struct kib world_allocate(struct world *world, struct sim_domain *domain, struct kib amount);

/* Takes pages from the domain. */
void world_release(struct world *world, struct sim_domain *domain, struct kib amount);

/* Of a rate in KiB a second, how much may move in this step, in whole pages; the rest is kept. */
struct kib world_budget(struct kib rate, int64_t step_ms, int64_t *budget);

/* True where a guest's kernel runs in it and may use memory. */
bool sim_domain_runs(const struct sim_domain *domain);

/* The guest stops, for that reason (hv.h); xl does what follows from it a moment later. */
void world_shut_down(struct world *world, struct sim_domain *domain, int32_t reason);

/* Lowers what Xen keeps for pages not yet populated, when the target of a domain that still has
 * some is lowered. */
void world_set_pod_target(struct world *world, struct sim_domain *domain, struct kib target);

#endif
