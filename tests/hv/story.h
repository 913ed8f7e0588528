/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stories about simulated hosts are told with: one world, its VMs, its xl, and time. */
#ifndef TESTS_HV_STORY_H
#define TESTS_HV_STORY_H

#include <check.h>

#include "base/err.h"
#include "hv/sim/world.h"
#include "hv/sim/xl.h"

/* The world of the story that is being told. */
extern struct world *world;

/* A host of that size, 1 GiB of which is dom0's and 128 MiB Xen's; and its end. */
void story_begin(const char *size);
void story_end(void);

/* A VM that has run for long: keys as "memory=1g maxmem=2g". */
struct sim_domain *story_vm(const char *name, const char *keys);

/* Time passes. */
void story_pass(int64_t ms);

/* A command to xl, which must succeed; and one that must end with that code: what it says. */
void story_xl(const char *line);
const char *story_xl_fails(const char *line, enum sim_xl_exit code);

/* The domain of that name; NULL where there is none. */
struct sim_domain *story_domain(const char *name);

/* True where the world noted something with that in it. */
bool story_noted(const char *what);

#define assert_kib(a, b) ck_assert_int_eq((a).v, (b).v)

#endif
