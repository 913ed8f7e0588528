/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The watcher's end of a connection to a simulated host: one request, one reply, within two
 * seconds. */
#ifndef HV_SIM_CLIENT_H
#define HV_SIM_CLIENT_H

#include "hv/sim/wire.h"

struct err;
struct sim_client;

/* Connects and takes the hello. 0 and *out, or −1: ERR_UNREACHABLE, ERR_DENIED where what listens
 * there belongs to another user, ERR_UNSUPPORTED where it speaks another version. */
int sim_client_open(const char *socket, struct sim_client **out, struct err *err);

/* NULL is fine. Returns NULL. */
struct sim_client *sim_client_close(struct sim_client *client);

/* The two descriptors that are readable while sim_client_drain has something: the socket first. */
void sim_client_fds(const struct sim_client *client, int fds[2]);

/* The process at the other end. */
int sim_client_pid(const struct sim_client *client);

/* Starts a request, whose fields are then put into what is returned. */
struct wire_out *sim_client_ask(struct sim_client *client, enum wire_kind kind);

/*
 * Sends it and waits for the answer, whose fields are then in *in until the next call. 0, or −1:
 * what the host says, or ERR_UNREACHABLE; after that the connection is of no use any more.
 */
int sim_client_call(struct sim_client *client, struct wire_in *in, struct err *err);

/* Marks the connection as broken: an answer was not what it should be. Returns −1. */
int sim_client_break(struct sim_client *client, struct err *err);

/* Takes in what has arrived by itself: HV_… since the last time. 0, or −1 ERR_UNREACHABLE. */
int sim_client_drain(struct sim_client *client, unsigned *changes, struct err *err);

#endif
