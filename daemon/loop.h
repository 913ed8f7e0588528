/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes the daemon's loop turn: the tick, the hypervisor's and the database's descriptors,
 * signals, systemd's watchdog. Time enters here, and nowhere below.
 */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <stdint.h>

struct daemon;
struct err;
struct loop;

/* Makes libevent's loop and its wakers; hypervisor and database must be open. Nothing turns yet. */
struct loop *loop_new(struct daemon *daemon);
void loop_free(struct loop *loop);

/* The one source of libevent's loop, for the server. */
struct event_base *loop_base(const struct loop *loop);

/* The next pass comes at the latest in in_ms. NULL, in tests that make their own passes, is fine.
 */
void loop_look_soon(struct loop *loop, int64_t in_ms);

/* One pass now; used once before the start is told. 0 or −1 as engine_tick. */
int loop_look_now(struct loop *loop, struct err *err);

/* Turns until SIGTERM or SIGINT: 0; −1 where hypervisor or loop failed for good. */
int loop_run(struct loop *loop, struct err *err);

#endif
