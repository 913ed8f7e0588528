/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a toolstack builds a VM with, and what that takes from the host. */
#ifndef CORE_BUILD_H
#define CORE_BUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

enum build_type { BUILD_PV, BUILD_PVH, BUILD_HVM };

#define BUILD_VCPUS_MOST 4096

struct build {
    struct kib memory, maxmem; /* its memory, and the most that it is ever to have */
    enum build_type type;
    int64_t vcpus;     /* the most that it can have, 1 to BUILD_VCPUS_MOST */
    struct kib video;  /* of its screen; negative: not said, as much as its type usually has */
    struct kib shadow; /* for its page tables; negative: not said, as much as libxl reckons */
    bool stub;         /* its device model has a domain of its own */
    bool passthrough;  /* it has devices of the host, or asks for an IOMMU */
};

/* One of which nothing but memory and maximum is known: what costs most of what is usual, so that
 * nothing is lacking while it is built. */
struct build build_usual(struct kib memory, struct kib maxmem);

/* All that a toolstack will take from the host for it, as libxl reckons, rounded up to 2 MiB. */
struct kib build_needs(const struct build *build);

#endif
