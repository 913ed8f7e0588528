/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies against what is there: may one be applied, does it say anything new, and what would
 * come of it. How it gets to the disk and into force is in changes.c.
 */
#ifndef DAEMON_SETTINGS_POLICIES_H
#define DAEMON_SETTINGS_POLICIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

struct daemon;
struct err;
struct layer;
struct layers;
struct policy;
struct proto_writer;
struct setting_def;

/* The layer of the policy of that name that is in force; NULL where there is none. */
struct layer *policies_find(struct layers *layers, const char *name);

/* True where applying it again would change nothing: it says the same, neither ends, and no other
 * policy was applied since. */
bool policies_in_force(struct layers *layers, const struct policy *policy, int64_t for_ms);

/* Holds it to the rules: 0, or −1 naming the VM whose settings would contradict each other. */
int policies_check(struct daemon *daemon, const struct policy *policy, struct err *err);

/* One effective setting that changes, and where one VM's memory would go. */
struct foreseen_setting {
    char *vm; /* owned; NULL: the host */
    const struct setting_def *def;
    int64_t from, to;
};

struct foreseen_target {
    char *vm; /* owned */
    struct kib from, to;
};

/* What would come of it. */
struct foresight {
    struct foreseen_setting *settings;
    size_t n_settings;
    struct foreseen_target *targets;
    size_t n_targets;
    char **warnings;
    size_t n_warnings;
};

/* How things would be with the policy in force (in place of the one of its name), or without the
 * one of that name. Changes nothing. To be released with foresight_fini. */
void policies_foresee(struct daemon *daemon, struct policy *policy, struct foresight *out);
void policies_foresee_revert(struct daemon *daemon, const char *name, struct foresight *out);
void foresight_fini(struct foresight *foresight);

/* Writes it as the members "changes", "targets" and "warnings" of an object. */
void foresight_put(const struct foresight *foresight, struct proto_writer *writer);

#endif
