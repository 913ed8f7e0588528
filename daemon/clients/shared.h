/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer that many clients get: serialised once, and sent to all of them from the same bytes,
 * which live until the last has it.
 */
#ifndef DAEMON_CLIENTS_SHARED_H
#define DAEMON_CLIENTS_SHARED_H

#include <stddef.h>

struct evbuffer;
struct shared;

/* Answers that are the same for everybody until the next look at the host. */
enum shared_kind { SHARED_VM_LIST, SHARED_METRICS, SHARED_COUNT };

/* A copy of bytes; the caller holds it. */
struct shared *shared_new(const char *bytes, size_t length);

/* The caller lets go of it. NULL is fine. Returns NULL. */
struct shared *shared_drop(struct shared *shared);

/* Puts the bytes at the end of to, without copying them. */
void shared_send(struct shared *shared, struct evbuffer *to);

#endif
