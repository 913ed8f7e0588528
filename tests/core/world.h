/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host on paper whose guests have a will of their own, and time passes in it. */
#ifndef TESTS_CORE_WORLD_H
#define TESTS_CORE_WORLD_H

#include "tests/core/paper.h"
#include "tests/core/random.h"

enum guest_kind {
    GUEST_FOLLOWS, /* goes to its target as fast as its balloon can */
    GUEST_STUCK,   /* does not move */
    GUEST_FLOOR,   /* does not go below its limit */
    GUEST_CEILING, /* does not go above its limit */
    GUEST_GREEDY,  /* takes all that its cap allows, whatever its target */
    GUEST_KIND_COUNT
};

struct guest {
    enum guest_kind kind;
    struct kib rate;  /* a second */
    struct kib limit; /* of GUEST_FLOOR and GUEST_CEILING, in Xen's pages */
};

struct world {
    struct paper paper;
    struct guest guests[PAPER_MAX];
    uint64_t seed; /* of what a promise draws by itself */
};

const char *guest_kind_name(enum guest_kind kind);

/* Copies what is in use. */
void world_copy(struct world *to, const struct world *from);

/* An arbitrary host, from tiny to the limits. */
void world_generate(struct world *world, uint64_t seed);

/* The VM takes memory up to its cap, as its root always may. */
void world_take_all(struct world *world, size_t vm);

/* Guests move for so long, and the clock with them. */
void world_pass(struct world *world, int64_t ms);

/* Without this VM. */
void world_remove(struct world *world, size_t vm);

/* Writes all that there is down, for people. */
void world_print(const struct world *world);

#endif
