/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One look at what the kernel says: reads /proc and /sys with fixed buffers. */
#ifndef AGENT_KERNEL_H
#define AGENT_KERNEL_H

#include <stdbool.h>

#include "agent/proc_text.h"
#include "base/units.h"

struct err;

struct kernel_view {
    struct meminfo memory;
    /* What the domain holds, in Xen's pages, at the moment that memory was read; without a balloon
     * driver, which alone knows, MemTotal. */
    struct kib held;
    bool balloon; /* there is a balloon driver */
    struct pressure pressure;
    struct vmstat counters;
};

/*
 * root ("" for /) is put before every path. Reads again where the balloon moved while it was read;
 * where it keeps moving, the reading with the most need counts. Only /proc/meminfo must be there.
 * 0, or −1: ERR_FAILED, ERR_INVALID.
 */
int kernel_look(const char *root, struct kernel_view *out, struct err *err);

#endif
