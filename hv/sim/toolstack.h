/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What xl does to simulated domains. */
#ifndef HV_SIM_TOOLSTACK_H
#define HV_SIM_TOOLSTACK_H

#include "hv/sim/world.h"

/* What a domain is built for. */
enum sim_create { CREATE_RUN, CREATE_PAUSED, CREATE_RECEIVE };

/* Begins to build vm, as `xl create` does, with -p, or as an incoming migration: *out is the new
 * domain, being built. 0, or −1: ERR_NO_MEMORY at once where the host has not got it, ERR_INVALID
 * where the name is taken. */
int toolstack_create(struct world *world, const struct sim_vm *vm, enum sim_create how,
                     struct sim_domain **out, struct err *err);

/* Puts vm there as one that has run for long, at rest. 0, or −1 as above. */
int toolstack_settle(struct world *world, const struct sim_vm *vm, struct err *err);

/* Lets a domain run that was built or that the admin paused. */
void toolstack_unpause(struct world *world, struct sim_domain *domain);

void toolstack_destroy(struct world *world, struct sim_domain *domain);

/* Writes a running domain away: to a file, to a file and goes on, or to another host. */
void toolstack_save(struct world *world, struct sim_domain *domain, enum sim_job job);

/* Cap and target as libxl_set_memory_target and libxl_domain_setmaxmem have them: neither asks
 * whether the host has the memory. 0, or −1 ERR_INVALID in libxl's words. */
int toolstack_set_memory(struct world *world, struct sim_domain *domain, struct kib memory,
                         struct err *err);
int toolstack_set_maxmem(struct world *world, struct sim_domain *domain, struct kib maxmem,
                         struct err *err);

/* One step of everything that is under way. */
void toolstack_step(struct world *world);

#endif
