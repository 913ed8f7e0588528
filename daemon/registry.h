/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is there: VMs by name, with what the operator set, and the domains of the last look at the
 * host. A VM exists here as long as it is configured or was ever seen, whether it runs or not.
 */
#ifndef DAEMON_REGISTRY_H
#define DAEMON_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uthash.h>

#include "core/decide.h"
#include "core/model.h"
#include "core/settings.h"
#include "daemon/edges.h"
#include "daemon/metrics/meter.h"
#include "hv/hv.h"

struct layers;

/* One domain of the last view, with what the core remembers of it. */
struct domain {
    struct hv_domain now; /* as last seen */
    struct vm_entry *vm; /* the VM of its name; NULL for dom0, stub domains, one that is arriving by
                            migration or has left, and an older domain of a taken name */
    struct vm_track track;  /* the core's memory of this domain */
    struct verdict verdict; /* what was last decided about it */
    int64_t moved_ms;       /* when what it has was last seen to change, or it to die */
    bool young;             /* it was built while we looked */
    bool overridden;        /* the operator set its target by hand */
    bool override_told;     /* and the event about it was raised */
    struct kib observed;    /* target that would have been written: told while action = observe */
    int32_t busy_writes;    /* in a row, that somebody else's lock was in the way of */
    bool failure_told;      /* that writes fail was journalled */
};

/* A VM by name. */
struct vm_entry {
    char *name;                  /* owned; the hash key */
    struct domain *domain;       /* NULL while it is off; moves at every registry_update */
    struct vm_settings settings; /* effective, from the layers */
    struct vm_natural natural;   /* of the domain last seen; zero if never */
    uint8_t uuid[16];            /* of the domain last seen; zero once that has another name */
    bool seen;                   /* uuid is that of a domain */
    bool has_recalled;           /* an earlier daemon wrote down what that domain needed: */
    struct kib recalled;         /* its demand … */
    int64_t recalled_age_ms;     /* … and how long before the first look that was */
    uint64_t order;              /* distinct; breaks ties between equals */
    bool unsaved;                /* natural or uuid changed since they went to the database */
    enum vm_status raised;       /* the last vm-low / vm-warning / vm-ok that was raised */
    enum vm_status pending;      /* another one that must last before it is raised; unknown: none */
    int64_t pending_ms;          /* since when */
    bool frozen;                 /* by the operator: nothing is written to its domain */
    int64_t frozen_until_ms;     /* wall clock; 0 until it is thawed */
    bool raised_unresponsive;    /* vm-unresponsive was raised and not cleared */
    struct meter meter;          /* for metrics */
    struct edge suspicious;      /* vm-suspicious */
    UT_hash_handle hh;           /* by name */
};

struct registry {
    struct vm_entry *vms;   /* hash by name */
    struct domain *domains; /* ascending by domid */
    size_t n_domains;
    bool looked; /* there was an update before */
    uint64_t next_order;
};

/* What an update found: first all that is gone, then all that came. Borrowed names live during the
 * call. */
struct registry_watcher {
    void *arg;
    void (*appeared)(void *arg, struct vm_entry *vm); /* a domain of that name came */
    /* The domain that had the name; vm->domain may be its successor already. */
    void (*gone)(void *arg, struct vm_entry *vm, const struct domain *last);
    void (*renamed)(void *arg, const char *from, struct vm_entry *to);
};

struct registry *registry_new(void);
void registry_free(struct registry *registry);

/* NULL where the name is not known. */
struct vm_entry *registry_find(const struct registry *registry, const char *name);

/* The entry of that name, made if need be, with settings from the layers. */
struct vm_entry *registry_get(struct registry *registry, const struct layers *layers,
                              const char *name);

/* Forgets a VM that is off; invariant: it has no domain. */
void registry_drop(struct registry *registry, struct vm_entry *vm);

/* Takes in what hv sees now; one pass over both lists, which are ascending by domid. now_ms: the
 * monotonic clock of hv_read. */
void registry_update(struct registry *registry, const struct layers *layers,
                     const struct hv_view *view, int64_t now_ms,
                     const struct registry_watcher *watcher);

/* Works all effective settings out again, after the layers changed. */
void registry_resolve(struct registry *registry, const struct layers *layers);

/* The effective settings that a VM would have with one more layer on top (NULL: none). 0, or −1
 * ERR_INVALID. */
int registry_resolve_one(const struct vm_entry *vm, const char *name, const struct layers *layers,
                         const struct setting_partial *extra, struct vm_settings *out,
                         struct err *err);

#endif
