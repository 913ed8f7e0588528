/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host made by hand: domains as the hypervisor would show them, and what the registry makes of
 * them. */
#ifndef TESTS_DAEMON_VIEW_H
#define TESTS_DAEMON_VIEW_H

#include <stdint.h>

#include "daemon/registry.h"
#include "daemon/settings/layers.h"

extern struct registry *registry;
extern struct layers *layers;

/* A checked fixture: an empty host, known to nobody. */
void view_make(void);
void view_unmake(void);

/* Lets the registry look, which must tell just this: "appeared web1\ngone web2 7\n…". */
void look(const char *expected);

/* A running domain of 1 GiB with a static-max of 4 GiB. Its place is that of its id. Valid until
 * the next build or destroy. */
struct hv_domain *build(uint32_t domid, uint8_t uuid, const char *name);
struct hv_domain *find(uint32_t domid);
void destroy(uint32_t domid);
void rename_to(uint32_t domid, const char *name);

/* What the registry knows by that name: there must be something. */
const struct vm_entry *vm(const char *name);

/* The id of the domain that has the name; −1 none. */
int64_t id_of(const char *name);

#endif
