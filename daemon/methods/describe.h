/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told to clients of the host and its VMs: records for the wire, from the last pass. */
#ifndef DAEMON_METHODS_DESCRIBE_H
#define DAEMON_METHODS_DESCRIBE_H

#include <stddef.h>

#include "core/settings.h"
#include "proto/records.h"

struct daemon;
struct vm_entry;

#define DESCRIBE_UUID 37

/* The host, as the last pass saw it. nodes: room for HV_MAX_NODES. */
void describe_host(const struct daemon *daemon, struct proto_node *nodes, struct proto_host *out);

/* One VM, with those settings (usually its own). uuid is filled where it runs. Borrows from vm. */
void describe_vm(const struct daemon *daemon, const struct vm_entry *vm,
                 const struct vm_settings *settings, char uuid[DESCRIBE_UUID],
                 struct proto_vm *out);

/* Where that VM has its settings from. Borrows from origins, which borrow from the layers. */
void describe_origins(const struct daemon *daemon, struct proto_origin origins[VM_KEY_COUNT],
                      struct proto_vm *out);

/* All VMs, by name. To be freed with free. */
const struct vm_entry **describe_order(const struct daemon *daemon, size_t *count);

#endif
