/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulated VM as its configuration describes it: what xl would read in its file, and what is
 * hidden inside: its demand, how its balloon moves, what it tells. One table of keys serves
 * scenario files and the simulated `xl create`.
 */
#ifndef HV_SIM_VM_H
#define HV_SIM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "hv/hv.h"
#include "hv/sim/demand.h"

struct err;

enum sim_type { SIM_PV, SIM_PVH, SIM_HVM };

/* Who tells the host what the guest needs, and in which words. */
enum sim_agent {
    SIM_AGENT_XENMEM,
    SIM_AGENT_QUBES,
    SIM_AGENT_XENSERVER,
    SIM_AGENT_NONE,
    SIM_AGENT_LIES,   /* writes into the agent's key whatever may hurt a reader */
    SIM_AGENT_GREEDY, /* says in good order that it needs its maximum, and more */
    SIM_AGENT_REPLAYS /* the truth, but always under the same number */
};

enum sim_stuck { SIM_STUCK_NEVER, SIM_STUCK_ALWAYS, SIM_STUCK_EVERY, SIM_STUCK_FROM };

/* What xl does once it crashed. */
enum sim_on_crash { SIM_CRASH_DESTROY, SIM_CRASH_RESTART, SIM_CRASH_PRESERVE };

struct sim_vm {
    char name[HV_NAME_MAX];

    /* What xl reads. Missing amounts are filled in by sim_vm_complete. */
    enum sim_type type;
    struct kib memory, maxmem;
    int64_t vcpus;
    struct kib videoram; /* HVM's graphics card; inside memory, as xl counts it */
    bool stub;           /* a stub domain of another VM */
    enum sim_on_crash on_crash;
    struct kib zombie; /* pages that stay after its death, for good */

    /* What goes on inside. */
    struct curve demand;
    struct kib noise; /* need wanders by up to this, up and down */
    int64_t noise_every_ms;
    struct kib swap;   /* size of its swap */
    struct kib pinned; /* what it cannot give back, as its agent tells; 0: it does not say */
    int64_t boot_ms;   /* from its first instruction until balloon and agent work */
    int64_t oom_ms;    /* starved for so long, its kernel kills somebody */

    /* Its balloon. */
    bool balloon;            /* it has a driver */
    bool deflate;            /* its root takes all that the cap allows, whatever the target says */
    struct kib balloon_rate; /* a second */
    struct kib floor;        /* the balloon never brings it below */
    struct kib ceiling;      /* nor above; 0: what it booted with as its maximum */
    struct kib offset;       /* held at rest beyond the target */
    enum sim_stuck stuck;
    int64_t stuck_ms; /* EVERY: moves so long, stands so long; FROM: from then on */

    /* What it tells. */
    enum sim_agent agent;
    int64_t report_every_ms;

    unsigned given; /* which keys were set, for the defaults that depend on others */
};

/* A VM of that name, with every default that needs no other key. */
void sim_vm_init(struct sim_vm *vm, const char *name);
void sim_vm_fini(struct sim_vm *vm);
void sim_vm_copy(const struct sim_vm *vm, struct sim_vm *out);

/* Sets one key from its text. 0, or −1 with ERR_INVALID: no such key, or not such a value. */
int sim_vm_set(struct sim_vm *vm, const char *key, const char *value, struct err *err);

/* True for keys of what goes on inside, which may change while it runs. */
bool sim_vm_key_is_inside(const char *key);

/* Fills in what was not given, and checks that the whole makes sense. 0, or −1 with ERR_INVALID. */
int sim_vm_complete(struct sim_vm *vm, struct err *err);

/* "1" to 48 letters, digits and "._-+"; others would not fit a section's name or xl's. 0, or −1. */
int sim_vm_check_name(const char *name, struct err *err);

/* A size as xl takes it: without a unit it is MiB. 0, or −1 with ERR_INVALID. */
int sim_parse_xl_size(const char *text, struct kib *out, struct err *err);

/* Memory beside the domain's pages that Xen takes for it: page tables of HVM and PVH. */
struct kib sim_vm_pool(const struct sim_vm *vm);

/* Its need at that time, of the world that has this seed. */
struct kib sim_vm_need(const struct sim_vm *vm, uint64_t seed, int64_t now_ms);

/* True while its balloon stands still whatever it is told. */
bool sim_vm_is_stuck(const struct sim_vm *vm, int64_t now_ms);

#endif
