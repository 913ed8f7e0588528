/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients are told of a reservation: as a record, and why it was refused. */
#ifndef DAEMON_METHODS_RESERVATION_ANSWER_H
#define DAEMON_METHODS_RESERVATION_ANSWER_H

#include <stdint.h>

#include "base/units.h"

struct call;
struct daemon;
struct decision;
struct err;
struct proto_writer;
struct reservation;
struct snapshot;

/* Answers call with the one reservation. */
void reservation_answer(struct call *call, const struct reservation *reservation);

/* Writes it as an object. */
void reservation_put(struct proto_writer *writer, const char *key,
                     const struct reservation *reservation);

/* Fills err with ERR_NO_MEMORY: how much there is, could be freed, and who holds it or does not
 * give it; ahead is for those whose turn is before. */
void reservation_explain(const struct daemon *daemon, const struct snapshot *snapshot,
                         const struct decision *decision, const struct reservation *reservation,
                         struct kib ahead, struct err *err);

/* Tells whoever waits for it how far it is, once a second. */
void reservation_tell(struct reservation *reservation, int64_t now_ms);

#endif
