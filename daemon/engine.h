/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place where the world is looked at and changed: snapshot → decide → apply → journal. Time
 * comes from the caller, so that tests drive it through hours in milliseconds.
 */
#ifndef DAEMON_ENGINE_H
#define DAEMON_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "core/decide.h"
#include "core/settings.h"
#include "hv/hv.h"

struct daemon;
struct engine;
struct err;

struct engine *engine_new(struct daemon *daemon);

/* Whoever still waits for the host to settle is told that it is not. NULL is fine. */
void engine_free(struct engine *engine);

/*
 * One pass. now_ms is a monotonic clock. 0, or −1 where the host could not be looked at: nothing
 * was decided then. An action that fails is journalled with the reason and tried anew by the next
 * pass.
 */
int engine_tick(struct engine *engine, int64_t now_ms, struct err *err);

/* What the last pass saw and decided; all zero before the first. Valid until the next. */
struct engine_status {
    int64_t now_ms;                /* of the pass */
    struct hv_host host;           /* without names of nodes */
    struct host_settings settings; /* effective */
    struct kib unbound;            /* reservations that no domain has yet */
    struct kib uncommitted;        /* what is left to promise, reserve taken off */
    struct kib least;              /* of that: at the look, or after any write since */
    struct kib assigned, demand;   /* sums over managed VMs */
    struct kib dom0;               /* what the control domain holds */
    size_t n_reads;                /* values that the last look read one by one */
    size_t n_actions;              /* of the last pass */
    int64_t actions;               /* carried out since the start */
    int64_t passes;                /* since the start */
    bool settled;                  /* the last pass had nothing to do, and nobody is on the way */
    bool invariant_broken;         /* promise 1 did not hold at the last look, or after a write */
};
const struct engine_status *engine_status(const struct engine *engine);

/* The hypervisor itself says that it is running low: the next pass, at once, tells the operator. */
void engine_note_low_memory(struct engine *engine);

/* For tests only: safety measures that are off from the next pass on. */
void engine_switch_off(struct engine *engine, const struct decide_faults *faults);

/* What the last pass saw and what it decided; empty before the first. Valid until the next. */
void engine_last(const struct engine *engine, const struct snapshot **snapshot,
                 const struct decision **decision);

/*
 * Calls done once the host is settled, or limit_ms from the next pass on have passed (settled is
 * then false). Operators' `balance`.
 */
void engine_when_settled(struct engine *engine, int64_t limit_ms,
                         void (*done)(void *arg, bool settled, int64_t actions), void *arg);

#endif
