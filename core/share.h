/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dividing memory between the VMs that can move: minimums first, then demand, then buffers, the
 * highest priority first; within one priority everybody gets the same fraction of what is asked.
 * What is left over follows `surplus`.
 */
#ifndef CORE_SHARE_H
#define CORE_SHARE_H

#include "core/decide.h"

/*
 * Sets goal and reason in the verdict of each VM with movable[i] (a scratch array of 0 and 1, KiB
 * ignored). pool is what they may have together; current[i] is what VM i is counted with now (its
 * target). O(n), whatever the numbers.
 */
void share_divide(const struct snapshot *snapshot, const bool *movable, struct kib pool,
                  struct verdict *verdicts);

#endif
