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

#define NEED_PRESSING_MS INT64_C(100) /* between two looks while memory runs out */

/*
 * Does memory run out soon: is less than an eighth of what is held available, or will all of it be
 * used within 4 s if it goes on as since the look before, elapsed_ms ago, when so much was
 * available? A second is long then: a guest without swap that takes 100 MiB in it is dead before
 * the host hears of it.
 */
bool need_is_pressing(const struct kernel_view *now, struct kib available_before,
                      int64_t elapsed_ms);

/* Is now to be said, elapsed_ms after last was? */
bool need_worth_saying(const struct guest_report *now, const struct guest_report *last,
                       int64_t elapsed_ms);

#endif
