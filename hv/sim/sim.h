/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Simulated hosts: where the one of a scenario file listens, and one within this process. */
#ifndef HV_SIM_SIM_H
#define HV_SIM_SIM_H

#include <stddef.h>

struct err;
struct hv;
struct world;

/*
 * Writes the path of the socket on which this user's simulated host of file listens, the same for
 * daemon and xenmem-sim: a name made of the file's canonical path, in a folder that belongs to the
 * user alone and is made here. 0, or −1: ERR_INVALID where there is no such file or room does not
 * suffice, ERR_DENIED where somebody else has made that folder.
 */
int sim_socket_path(const char *file, char *out, size_t room, struct err *err);

/*
 * A simulated host within this process, for tests: hv_read lets time pass in world up to its
 * now_ms, and hv_drain needs no descriptor. world stays the caller's and outlives *out.
 */
void hv_sim_local_open(struct world *world, struct hv **out);

#endif
