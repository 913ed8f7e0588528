/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why: the codes that every action and verdict carries. The same name stands in log, journal and
 * reply. */
#ifndef CORE_REASON_H
#define CORE_REASON_H

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

#endif
