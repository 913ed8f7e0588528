/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's own corner of xenstore. The only file of the agent that knows libxenstore. */
#ifndef AGENT_STORE_H
#define AGENT_STORE_H

#include <stddef.h>

struct err;
struct xs_handle;

struct store {
    struct xs_handle *xs; /* NULL: not connected */
};

/* Connects. 0, or −1: ERR_UNREACHABLE, ERR_DENIED. */
int store_open(struct store *store, struct err *err);

/*
 * Writes text to REPORT_KEY, relative to this domain's folder wherever that is by now. Connects
 * first where there is no connection; closes it after any failure, so that the next call starts
 * anew. May wait for as long as xenstored does not answer. 0, or −1.
 */
int store_publish(struct store *store, const char *text, size_t length, struct err *err);

#endif
