/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a simulated guest needs, over the time of its world: curves, written as text or filled with
 * the samples of a trace. Whole numbers only, so that every machine computes the same. */
#ifndef HV_SIM_DEMAND_H
#define HV_SIM_DEMAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

struct err;

enum curve_kind {
    CURVE_STEP, /* each point holds until the next */
    CURVE_RAMP, /* a straight line from point to point */
    CURVE_SINE  /* between the first two points' needs, beginning at the first */
};

struct curve_point {
    int64_t ms; /* in the world's time */
    struct kib need;
};

/* Without points it needs nothing. Before the first point that one holds, after the last the last.
 */
struct curve {
    enum curve_kind kind;
    struct curve_point *points; /* owned; ascending in time */
    size_t n_points, room;
    int64_t every_ms; /* starts again so often; 0: never. A sine's period, never 0 */
};

/*
 * Reads "300m", "step 0:300m 60s:2g every 5m", "ramp 0:300m 60s:2g", "sine 400m 1200m every 60s".
 * 0, or −1 with ERR_INVALID and nothing in *out.
 */
int curve_parse(const char *text, struct curve *out, struct err *err);

/* Adds a point, which must be later than the last. 0, or −1 with ERR_INVALID. */
int curve_add(struct curve *curve, int64_t ms, struct kib need, struct err *err);

void curve_fini(struct curve *curve);
void curve_copy(const struct curve *curve, struct curve *out);

/* The need at that time. */
struct kib curve_at(const struct curve *curve, int64_t ms);

/* A number that looks random, and is the same for the same two. */
uint64_t sim_random(uint64_t seed, uint64_t index);

#endif
