/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/noise.h"

bool noise_fired(struct noise *noise, int64_t now_ms)
{
    if (noise->deaf)
        return false; /* what was on its way when its watches went */
    if (noise->fired == 0 || now_ms - noise->since_ms >= NOISE_SPAN_MS) {
        noise->since_ms = now_ms;
        noise->fired = 0;
    }
    noise->fired++;
    if (noise->fired <= NOISE_MOST)
        return false;
    *noise = (struct noise){.since_ms = now_ms, .deaf = true};
    return true;
}

bool noise_ends(const struct noise *noise, int64_t now_ms)
{
    return noise->deaf && now_ms - noise->since_ms >= NOISE_DEAF_MS;
}

void noise_listen(struct noise *noise, int64_t now_ms)
{
    *noise = (struct noise){.doubt_until_ms = now_ms + NOISE_SPAN_MS};
}

bool noise_goes_on(const struct noise *noise, int64_t now_ms)
{
    return noise->deaf || now_ms < noise->doubt_until_ms;
}
