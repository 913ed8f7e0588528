/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/core/promises.h"

#include <stdarg.h>
#include <stdio.h>

const struct promise promises[] = {
    {"1 each action leaves what was promised", promise_each_action, 100},
    {"2 targets keep to their bounds", promise_bounds, 100},
    {"4 5 minimums, demand, buffers, in this order", promise_order, 100},
    {"5 equals are equal", promise_equals, 100},
    {"5 more memory means less for nobody", promise_more_memory, 100},
    {"5 more priority does not mean less", promise_more_priority, 100},
    {"5 more demand does not mean less", promise_more_demand, 100},
    {"6 deciding again changes nothing", promise_stable, 100},
    {"7 no data, no harm", promise_blind, 100},
    {"8 admission grows with priority", promise_admission, 100},
    {"8 what can be fulfilled is made room for", promise_want, 100},
    {"10 some are never touched", promise_untouchable, 100},
    {"12 actions are sound and have reasons", promise_sound_actions, 100},
    {"13 the operator's target is honoured", promise_override, 100},
    {"4 6 it comes to rest, and nothing lies idle", promise_arrives, 30},
    {"1 a history leaves what was promised", promise_history, 10},
    {"6 11 an hour in which nothing happens", promise_quiet, 2},
};
const size_t n_promises = sizeof(promises) / sizeof(*promises);

bool broken(struct complaint *complaint, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(complaint->text, sizeof(complaint->text), format, args);
    va_end(args);
    return false;
}
