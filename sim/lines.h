/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of a text file, packed by xz or not, read as they come. */
#ifndef SIM_LINES_H
#define SIM_LINES_H

#include <stdint.h>

struct err;
struct lines;

/* Opens the file. 0 and *out, or −1: ERR_DENIED, ERR_INVALID. */
int lines_open(const char *file, struct lines **out, struct err *err);

/* The next line without its end, good until the next call. 1; 0 where there is none; or −1
 * ERR_INVALID with "FILE:LINE: what is wrong": longer than 510 bytes, a NUL, packed text that is
 * damaged or ends too early. */
int lines_next(struct lines *lines, char **out, struct err *err);

/* The number of the line read last, from 1. */
int64_t lines_number(const struct lines *lines);

/* Returns NULL. */
struct lines *lines_free(struct lines *lines);

#endif
