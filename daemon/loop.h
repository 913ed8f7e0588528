/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes the daemon's loop turn: the tick, the hypervisor's and the database's descriptors,
 * signals, systemd's watchdog. Time enters here, and nowhere below.
 */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;
struct err;
struct lag;
struct loop;

/* Makes libevent's loop and its wakers; hypervisor and database must be open. Nothing turns yet. */
struct loop *loop_new(struct daemon *daemon);
void loop_free(struct loop *loop);

/* Clients' events have a lower priority than all others, and give way to them after each. */
#define LOOP_PRIORITY_OURS    0
#define LOOP_PRIORITY_CLIENTS 1

/* Somebody makes the loop work: how late it comes to what is due in a while is measured then. An
 * idle loop is not woken for it. */
void loop_expect_lag(struct loop *loop);

/* How late it came so far, to passes and to those measurements. */
const struct lag *loop_lag(const struct loop *loop);

/* The one source of libevent's loop, for the server. */
struct event_base *loop_base(const struct loop *loop);

/* The next pass comes at the latest in in_ms. NULL: passes are made by hand. */
void loop_look_soon(struct loop *loop, int64_t in_ms);

/* One pass now; used once before the start is told. 0 or −1 as engine_tick. */
int loop_look_now(struct loop *loop, struct err *err);

/* Turns until SIGTERM or SIGINT: 0; −1 where hypervisor or loop failed for good. */
int loop_run(struct loop *loop, struct err *err);

/*
 * Goes on turning, without passes and deaf to the hypervisor, until is_done says so: what is on its
 * way to the disk and to hooks arrives. At most limit_ms, and no longer once a signal says to stop.
 */
void loop_wind_down(struct loop *loop, bool (*is_done)(void *arg), void *arg, int64_t limit_ms);

#endif
