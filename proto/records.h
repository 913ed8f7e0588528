/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of the host, a VM, an event: the one place where their members are named on the
 * wire. */
#ifndef PROTO_RECORDS_H
#define PROTO_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proto_writer;
struct setting_def;

/* Amounts that are not known are PROTO_UNKNOWN, and null on the wire. */
#define PROTO_UNKNOWN INT64_MIN

struct proto_node {
    int64_t total_kib, free_kib;
};

struct proto_host {
    const char *backend; /* "xen" or "simulated" */
    bool simulated;
    int64_t total_kib;     /* all that Xen manages */
    int64_t free_kib;      /* free pages */
    int64_t reserve_kib;   /* never given to guests */
    int64_t headroom_kib;  /* setting: kept free for the next start */
    int64_t reserved_kib;  /* reservations */
    int64_t claimed_kib;   /* Xen's outstanding claims */
    int64_t promised_kib;  /* what domains may still take up to their caps */
    int64_t available_kib; /* what a start would get now without moving anyone */
    int64_t dom0_kib;      /* what dom0 holds */
    int64_t assigned_kib;  /* all managed VMs */
    int64_t demand_kib;    /* all managed VMs whose need is known */
    int64_t shared_kib;    /* saved by page sharing */
    int64_t vms;           /* running domains, dom0 left out */
    int64_t managed;       /* of them, not ignored */
    const char *action;    /* "balance", "observe" */
    const char *surplus;   /* "keep", "hold", "share" */
    bool settled;          /* nothing is on its way */
    bool invariant_broken; /* more was promised than there is */
    const struct proto_node *nodes;
    size_t n_nodes;
};

/* Where a VM has a setting from. */
struct proto_origin {
    const char *setting; /* as it is called on the wire */
    const char *layer;   /* "policy", … */
    const char *policy;  /* its name; NULL: it is none */
    int64_t expires_ms;  /* wall clock; PROTO_UNKNOWN: it does not end */
};

struct proto_vm {
    const char *name;
    int64_t id; /* domid; PROTO_UNKNOWN while off */
    const char *state;
    int64_t assigned_kib; /* PROTO_UNKNOWN while off */
    int64_t demand_kib;
    int64_t pressure; /* percent */
    const char *status;
    int64_t target_kib;
    int64_t minimum_kib, startup_kib, maximum_kib;
    int64_t buffer_percent, priority;
    const char *mode;
    bool trust;
    bool overridden;    /* target set by the operator's own xl */
    const char *reason; /* code of the last decision; NULL none */
    /* only in vm.get: */
    const char *uuid;        /* NULL while off */
    const char *reason_text; /* a sentence */
    int64_t need_kib;        /* what the guest needs now, as last reported and believed */
    int64_t wanted_kib;      /* demand and buffer, within its limits */
    int64_t goal_kib;        /* where its target is to end */
    int64_t lowest_kib;      /* it is never sent below */
    int64_t cap_kib;         /* hard limit */
    int64_t static_max_kib;
    int64_t offset_kib; /* assigned − target at rest */
    const char *source; /* of its need */
    bool fresh;         /* its report is young enough */
    int64_t report_age_ms;
    int64_t available_kib, swap_used_kib, cache_kib, floor_kib; /* as the guest says */
    int64_t psi_some, psi_full;                                 /* hundredths of a percent */
    int64_t oom_kills;
    bool frozen;             /* by the operator */
    int64_t frozen_until_ms; /* wall clock; PROTO_UNKNOWN: it is not, or until it is thawed */
    const struct proto_origin *origins; /* of its settings; NULL: not known */
    size_t n_origins;
};

struct proto_event {
    int64_t id;
    int64_t time_ms; /* wall clock */
    const char *kind;
    const char *vm;     /* NULL: the host */
    int64_t domid;      /* −1: none */
    int64_t uid;        /* −1: the daemon */
    const char *reason; /* NULL: none */
    const char *detail;
};

/* A row of history. */
struct proto_sample {
    int64_t time_ms; /* wall clock; beginning of what it stands for */
    int64_t assigned_kib, demand_kib;
    int64_t target_kib, pressure; /* of a VM */
    int64_t free_kib;             /* of the host */
};

/* A setting's value as its wire name says: an amount, a duration or a number as an integer, a
 * choice by its name, yes and no as a boolean. */
void proto_put_setting(struct proto_writer *writer, const char *key, const struct setting_def *def,
                       int64_t value);

/* An object with an array of samples, which are put between the two. vm NULL: the host. */
void proto_history_begin(struct proto_writer *writer, const char *vm, int64_t step_ms);
void proto_put_sample(struct proto_writer *writer, const struct proto_sample *sample);
void proto_history_end(struct proto_writer *writer);

/* Each writes one object. */
void proto_put_host(struct proto_writer *writer, const char *key, const struct proto_host *host);
void proto_put_vm(struct proto_writer *writer, const char *key, const struct proto_vm *vm,
                  bool whole);
void proto_put_event(struct proto_writer *writer, const char *key, const struct proto_event *event);

#endif
