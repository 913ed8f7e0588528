/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who wanted to change something and was not let: each becomes an event. Changes that were made
 * tell of themselves (changes.c). */
#ifndef DAEMON_CLIENTS_AUDIT_H
#define DAEMON_CLIENTS_AUDIT_H

#include <stdint.h>
#include <sys/types.h>

struct daemon;
struct err;

/* So many refusals within a minute are told one by one; others are counted in the next one. */
#define AUDIT_BURST 60

/* What was told lately. Zeroed: nothing. */
struct audit {
    int64_t minute_ms; /* when the burst began; 0 never */
    int64_t told;      /* of it */
    int64_t untold;    /* since the last one that was told */
};

/* A call of a method that changes something failed. now_ms: monotonic. */
void audit_refused(struct audit *audit, struct daemon *daemon, const char *method, uid_t uid,
                   const struct err *err, int64_t now_ms);

#endif
