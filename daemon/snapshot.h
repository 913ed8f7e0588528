/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what is known of the host's domains to what the core decides on. Pure. */
#ifndef DAEMON_SNAPSHOT_H
#define DAEMON_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/model.h"

struct domain;

/* How old a guest's report may be to count, by its source: the agent speaks at least every 10 s,
 * XenServer's once a minute, Qubes' only when something changed. */
bool snapshot_report_is_fresh(const struct guest_report *report, int64_t age_ms);

/* Pages of a dying domain that have not come back for so long stay. */
#define SNAPSHOT_ZOMBIE_MS INT64_C(30000)

/* True where it is dead, and what it has does not come back. */
bool snapshot_is_zombie(const struct domain *domain, int64_t now_ms);

/* The core's view of one domain. */
struct vm snapshot_vm(const struct domain *domain, int64_t now_ms);

#endif
