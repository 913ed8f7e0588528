/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the Xen backend share. */
#ifndef HV_XEN_XEN_H
#define HV_XEN_XEN_H

#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenstore.h>

#include "hv/hv_ops.h"
#include "hv/moment.h"
#include "hv/noise.h"
#include "hv/rest.h"
#include "hv/savers.h"

/* What to do where the hypervisor refuses a question. */
#define XEN_MISMATCH "use a xenmemd that was built for this version of Xen"

/* What a watch said that must be read again. */
#define STALE_MEMORY 0x1u /* memory/…: target, static-max, videoram, our own copy */
#define STALE_NAME   0x2u
#define STALE_AGENT  0x4u  /* data/xenmem */
#define STALE_SERVER 0x8u  /* data/meminfo_free */
#define STALE_QUBES  0x10u /* memory/meminfo */
#define STALE_REPORT (STALE_AGENT | STALE_SERVER | STALE_QUBES)
#define STALE_ALL    0x1fu

/* What is known of one domain between two looks. */
struct xen_domain {
    struct hv_domain seen; /* as last handed out */
    unsigned stale;        /* STALE_… */
    bool introduced;       /* xenstored knows it */
    bool watched;          /* all watches on it are set */
    struct kib videoram;   /* memory/videoram; 0 where there is none */
    struct kib pool;       /* as it was when last asked */
    struct rest rest;
    struct noise noise;
};

struct xen {
    struct hv hv;
    xc_interface *xc;
    struct xs_handle *xs;      /* for reading and writing … */
    struct xs_handle *watches; /* … and for watches: where there are any, libxenstore has a thread
                                  that reads, and every answer takes a detour through it */
    xenevtchn_handle *evtchn; /* bound to the low-memory signal alone; NULL: somebody else has it */
    xc_domaininfo_t *infos;   /* of the last bulk query */
    size_t n_infos, infos_room;
    struct moment moment;
    struct xen_domain *known; /* ascending by domid */
    size_t n_known;
    int64_t now_ms;           /* of the last hv_read */
    struct hv_domain *view;   /* what hv_read hands out */
    bool pool_moved;          /* some domain's, while domains were last updated */
    bool read_failed;         /* a value may be there that could not be read */
    size_t n_reads;           /* values read from xenstore since the last hv_read began */
    bool sharing_unsupported; /* asked once */
    struct savers savers;
};

/* --- xen_store.c: what xenstore says, read only where a watch said that it changed --- */

int store_open(struct xen *xen, struct err *err);

/* Sets the watches on a domain, unless they are; what cannot be set is tried again at each call. */
void store_watch(struct xen *xen, struct xen_domain *domain);
void store_unwatch(struct xen *xen, uint32_t domid);

/* Listens again to a guest that was too noisy, if it is time; until then marks its keys stale. */
void store_poll(struct xen *xen, struct xen_domain *domain);

int store_drain(struct xen *xen, unsigned *changes, struct err *err);

/* Reads what is stale. What cannot be read now stays as it was, and stale. */
void store_refresh(struct xen *xen, struct xen_domain *domain, int64_t now_ms);

/* The text at /local/domain/DOMID/name, not NUL-terminated length in *length; NULL where there is
 * none, and where it cannot be read: then xen->read_failed is set. To be freed. */
char *store_read(struct xen *xen, uint32_t domid, const char *name, unsigned *length);

/* An amount that the toolstack wrote: one decimal of KiB. False where there is none, or it is
 * anything else; *out is then as before. read_failed as in store_read. */
bool store_read_amount(struct xen *xen, uint32_t domid, const char *name, struct kib *out);

/* --- xen_domains.c: the bulk query, and whose state is what --- */

/* Fills xen->infos with every domain. 0 or −1. */
int domains_query(struct xen *xen, struct err *err);

/* Merges the last query with what is known. */
void domains_update(struct xen *xen, int64_t now_ms);

struct xen_domain *domains_find(struct xen *xen, uint32_t domid);

/* --- xen_write.c --- */

int write_target(struct hv *hv, const struct hv_ref *ref, struct kib target, struct kib cap,
                 struct err *err);
int write_cap(struct hv *hv, const struct hv_ref *ref, struct kib cap, struct err *err);
int write_adopt(struct hv *hv, const struct hv_ref *ref, struct err *err);

/* Our own copy of the target, beside it. */
#define OWN_TARGET "memory/xenmem-target"

#endif
