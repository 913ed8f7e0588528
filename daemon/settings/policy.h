/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy as its text has it: a name, a description, settings of the host, and settings of VMs by
 * pattern, of which the first that fits a name wins. Files are read by whoever applies them; only
 * their text comes here.
 */
#ifndef DAEMON_SETTINGS_POLICY_H
#define DAEMON_SETTINGS_POLICY_H

#include <stddef.h>

struct err;
struct layer;

#define POLICY_NAME_MAX     40              /* bytes */
#define POLICY_PATTERNS_MAX 128             /* [vm PATTERN] sections */
#define POLICY_TEXT_MAX     ((size_t)30000) /* bytes of the whole text: so it fits into a request */

struct policy {
    char name[POLICY_NAME_MAX + 1];
    char *description;   /* "" where it has none */
    struct layer *layer; /* what it says; without an id until it is applied */
    size_t n_patterns;
};

/*
 * Reads text; file is what refusals call it ("FILE:LINE: what, why") and is never opened. 0 and
 * *out, which the caller frees; or −1 ERR_INVALID.
 */
int policy_read(const char *file, const char *text, struct policy **out, struct err *err);

/* NULL is fine. */
void policy_free(struct policy *policy);

#endif
