/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a daemon may do to simulated domains. */
#ifndef HV_SIM_WRITE_H
#define HV_SIM_WRITE_H

#include "base/units.h"

struct err;
struct hv_ref;
struct world;

/* As hv.h has them; expected is the target that the caller has seen: another one there is
 * ERR_BUSY, for somebody has just set it. */
int world_set_target(struct world *world, const struct hv_ref *ref, struct kib expected,
                     struct kib target, struct kib cap, struct err *err);
int world_set_cap(struct world *world, const struct hv_ref *ref, struct kib cap, struct err *err);
int world_adopt_target(struct world *world, const struct hv_ref *ref, struct kib seen,
                       struct err *err);

#endif
