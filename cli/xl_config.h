/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of xl's configuration file tells how much memory a start needs. */
#ifndef CLI_XL_CONFIG_H
#define CLI_XL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/units.h"

struct err;

struct xl_config {
    char name[256];
    int64_t memory_mib, maxmem_mib;   /* maxmem is memory where it is not given */
    int64_t vcpus;                    /* the most it can have */
    int64_t videoram_mib, shadow_mib; /* −1: not given */
    char type[4];                     /* "pv", "pvh", "hvm" */
    bool is_saved;                    /* the file is a guest that xl saved */
    bool has_stub;                    /* its device model has a domain of its own */
    bool passthrough;                 /* it has devices of the host, or asks for an IOMMU */
};

/*
 * Reads the file: "key = value" lines, comments, lists over several lines; and then words that xl
 * is given behind it, "key=value" like lines, options passed over. Or a guest that xl saved, which
 * has its configuration with it. 0, or −1 with ERR_INVALID: it cannot be read, has no
 * name or memory, or says what counts here in a way that is not understood here.
 */
int xl_config_read(const char *path, const char *const *words, size_t n_words,
                   struct xl_config *out, struct err *err);

/* Of a file that was found to be a saved guest, and stands behind its magic. 0 or −1 ERR_INVALID.
 */
int xl_saved_read(FILE *file, const char *path, struct xl_config *out, struct err *err);

#endif
