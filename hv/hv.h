/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor: what the daemon sees of it and may do to it. Two implementations: hv/xen/xen.c
 * (libxenctrl and xenstore) and hv/sim/sim.c (a simulated host, in this process or in one of its
 * own).
 *
 * One thread. hv_read is one bulk query whatever the number of domains; guests' reports are read
 * only where a watch says that they changed. Nothing waits for a guest.
 */
#ifndef HV_HV_H
#define HV_HV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "core/model.h"

struct err;
struct hv;

#define HV_NAME_MAX  256 /* with NUL; a longer name is cut */
#define HV_MAX_FDS   4
#define HV_MAX_NODES 64

/* Domids are reused: a domain is its domid and its uuid together. */
struct hv_ref {
    uint32_t domid;
    uint8_t uuid[16];
};

struct hv_domain {
    struct hv_ref ref;
    char name[HV_NAME_MAX];  /* "" where the toolstack has not written one yet */
    enum vm_state state;     /* never OFF, FROZEN or UNRESPONSIVE */
    int32_t shutdown_reason; /* in VM_SHUTDOWN: 0 poweroff, 1 reboot, 2 suspend, 3 crash, 4
                                watchdog, 5 soft reset */
    bool dying;              /* the hypervisor takes it apart, and gives it no page any more */
    bool dom0;               /* the control domain */
    bool stub;               /* a stub domain: part of its VM's overhead, never managed */
    bool pv;                 /* paravirtualised; else HVM or PVH */
    struct kib assigned;     /* tot_pages */
    struct kib cap;          /* max_pages */
    bool cap_unlimited;      /* dom0 without dom0_mem=…,max: */
    struct kib claim;        /* outstanding claim */
    struct kib pod_debt;     /* populate-on-demand pages without memory behind them, which the guest
                                still has to balloon away; 0 for PV */
    struct kib pool;         /* what the hypervisor took from free for its page tables; while it is
                                built, never more than free has lost for it; 0 for PV; once it is
                                dying, what it had */
    struct kib target;       /* memory/target; 0 where there is none */
    struct kib static_max;   /* memory/static-max; 0 where there is none */
    struct kib offset;       /* assigned − target at rest, once measured; 0 before and for PV */
    struct kib own_target;   /* our copy of the target; another one there was set by hand */
    bool has_own_target;     /* false: we never wrote this domain's target */
    struct guest_report report; /* last text that could be understood; source NEED_NONE before */
    int64_t report_ms;          /* when it last changed, on the clock given to hv_read */
    bool noisy; /* it writes so often that it is not listened to, only looked at once a look */
};

struct hv_node {
    struct kib total, free; /* of one NUMA node */
};

struct hv_host {
    struct kib total;   /* all memory that the hypervisor manages */
    struct kib free;    /* free pages, claims not subtracted */
    struct kib claimed; /* outstanding claims, all domains */
    struct kib shared;  /* saved by page sharing; reported, never counted on */
    size_t n_nodes;     /* online NUMA nodes, at most HV_MAX_NODES */
    struct hv_node nodes[HV_MAX_NODES];
};

/* One look at the world. Owned by hv, valid until the next hv_read or hv_close. */
struct hv_view {
    struct hv_host host;
    const struct hv_domain *domains; /* ascending by domid */
    size_t n_domains;
    size_t n_reads; /* values that had to be read again, one by one, because a watch said so */
};

/* What hv_drain found. */
#define HV_DOMAINS    0x1u /* a domain appeared, went, or shut down */
#define HV_REPORTS    0x2u /* a guest's report changed */
#define HV_LOW_MEMORY 0x4u /* the hypervisor itself says that it is running low */

/*
 * backend is "xen", or "sim:SOCKET" for a simulated host that listens there. Returns 0 and *out, or
 * −1: ERR_UNSUPPORTED (not built in, not dom0: says what is missing), ERR_DENIED, ERR_UNREACHABLE.
 * Open after any fork: there may be a thread behind it.
 */
int hv_open(const char *backend, struct hv **out, struct err *err);

/* NULL is fine. Targets, caps and the domains themselves stay as they are. */
void hv_close(struct hv *hv);

/* "xen" or "simulated", for people. */
const char *hv_kind(const struct hv *hv);

/* Descriptors that become readable when hv_drain has something. Returns how many. */
size_t hv_fds(struct hv *hv, int fds[HV_MAX_FDS]);

/* Takes in what is pending, without blocking. 0 and an OR of HV_… in *changes, or −1
 * ERR_UNREACHABLE when the connection is lost. */
int hv_drain(struct hv *hv, unsigned *changes, struct err *err);

/* Looks at the whole host. now_ms is the caller's monotonic clock. 0 or −1. */
int hv_read(struct hv *hv, int64_t now_ms, struct hv_view *view, struct err *err);

/*
 * Sets cap, PoD target, memory/target and our copy of it the way libxl does: under its lock (never
 * waited for: ERR_BUSY), cap first. That it is still the same domain, introduced and running, is
 * checked right before: else ERR_NOT_FOUND and nothing is written. On a failure half-way the cap is
 * as high as either side needs.
 */
int hv_set_target(struct hv *hv, const struct hv_ref *ref, struct kib target, struct kib cap,
                  struct err *err);

/* Sets the cap alone; the same check. */
int hv_set_cap(struct hv *hv, const struct hv_ref *ref, struct kib cap, struct err *err);

/* Takes the current target as our own (an override that has been honoured or cleared). */
int hv_adopt_target(struct hv *hv, const struct hv_ref *ref, struct err *err);

#endif
