/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of xl's configuration file tells how much memory a start needs. */
#ifndef CLI_XL_CONFIG_H
#define CLI_XL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"

struct err;

struct xl_config {
    char name[256];
    int64_t memory_mib, maxmem_mib;   /* maxmem is memory where it is not given */
    int64_t vcpus;                    /* the most it can have */
    int64_t videoram_mib, shadow_mib; /* −1: not given */
    bool pv;
    bool passthrough; /* it has devices of the host, or asks for an IOMMU */
};

/*
 * Reads the file: "key = value" lines, comments, lists over several lines. 0, or −1 with
 * ERR_INVALID: it cannot be read, has no name or memory, or says memory in a way that is not
 * understood here.
 */
int xl_config_read(const char *path, struct xl_config *out, struct err *err);

/* All that xl will take from the host for it, rounded up to 2 MiB. */
struct kib xl_config_needs(const struct xl_config *config);

#endif
