/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/moment.h"

/* A round in which free memory did not change may still have had two balloons in it, one up and one
 * down by as much: a new sum has to be seen twice. */
static bool is_sum(struct moment *moment, uint64_t sum)
{
    if (sum != moment->sum && sum == moment->doubted)
        moment->sum = sum;
    moment->doubted = sum;
    return sum == moment->sum;
}

bool moment_fits(struct moment *moment, uint64_t before, uint64_t held, uint64_t after,
                 uint64_t *free)
{
    uint64_t least = before < after ? before : after;
    uint64_t most = before < after ? after : before;

    *free = least;
    if (least == most)
        return is_sum(moment, least + held);
    if (moment->sum < least + held || moment->sum > most + held)
        return false;
    *free = moment->sum - held;
    return true;
}
