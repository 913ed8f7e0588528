/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/pace.h"

int64_t pace_take(struct pace *pace, int64_t now_ms)
{
    int64_t wait_ms;

    if (pace->due_ms < now_ms)
        pace->due_ms = now_ms;
    wait_ms = pace->due_ms - now_ms - (pace->burst - 1) * pace->gap_ms;
    pace->due_ms += pace->gap_ms;
    return wait_ms > 0 ? wait_ms : 0;
}
