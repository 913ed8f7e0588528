/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's texts, taken apart. Pure: bytes in, figures out.
 *
 * Kernels differ in what they say, so every line that is not known is passed over, and a figure
 * that is not there, cut off, negative or beyond KIB_LIMIT counts as not said. Texts are bounded
 * and need no NUL; nothing behind length is looked at.
 */
#ifndef AGENT_PROC_TEXT_H
#define AGENT_PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

struct err;

/* /proc/meminfo; what a kernel does not say is 0. */
struct meminfo {
    struct kib total; /* MemTotal: shrinks with the balloon */
    struct kib free;
    struct kib available; /* MemAvailable, from 0 to total; older than Linux 3.14: estimated */
    struct kib buffers;
    struct kib cached; /* shmem included */
    struct kib shmem;
    struct kib swap_total;
    struct kib swap_free;
    struct kib anonymous;     /* AnonPages */
    struct kib unevictable;   /* mlocked and the like */
    struct kib reclaimable;   /* SReclaimable: caches of the kernel that shrink */
    struct kib unreclaimable; /* SUnreclaim */
    struct kib kernel_stack;
    struct kib page_tables;
    struct kib second_page_tables; /* of guests within this one */
    struct kib per_cpu;
    struct kib huge; /* Hugetlb: set aside for huge pages, used or not */
};

/* 0; −1 with ERR_INVALID where MemTotal, or both MemAvailable and MemFree, are not said. */
int proc_text_meminfo(const char *text, size_t length, struct meminfo *out, struct err *err);

/* /proc/pressure/memory: the averages of 10 s, in hundredths of a percent, 0–10000. Not said: 0. */
struct pressure {
    int32_t some;
    int32_t full;
};

void proc_text_pressure(const char *text, size_t length, struct pressure *out);

/* /proc/vmstat, counted since boot. Not said: 0. */
struct vmstat {
    uint64_t oom_kills;
    uint64_t swapped_in; /* pages */
    uint64_t swapped_out;
};

void proc_text_vmstat(const char *text, size_t length, struct vmstat *out);

/* A whole text of one decimal number and a line end: KiB. False where it is anything else. */
bool proc_text_kib(const char *text, size_t length, struct kib *out);

#endif
