/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The model that decisions are made on: the host, its VMs, their states and limits. Plain data. */
#ifndef CORE_MODEL_H
#define CORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "core/report.h"
#include "core/settings.h"

/* As users see them. hv tells all but OFF, FROZEN and UNRESPONSIVE, which only the daemon knows. */
enum vm_state {
    VM_OFF,      /* known by name, no domain */
    VM_BUILDING, /* not yet introduced, or introduced and never run */
    VM_BOOTING,  /* running, but owes populate-on-demand pages, or its balloon not yet at rest once
                  */
    VM_RUNNING,  /* the only state in which anything is written */
    VM_PAUSED,   /* by the admin: its balloon cannot move */
    VM_FROZEN,   /* by xenmemctl freeze */
    VM_SAVING,   /* being saved or migrated away */
    VM_SHUTDOWN, /* shut down, crashed, or suspended; not yet destroyed */
    VM_DYING,    /* its memory is being given back */
    VM_UNRESPONSIVE, /* running, but does not follow its target */
    VM_STATE_COUNT
};

/* "off", "building", …, as in `list`. */
const char *vm_state_name(enum vm_state state);

/* The host as one physinfo call shows it, with what has been promised beside it. */
struct host {
    struct kib total;   /* all memory that Xen manages */
    struct kib free;    /* free pages, claims not subtracted */
    struct kib claimed; /* outstanding claims of all domains together */
    struct kib unbound; /* reservations that no domain has yet */
};

/* Of a guest's report (core/report.h) what decisions look at. */
struct vm_report {
    struct kib need;
    struct kib floor;
    struct kib swap_used;
    enum need_source source; /* NEED_NONE where there is no report */
    int16_t psi_some;        /* hundredths of a percent */
    bool balloon;
};

/* One domain. Amounts are Xen's pages as KiB, except target, which is xenstore's. Each decision
 * reads it all, for every VM of the host: what no decision looks at does not belong here. */
struct vm {
    enum vm_state state;         /* what may be done with it */
    bool dom0;                   /* never ballooned; counts with its cap */
    bool cap_unlimited;          /* cap means nothing: the domain is left out of headroom */
    bool overridden;             /* target was set by the operator's own xl: honoured as it is */
    bool young;                  /* it was built while we looked: it is raised to its startup */
    bool fresh;                  /* the report is young enough for its source */
    struct vm_settings settings; /* effective */
    struct kib assigned;         /* tot_pages */
    struct kib cap;              /* max_pages */
    struct kib claim;            /* its outstanding claim */
    struct kib target;           /* memory/target; 0 where there is none */
    struct kib offset;           /* assigned − target when its balloon is at rest; 0 for PV */
    struct kib bound;            /* of the reservation bound to it, what is for its pages; 0 none */
    struct vm_report report;     /* the last that was understood */
};

/* libxl's slack: the cap that goes with a target is target + videoram + this. */
#define CAP_SLACK ((struct kib){INT64_C(1024)})

/* Memory that a start waits for, and that guests are squeezed for. */
struct want {
    struct kib size;
    int32_t priority;
};

/* One moment: everything that a decision may depend on. */
struct snapshot {
    int64_t now_ms; /* the caller's monotonic clock */
    struct host host;
    struct host_settings settings;
    const struct vm *vms; /* of two that are equal in everything, the earlier one comes first: keep
                             the order stable */
    size_t n_vms;
    const struct want *wants; /* what can be fulfilled, and no more */
    size_t n_wants;
    bool returns; /* one of them came to nothing: nobody else waiting, what was given for it goes
                     back to whoever gave it. Until the host is settled */
};

/*
 * What is left to promise: free − Σ headroom(d) − unbound reservations − reserve, where headroom(d)
 * = max(0, claim, cap − assigned, bound − assigned). Promise 1 holds as long as this is not
 * negative.
 */
struct kib model_uncommitted(const struct snapshot *snapshot);

/* The same without any domain's headroom taken off. */
struct kib model_unpromised(const struct snapshot *snapshot);

/* All wants together. */
struct kib model_wanted(const struct snapshot *snapshot);

/* The headroom of one domain, as above. */
struct kib model_headroom(const struct vm *vm);

/* What one domain is counted with if this were its cap: all that it has and may still take. What a
 * guest does within its cap does not change it. */
static inline struct kib model_commitment(const struct vm *vm, struct kib cap)
{
    struct kib most = kib_max(kib_add(vm->assigned, vm->claim), kib_max(vm->assigned, vm->bound));

    return kib_max(most, cap);
}

/* What it is counted with now, = assigned + headroom. */
static inline struct kib model_counted(const struct vm *vm)
{
    return model_commitment(vm, vm->cap_unlimited ? vm->assigned : vm->cap);
}

/* The cap that goes with a target of this VM. */
static inline struct kib model_cap(const struct vm *vm, struct kib target)
{
    return kib_add(target, kib_add(vm->offset, CAP_SLACK));
}

/* What it will be counted with once it is at rest at this target: a claim stays with it, and so
 * does a reservation bound to it, if that is more. */
struct kib model_rest(const struct vm *vm, struct kib target);

#endif
