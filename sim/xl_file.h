/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the simulated xl takes from a configuration file of xl's. */
#ifndef SIM_XL_FILE_H
#define SIM_XL_FILE_H

#include <stddef.h>

struct err;

#define XL_FILE_WORDS 6
#define XL_FILE_TEXT  128

/* The words that stand for it behind "create": its name, and memory=, maxmem=, type=, vcpus= as far
 * as it says them. */
struct xl_file {
    char words[XL_FILE_WORDS][XL_FILE_TEXT];
    size_t n_words;
};

/* Reads the "key = value" lines that the simulated xl understands, and passes over all others. 0,
 * or −1 ERR_INVALID: it cannot be read, or has no name. */
int xl_file_read(const char *path, struct xl_file *out, struct err *err);

#endif
