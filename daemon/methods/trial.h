/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What would be decided if something were otherwise: nothing is written, and nothing is kept. */
#ifndef DAEMON_METHODS_TRIAL_H
#define DAEMON_METHODS_TRIAL_H

#include "core/decide.h"

struct daemon;
struct domain;

/* What is otherwise. Zeroed: nothing but what registry and layers say by now. */
struct trial {
    const struct domain
        *domain; /* has these settings, and its override is taken back; NULL: none */
    struct vm_settings settings;
    struct want start; /* waits for memory; of size 0: none */
};

/*
 * Decides once more on what the last pass saw, with the settings that are in force now, and shows
 * what it comes to; the VMs of the snapshot are the registry's domains. Both are gone afterwards.
 */
void trial_decide(struct daemon *daemon, const struct trial *trial,
                  void (*visit)(void *arg, const struct snapshot *snapshot,
                                const struct decision *decision),
                  void *arg);

#endif
