/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells systemd how the daemon is: sd_notify's protocol, a datagram to $NOTIFY_SOCKET. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=…". Does nothing where nobody listens. */
void notify_send(const char *state);

/* How often WATCHDOG=1 is wanted, in ms: half of what systemd allows; 0 where it does not watch us.
 */
int64_t notify_watchdog_ms(void);

#endif
