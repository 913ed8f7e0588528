/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients are told of a reservation: as a record, and why it was refused. */
#ifndef DAEMON_METHODS_RESERVATION_ANSWER_H
#define DAEMON_METHODS_RESERVATION_ANSWER_H

#include <stdint.h>

struct call;
struct daemon;
struct err;
struct proto_writer;
struct refusal;
struct reservation;

/* Answers call with the one reservation. */
void reservation_answer(struct call *call, const struct reservation *reservation);

/* Writes it as an object. */
void reservation_put(struct proto_writer *writer, const char *key,
                     const struct reservation *reservation);

/* Fills err with ERR_NO_MEMORY, or ERR_TIMEOUT for one that has waited: how much there is, could be
 * freed, and who holds it or does not give it. refusal is of the last pass. */
void reservation_explain(const struct daemon *daemon, const struct refusal *refusal,
                         struct err *err);

/* Answers call with err, and what that is made of: code, figures, holders. */
void reservation_answer_refusal(const struct daemon *daemon, struct call *call,
                                const struct refusal *refusal, const struct err *err);

/* Tells whoever waits for it how far it is: what is new, once a second. */
void reservation_tell(struct reservation *reservation, int64_t now_ms);

#endif
