/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/wall_clock.h"

#include <time.h>

#include "daemon/daemon.h"

int64_t wall_clock_ms(const struct daemon *daemon)
{
    struct timespec now;

    if (daemon->wall_ms)
        return *daemon->wall_ms;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
