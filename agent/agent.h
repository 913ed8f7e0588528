/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the kernel's figures again and again, and says what changed. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/kernel.h"
#include "agent/need.h"
#include "agent/store.h"
#include "core/report.h"

struct agent {
    const char *root;  /* before /proc and /sys; "" for this system */
    int64_t page_kib;  /* the kernel's page */
    uint64_t sequence; /* of the last report; see agent_init */
    struct store store;
    struct guest_report said; /* the last one that arrived */
    struct kernel_view seen;  /* what it was made from */
    int64_t said_ms;
    bool has_said;
    struct need_watch watch;
    bool pressing;       /* memory runs out soon, as the last look showed: look again at once */
    bool unread, unsaid; /* the kernel, the store failed last time: it is logged once */
};

/* root must outlive the agent. started_ms, since boot, is the first sequence number: the ones after
 * a restart of the agent are greater than those before. */
void agent_init(struct agent *agent, const char *root, int64_t started_ms);

/* One look at now_ms (of a clock that never goes back), and a report where there is something to
 * say, or urgent: the kernel signals that tasks wait for memory. What fails is logged, and tried
 * again next time. */
void agent_tick(struct agent *agent, int64_t now_ms, bool urgent);

#endif
