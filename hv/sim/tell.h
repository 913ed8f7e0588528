/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guests write into xenstore. */
#ifndef HV_SIM_TELL_H
#define HV_SIM_TELL_H

struct sim_domain;
struct world;

/* Everybody who has something to tell does; and one now. */
void guest_tell(struct world *world);
void guest_tell_one(struct world *world, struct sim_domain *domain);

#endif
