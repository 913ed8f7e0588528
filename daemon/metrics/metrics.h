/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of host, VMs and daemon as OpenMetrics text. */
#ifndef DAEMON_METRICS_METRICS_H
#define DAEMON_METRICS_METRICS_H

struct daemon;

/* The whole text, with "# EOF" at its end; to be freed. */
char *metrics_text(const struct daemon *daemon);

#endif
