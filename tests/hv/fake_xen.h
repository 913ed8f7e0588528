/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen as hv/xen/ sees it, within a test: hypercalls, xenstore, event channels, and the files of a
 * control domain. Each call may be made to fail, by its place in the order in which they come; what
 * is held open is counted. One host with dom0, a PV guest, and an
 * HVM guest with a stub domain.
 */
#ifndef TESTS_HV_FAKE_XEN_H
#define TESTS_HV_FAKE_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_PV      1
#define FAKE_HVM     2
#define FAKE_STUB    3

#define FAKE_DOMAINS 4 /* dom0 is the first */

/* What a write to a guest changes, in KiB; −1 where there is none. */
struct fake_levers {
    int64_t cap, pod, target, own, vm;
};

void fake_xen_begin(void);
void fake_xen_end(void);

/* Where the files of this control domain are; it has no processes. */
const char *fake_xen_folder(void);

/* The nth call from now on fails, and those after it, `times` in a row; nth −1: none. */
void fake_xen_fail(int nth, int times);

/* Is it this call's turn? For those who play Xen's part. */
bool fake_xen_fails(const char *call);

/* The first call that failed since then; NULL: none was reached. */
const char *fake_xen_failed(void);

/* While the domains are next listed, the PV guest grows by so many pages once it was looked at, and
 * the HVM guest shrinks by as many before it is. */
void fake_xen_move_balloons(uint64_t pages);

/* The HVM guest is being built from now on, and when its pool is next asked for, it has just taken
 * so many pages for it. */
void fake_xen_build(uint64_t pages);

/* The HVM guest dies, and its pool has come back. */
void fake_xen_die(void);

/* Handles and lock files that are open. */
size_t fake_xen_held(void);

struct fake_levers fake_xen_levers(uint32_t domid);

/* As somebody else writes it: watches fire. Part of a domain's folder: "memory/target". */
void fake_xen_write(uint32_t domid, const char *name, const char *value);

#endif
