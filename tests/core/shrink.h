/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a host that breaks a promise as small and plain as it can be while it still does. */
#ifndef TESTS_CORE_SHRINK_H
#define TESTS_CORE_SHRINK_H

#include "tests/core/promises.h"

void shrink(struct world *world, const struct promise *promise, struct complaint *complaint);

#endif
