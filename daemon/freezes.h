/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Freezes: VMs that the operator wants left alone, for a migration or other work. From the moment
 * that one is asked for, nothing is written to the domain of that name; it is answered as soon as
 * that is on disk and the guest's balloon is at rest. It ends by a thaw or by itself.
 */
#ifndef DAEMON_FREEZES_H
#define DAEMON_FREEZES_H

#include <stdint.h>

struct call;
struct daemon;
struct db_freeze;
struct err;
struct freezes;
struct vm_entry;

/* A balloon that is on its way has so long to come to rest. */
#define FREEZE_LIMIT_MS INT64_C(60000)

/* One that does not arrive is at rest once it has not moved for so long. */
#define FREEZE_REST_MS INT64_C(5000)

struct freezes *freezes_new(struct daemon *daemon);

/* Whoever still waits is told that the daemon stops. NULL is fine. */
void freezes_free(struct freezes *freezes);

/* Takes one in that was on disk. */
void freezes_load(struct freezes *freezes, const struct db_freeze *row);

/* Freezes vm for so long (0: until it is thawed); one that is frozen already gets that end. Takes
 * call, and answers it once the balloon is at rest. */
void freezes_set(struct freezes *freezes, struct call *call, struct vm_entry *vm, int64_t for_ms);

/* Thaws vm, and answers call, which it takes, once that is on disk. */
void freezes_clear(struct freezes *freezes, struct call *call, struct vm_entry *vm);

/* Within a pass, after looking: ends those whose time is over, and answers those at rest. */
void freezes_follow(struct freezes *freezes, int64_t now_ms);

#endif
