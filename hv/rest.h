/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sees a full virtual guest's balloon come to rest: from then on it has booted, and may be written
 * to. Pure, so that it can be tested without Xen.
 */
#ifndef HV_REST_H
#define HV_REST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

struct hv_domain;

/*
 * Nothing has moved for this long. The kernel of a populate-on-demand guest pays its debt before it
 * starts init, and is then in its busiest moment; two looks alone may be 20 ms apart.
 */
#define REST_MS 2000

/* What is remembered of a domain between two looks. */
struct rest {
    bool rested;                 /* it has booted; always true for PV */
    bool measured;               /* its offset is known; always true for PV */
    int64_t since_ms;            /* nothing has moved since */
    struct kib assigned, target; /* at the look before */
};

struct rest rest_begin(bool pv);

/* Takes in one look. HVM and PVH guests hold a constant more, or less, than their target says: it
 * is measured here, and written to seen->offset. */
void rest_look(struct rest *rest, struct hv_domain *seen, struct kib videoram, int64_t now_ms);

#endif
