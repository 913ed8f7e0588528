/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's end of one connection: bytes in, bytes out; no descriptors. */
#ifndef HV_SIM_SESSION_H
#define HV_SIM_SESSION_H

#include <stddef.h>

struct err;
struct sim_session;
struct world;

/* Begins with a hello to be sent. world outlives it. */
struct sim_session *sim_session_new(struct world *world);

/* NULL is fine. Returns NULL. */
struct sim_session *sim_session_free(struct sim_session *session);

/* Takes in what arrived, and answers each request that is complete. 0, or −1 ERR_INVALID: it is not
 * the protocol, and the connection has to be closed. */
int sim_session_take(struct sim_session *session, const void *bytes, size_t length,
                     struct err *err);

/* Tells of changes (HV_…); held back, and added up, while there is something to be sent. */
void sim_session_tell(struct sim_session *session, unsigned changes);

/* What is to be sent; and that so much of it was. */
const void *sim_session_output(const struct sim_session *session, size_t *length);
void sim_session_sent(struct sim_session *session, size_t length);

#endif
