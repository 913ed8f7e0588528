/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metrics over HTTP, for Prometheus, on a loopback address: GET /metrics and nothing else.
 * Whoever can connect to it, that is every user of this host, can read them.
 */
#ifndef DAEMON_METRICS_SCRAPE_H
#define DAEMON_METRICS_SCRAPE_H

struct daemon;
struct err;
struct scrape;
struct sockaddr_storage;

/* Reads 127.0.0.1:PORT or [::1]:PORT. The address's length, or −1 ERR_INVALID. */
int scrape_address(const char *text, struct sockaddr_storage *out, struct err *err);

/* Listens as the options say; *out is NULL where they say nowhere. 0, or −1 where the port is taken
 * or not allowed. */
int scrape_new(struct daemon *daemon, struct scrape **out, struct err *err);

/* NULL is fine. */
void scrape_free(struct scrape *scrape);

#endif
