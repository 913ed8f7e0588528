/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest says of its memory: the one decoder for all text that guests write, and the encoder
 * of our own agent. Everything here is a hint from somebody who may lie; it is clamped where it is
 * used.
 */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

struct err;

#define REPORT_KEY      "data/xenmem" /* relative to the guest's own xenstore folder */
#define REPORT_TEXT_MAX 512           /* longer text is refused unread */

enum need_source {
    NEED_NONE,
    NEED_AGENT,     /* xenmem-agent: REPORT_KEY */
    NEED_QUBES,     /* memory/meminfo */
    NEED_XENSERVER, /* data/meminfo_total and data/meminfo_free */
    NEED_SOURCE_COUNT
};

struct guest_report {
    enum need_source source;
    bool balloon;     /* its kernel has a balloon driver */
    int32_t psi_some; /* avg10 of /proc/pressure/memory in hundredths of a percent, 0–10000 */
    int32_t psi_full;
    struct kib need;      /* what it holds, minus what its kernel calls available, plus swap in use;
                             in Xen's pages */
    struct kib floor;     /* what it cannot give back; 0 unknown */
    uint64_t sequence;    /* grows with every report of the agent; 0 from the others */
    struct kib total;     /* MemTotal */
    struct kib available; /* MemAvailable */
    struct kib swap_used; /* SwapTotal − SwapFree */
    struct kib cache;     /* reclaimable cache */
    int32_t swap_in_kib_s; /* rates since the last report */
    int32_t swap_out_kib_s;
    uint64_t oom_kills; /* since boot */
};

/* "none", "agent", "qubes", "xenserver" */
const char *need_source_name(enum need_source source);

/*
 * Strict readers: exactly one format each, bounded, nothing before or behind it. bytes need no NUL.
 * Return 0, or −1 with ERR_INVALID and *out untouched.
 */
int report_decode(const void *bytes, size_t length, struct guest_report *out, struct err *err);

/* Qubes: one decimal, KiB in use, swap included. */
int report_decode_qubes(const void *bytes, size_t length, struct guest_report *out,
                        struct err *err);

/* XenServer: two decimals in KiB; assigned is what the domain holds, for need = assigned − free. */
int report_decode_xenserver(const void *total, size_t total_length, const void *free_,
                            size_t free_length, struct kib assigned, struct guest_report *out,
                            struct err *err);

/* False where the agent's number is the one that was seen last: time stands still in there, or an
 * old report was written again. */
bool report_is_news(const struct guest_report *report, const struct guest_report *last);

/* Writes what report_decode reads; returns the length without NUL. room ≥ REPORT_TEXT_MAX. */
size_t report_encode(const struct guest_report *report, char *buf, size_t room);

#endif
