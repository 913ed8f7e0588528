/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often a guest makes watches fire: one that writes all the time is not listened to any more,
 * but looked at once a look, so that it costs no more than one that writes once a look. Pure, so
 * that it can be tested without Xen.
 */
#ifndef HV_NOISE_H
#define HV_NOISE_H

#include <stdbool.h>
#include <stdint.h>

/* More than this in one span is noise: an honest agent speaks ten times a second at most, while its
 * guest's memory runs out. */
#define NOISE_MOST    150
#define NOISE_SPAN_MS INT64_C(10000)

/* Nobody listens to it for so long. */
#define NOISE_DEAF_MS INT64_C(60000)

/* Of one domain. Zeroed: it has not been heard yet. */
struct noise {
    int64_t since_ms;       /* when this span, or the deafness, began */
    int64_t doubt_until_ms; /* it was noisy until a moment ago, and may be so again at once */
    int fired;              /* in this span */
    bool deaf;              /* its watches are gone: look at its keys at every look */
};

/* A watch fired. True where that was too much: take its watches away; it is deaf from now on. */
bool noise_fired(struct noise *noise, int64_t now_ms);

/* True where it is time to listen again: set its watches. It stays deaf, and this true, until all
 * of them are set, which is for noise_listen. */
bool noise_ends(const struct noise *noise, int64_t now_ms);
void noise_listen(struct noise *noise, int64_t now_ms);

/* For people: it is deaf, or was until a moment ago. */
bool noise_goes_on(const struct noise *noise, int64_t now_ms);

#endif
