/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes on inside guests: their memory, their balloons. */
#ifndef HV_SIM_GUEST_H
#define HV_SIM_GUEST_H

struct sim_domain;
struct world;

void guest_begin(struct world *world, struct sim_domain *domain);
/* As one that has run for long: its balloon rests, and its agent has spoken. */
void guest_settle(struct world *world, struct sim_domain *domain);

void guest_step(struct world *world);

#endif
