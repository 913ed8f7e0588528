/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of "[section]" and "key = value" lines, as configuration and scenarios are written:
 * strictly, and with the line named in every refusal. '#' and ';' begin a comment line; " ;" a
 * comment behind a value.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stddef.h>

struct err;

#define CONF_LINE_MAX    190 /* bytes of a line, without its end */
#define CONF_SECTION_MAX 48  /* bytes of a section's name */
#define CONF_KEYS_MAX    64  /* keys in one section */
#define CONF_LINES_MAX   100000

/*
 * Called for each section with key = value = NULL, then for each of its keys, in the order of the
 * file. section is "" for keys before the first. Texts are valid during the call. 0, or −1 and a
 * filled err, to which file and line are added.
 */
typedef int conf_fn(void *arg, const char *section, const char *key, const char *value, int line,
                    struct err *err);

/*
 * Reads file. 0, or −1 with "FILE:LINE: what, why": ERR_INVALID for what is wrong in it, and
 * whatever each returned; reading stops there. "FILE: why" with ERR_INVALID where there is no such
 * file, ERR_DENIED where it cannot be read.
 *
 * Refused are lines that are neither section nor key, too long, or have control characters in them;
 * a section or key without a name; a key twice in a section, and a section twice in the file.
 */
int conf_read(const char *file, conf_fn *each, void *arg, struct err *err);

/*
 * The same for text that is in memory already; name is what refusals call it, and is never opened.
 */
int conf_read_text(const char *name, const char *text, size_t length, conf_fn *each, void *arg,
                   struct err *err);

#endif
