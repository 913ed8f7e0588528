/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what the kernel says to what is reported, and when it is worth saying. Pure. */
#ifndef AGENT_NEED_H
#define AGENT_NEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

struct guest_report;
struct kernel_view;

#define NEED_HEARTBEAT_MS   INT64_C(10000) /* something is said at least this often */
#define NEED_CHANGE_PERCENT 2              /* and earlier where it changed by more than this */

/*
 * The report on now, all but its sequence number. before is the view of the last report, elapsed_ms
 * ago, for the rates of swapping; NULL: they are 0. page_kib is the kernel's page.
 *
 * need  = held − available + swap in use: the cache is no need, and what was swapped out is one.
 * floor = what no reclaim brings back: what the kernel took before it counted (held − MemTotal),
 * its own structures, huge pages, and the larger of what is pinned and what memory without a file
 * behind it finds no room in swap. At most held.
 */
void need_report(const struct kernel_view *now, const struct kernel_view *before,
                 int64_t elapsed_ms, int64_t page_kib, struct guest_report *out);

#define NEED_PRESSING_MS INT64_C(100)   /* between two looks while memory runs out */
#define NEED_AHEAD_MS    INT64_C(10000) /* it runs out if it would be gone within that time */
#define NEED_CALM_MS     INT64_C(1000)  /* so long nothing presses before looks are rare again */

/* How need moves from look to look. */
struct need_watch {
    struct kib need; /* at the last look */
    int64_t looked_ms;
    int64_t calm_ms; /* until then memory runs out */
    bool has_looked;
};

/*
 * A look at now_ms. True while memory runs out: less than an eighth of what is held is available,
 * or all of it will be used within NEED_AHEAD_MS if need goes on growing as since the look before;
 * and for NEED_CALM_MS after that, since a rise may pause. A second is long then: a guest without
 * swap that takes 100 MiB in it is dead before the host hears of it. It is far ahead because a rise
 * that began just before a look shows as a small part of its pace. What counts is that need grows,
 * not that less is available: a balloon that grows too would hide the rise.
 */
bool need_watch_look(struct need_watch *watch, const struct kernel_view *now, int64_t now_ms);

/* Is now to be said, elapsed_ms after last was? */
bool need_worth_saying(const struct guest_report *now, const struct guest_report *last,
                       int64_t elapsed_ms);

#endif
