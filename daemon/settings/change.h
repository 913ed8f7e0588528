/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One change on its way, as the files changes*.c share it. */
#ifndef DAEMON_SETTINGS_CHANGE_H
#define DAEMON_SETTINGS_CHANGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/settings.h"
#include "daemon/events.h"
#include "daemon/settings/changes.h"
#include "daemon/settings/layers.h"
#include "db/db.h"

/* A change touches at most its own keys, once to put them and once in each layer to drop them; and
 * there is its event. */
#define CHANGE_ROWS_MAX (VM_KEY_COUNT * (LAYERS_MAX + 1) + 2)

enum change_kind {
    CHANGE_SET,
    CHANGE_IMPORT,
    CHANGE_FORGET,
    CHANGE_APPLY,
    CHANGE_REVERT,
    CHANGE_EXPIRE
};

struct change {
    struct change *next;
    struct changes *changes;
    enum change_kind kind;
    char *vm; /* owned; the policy's name for CHANGE_REVERT; NULL for all but _SET and _FORGET */
    struct change *parts; /* owned; CHANGE_IMPORT: a CHANGE_SET for each VM, in one transaction */
    size_t n_parts;
    struct policy *policy; /* owned; CHANGE_APPLY */
    struct setting_partial said;
    int64_t for_ms;   /* 0: in the base */
    int64_t layer;    /* that it goes to, or that ends */
    int64_t replaced; /* CHANGE_APPLY: the layer of the same policy that ends; 0 none */
    int64_t now_ms;   /* wall clock, when it went to the disk */
    uid_t uid;
    changes_done_fn *done; /* NULL: nobody asked */
    void *arg;
    struct event event;  /* that tells of it … */
    struct db_event row; /* … and its row, in the same transaction */
};

struct changes {
    struct daemon *daemon;
    struct change *first, **last; /* the first is on its way to the disk */
    int64_t next_layer;
    struct db_change *rows; /* CHANGE_ROWS_MAX; working space */
};

/* Calls visit for every key that a layer above says of the VM although `set` has just said it of
 * the base. */
void change_each_overruled(const struct change *change,
                           void (*visit)(void *arg, struct layer *layer, unsigned key), void *arg);

/* Writes what it does to the database into out, with room for CHANGE_ROWS_MAX. Returns how many
 * rows that is; at least one place is left. */
size_t change_rows(const struct change *change, struct db_change *out);

/* Fills the event that tells of it. */
void change_describe(struct change *change);

#endif
