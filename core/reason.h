/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why: the codes that every action, verdict and refusal carries. The same name stands in log,
 * journal and reply. */
#ifndef CORE_REASON_H
#define CORE_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

enum reason {
    REASON_KEEP,         /* it has what it wants */
    REASON_NOT_MANAGED,  /* mode ignored, or dom0 */
    REASON_STATE,        /* only running domains are touched */
    REASON_OVERRIDE,     /* the operator set its target by hand */
    REASON_NO_DATA,      /* no fresh need: it keeps what it has */
    REASON_STATIC,       /* mode static: always startup */
    REASON_BOUND_LOW,    /* below its minimum or floor */
    REASON_BOUND_HIGH,   /* above its maximum */
    REASON_GROW_DEMAND,  /* its need and buffer ask for more */
    REASON_SCARCE,       /* there is not enough for everybody's want: share by priority */
    REASON_GIVE,         /* has to spare what others, or the host's headroom, need */
    REASON_HOLD,         /* surplus = hold: goes back to the host */
    REASON_SHARE,        /* surplus = share: gets its part of what is left */
    REASON_RETURN,       /* gets back what it gave for a start that came to nothing */
    REASON_UNRESPONSIVE, /* did not follow: target set to what it has, tried again later */
    REASON_CAP_EXCESS,   /* its cap was above what it is entitled to */
    REASON_CAP_SHORT,    /* its cap was below its target */
    REASON_RESTORE,      /* promise 1 is broken: only what restores it is done */
    REASON_COUNT
};

/* "grow-demand", …: stable. */
const char *reason_name(enum reason reason);

/* One sentence for people. */
const char *reason_text(enum reason reason);

/* --- refusals -------------------------------------------------------------------------------- */

enum refusal_code {
    REFUSAL_NO_MEMORY, /* it is not there, and cannot be freed for its priority */
    REFUSAL_NOT_GIVEN, /* guests were asked for it, and did not give it in time */
    REFUSAL_WAITED,    /* it was to wait for so long and no longer */
    REFUSAL_COUNT
};

#define REFUSAL_HOLDERS 3   /* more are not told */
#define REFUSAL_TEXT    400 /* room for the sentence */

struct refusal_holder {
    size_t vm;         /* index into the snapshot's */
    struct kib holds;  /* what it keeps against that start */
    bool unresponsive; /* for it does not follow its target */
};

/* A start for which there is no room, with what that is made from. */
struct refusal {
    enum refusal_code code;
    struct kib size;     /* that it asked for */
    int32_t priority;    /* of the start */
    struct kib now;      /* there without moving anyone */
    struct kib freeable; /* could be freed for that priority, besides */
    struct kib ahead;    /* of both, for starts that came before */
    int64_t waited_ms;   /* how long guests were asked for it, or how long it was to wait; 0 not */
    struct refusal_holder holders[REFUSAL_HOLDERS]; /* who holds most, the first n_holders */
    size_t n_holders;
};

/* "no-memory", …: stable. */
const char *reason_refusal_name(enum refusal_code code);

/* One sentence for people, made of the figures. names are the holders', in their order. Returns
 * out. */
const char *reason_refusal_text(const struct refusal *refusal, const char *const *names,
                                char out[REFUSAL_TEXT]);

#endif
