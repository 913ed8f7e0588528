/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From states to events: each is raised on an edge, and only once a state has lasted, so that
 * nothing storms.
 */
#ifndef DAEMON_EDGES_H
#define DAEMON_EDGES_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct domain;
struct registry_watcher;

/* A state must have lasted so long before it is told. */
#define EDGE_HOLD_MS INT64_C(5000)

/* A guest's claim that cannot be so may be true the next moment, when it has the memory: only one
 * that lasts, and stays away for as long, is told. */
#define EDGE_SUSPICION_MS INT64_C(60000)

/* Something that is so or not, and whether that was told. Zeroed: it is not so. */
struct edge {
    bool told;    /* as it was last told */
    bool pending; /* differs from what was told, since */
    int64_t pending_ms;
};

/* True where `now` has differed from what was told for hold_ms; it then counts as told. */
bool edge_follow(struct edge *edge, bool now, int64_t now_ms, int64_t hold_ms);

/* vm-appeared, vm-gone: to be handed to registry_update. */
struct registry_watcher edges_watcher(struct daemon *daemon);

/* The events of one domain with a VM: status, unresponsive, override. Its verdict is of now. */
void edges_of_domain(struct daemon *daemon, struct domain *domain, int64_t now_ms);

#endif
