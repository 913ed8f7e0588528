/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision: one snapshot in, an ordered list of actions with their reasons out.
 *
 * Pure: no clock, no I/O, no allocation. What has to be remembered between two decisions is in
 * struct vm_track, one a domain, which the caller keeps and hands in again; zeroed, it remembers
 * nothing. The same input gives the same bytes.
 */
#ifndef CORE_DECIDE_H
#define CORE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "core/divide.h"
#include "core/model.h"
#include "core/reason.h"

/* How well a VM is off, in Hyper-V's words. */
enum vm_status {
    VM_STATUS_UNKNOWN, /* no need known */
    VM_STATUS_OK,      /* more than 80% of its buffer is there */
    VM_STATUS_LOW,     /* 0 to 80% */
    VM_STATUS_WARNING, /* assigned < what it needs now: the guest is probably paging */
};

/* "unknown", "ok", "low", "warning" */
const char *vm_status_name(enum vm_status status);

/* What the core remembers of one domain. What every decision looks at comes first. */
struct vm_track {
    struct kib demand;      /* filtered need: rises at once, falls slowly */
    struct kib need;        /* as last reported and believed */
    int64_t demand_ms;      /* when the filter last ran */
    struct kib target;      /* the target that is being watched; 0 none yet */
    struct kib seen;        /* what it had at the last look, in terms of targets */
    int64_t progress_ms;    /* when it last came nearer, or was there */
    struct kib counted;     /* what it was counted with at the last look … */
    int64_t counted_ms;     /* … which was then: only later is it believed to be less */
    struct kib lent;        /* its target before it was lowered for a start that waits; 0 nothing */
    int32_t failures;       /* to follow, in a row; each doubles the wait. 0: no limit is known */
    bool has_demand;        /* demand means something */
    bool mobile;            /* its balloon was seen to follow, or its agent saw a balloon driver */
    bool young;             /* built a short while ago: it wants its startup */
    bool changed;           /* its target has changed in the last while: changed_ms */
    struct kib start;       /* what it had when it was first asked to go this way */
    struct kib best;        /* how near to its target it has come */
    int64_t changed_ms;     /* when its target last changed */
    struct kib unproved;    /* until it is mobile it is not sent below this */
    struct kib low;         /* found by trying: it does not go below (target terms); 0 unknown */
    struct kib high;        /* found by trying: it does not go above; 0 unknown */
    int64_t young_until_ms; /* 0: it has not reported yet */
    int64_t retry_ms;       /* when they are tried again; 0 it is time */
};

/* What was decided about one VM, and from which figures; in one cache line. */
struct verdict {
    struct kib need;   /* what it needs now; −1 unknown */
    struct kib demand; /* its need, filtered, without buffer; −1 unknown */
    struct kib wanted; /* demand and buffer, within its limits */
    struct kib low;    /* it is never sent below this */
    struct kib high;   /* nor above this */
    struct kib share;  /* what dividing the host's memory entitles it to */
    struct kib goal;   /* where its target is to end */
    int32_t pressure;  /* wanted ÷ assigned in percent; −1 unknown */
    enum vm_status status : 8;
    enum vm_state state : 8; /* as in the snapshot, or VM_UNRESPONSIVE */
    enum reason reason : 8;  /* why goal is what it is */
    bool suspicious;         /* it says that more memory is in use than it has: that cannot be so */
};

enum action_kind {
    ACTION_TARGET, /* target and the cap that goes with it */
    ACTION_CAP,    /* the cap alone */
};

struct action {
    struct kib from;   /* the target, or the cap, that it has now */
    struct kib target; /* ACTION_TARGET */
    struct kib cap;    /* both */
    uint32_t vm;       /* index into the snapshot */
    enum action_kind kind : 8;
    enum reason reason : 8;
    bool releases; /* it gives memory or promises back; else it takes, out of what is free now */
    uint8_t zero;  /* where padding would be: the same input gives the same bytes */
};

/* What a VM may be told at all. */
enum role {
    ROLE_NONE,       /* nothing: it is not ours, or not running */
    ROLE_OVERRIDDEN, /* its cap only: the operator set its target */
    ROLE_FIXED,      /* a target that does not come from sharing: static, or no fresh need */
    ROLE_SHARES,     /* a target from sharing */
};

/* Where a target stands. */
enum standing {
    STANDING_WELL,
    STANDING_BELOW_NEED, /* within its bounds, but below its demand */
    STANDING_BELOW,      /* below what it may be */
    STANDING_ABOVE,      /* above what it may be */
};

/* Its cap against what goes with its target. */
enum cap_standing { CAP_FITS, CAP_SHORT, CAP_EXCESS };

/* A limit that the guest itself was found to have, and that is in the way. */
enum limit {
    LIMIT_NONE,
    LIMIT_LOW,  /* it does not go below base */
    LIMIT_HIGH, /* it does not go above high, and wants to */
};

/* Working space of one VM, in one cache line: small amounts in granules. */
struct decide_work {
    struct kib target;  /* as in the snapshot */
    struct kib counted; /* as model_counted() has it */
    struct kib base;    /* low, rounded */
    struct kib goal;    /* as in the verdict */
    uint32_t need;      /* granules from base to what it needs now */
    uint32_t demand;    /* granules from base to its demand */
    uint32_t buffer;    /* from there to what it wants */
    uint32_t room;      /* from there to high */
    uint32_t given;     /* granules that it is entitled to: see share_due() */
    uint32_t trial;     /* KiB below base, to see whether it follows now; 0 none */
    int32_t overhead;   /* KiB that its cap is above its target */
    uint8_t priority;
    enum reason reason : 8; /* as in the verdict */
    enum role role : 8;
    enum standing standing : 2;
    enum limit limit : 2;
    enum cap_standing cap : 2;
    bool rested : 1; /* its target has not changed for a while: small changes may be made */
};

/* A VM that waits for memory, and its place in the queue. */
struct waiting {
    uint32_t vm;
    uint32_t place; /* the less, the earlier */
};

/* Room for a decision on n VMs, from the caller. All arrays have n_vms members. */
struct decision {
    struct verdict *verdicts;
    struct action *actions;   /* at most one a VM */
    struct decide_work *work; /* working space; what role each VM had may be read there */
    struct part *parts;       /* working space */
    struct waiting *waiting;  /* working space */
    size_t n_actions;         /* out */
    struct kib uncommitted;   /* out: what is left to promise before the actions */
    bool settled;             /* out: nothing to do, and nobody on the way */
};

/* Safety measures that tests switch off to see a scenario fail. Zeroed: everything on. */
struct decide_faults {
    bool grow_unverified; /* raises are not held to what is free now */
    bool no_floors;       /* minimums and floors are ignored */
    bool no_settle;       /* guests that do not follow are never found */
    bool no_caps;         /* targets are lowered without the caps that go with them */
    bool no_gate;         /* paused and booting domains are written too */
    bool no_probe;        /* guests are lowered before they were seen to move */
    bool trust_all;       /* what any guest says that it cannot give back binds */
    bool believe_all;     /* a need counts even beyond the VM's own maximum */
};

void decide(const struct snapshot *snapshot, struct vm_track *tracks, struct decision *decision,
            const struct decide_faults *faults);

#endif
