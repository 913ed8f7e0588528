/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layers of settings, as the daemon keeps them in memory: the configuration file's defaults at
 * the bottom, the base that `set` writes above them, then timed sets and policies, the newest on
 * top. The database holds all but the first; this is a copy that is changed after it.
 */
#ifndef DAEMON_SETTINGS_LAYERS_H
#define DAEMON_SETTINGS_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/settings.h"

#define LAYERS_MAX 256

enum layer_kind {
    LAYER_CONFIG, /* [host] and [vm PATTERN] of the configuration file: patterns, first match wins
                   */
    LAYER_BASE,   /* what `set` writes: one entry a name */
    LAYER_TIMED,  /* `set --for`: one entry a name, ends by itself */
    LAYER_POLICY, /* an applied policy: patterns, first match wins */
};

struct layer;
struct layers;

/* Ids of the two layers that always exist. Others come from the database and are larger. */
#define LAYER_ID_CONFIG 0
#define LAYER_ID_BASE   1

/* With the two fixed layers, empty. Aborts when there is no memory, as all of the daemon does. */
struct layers *layers_new(void);
void layers_free(struct layers *layers);

/* Puts a layer on top. expires_ms: wall clock, 0 never. NULL where there are LAYERS_MAX already.
 * name is copied. */
struct layer *layers_add(struct layers *layers, int64_t id, enum layer_kind kind, const char *name,
                         int64_t expires_ms);

/* A layer by itself, and its end (NULL is fine). */
struct layer *layer_new(int64_t id, enum layer_kind kind, const char *name, int64_t expires_ms);
void layer_free(struct layer *layer);

/* Takes it as the newest. False, and it is still the caller's, where there are LAYERS_MAX already.
 */
bool layers_take(struct layers *layers, struct layer *layer);

/* Gives the newest layer back to the caller. */
struct layer *layers_give_back(struct layers *layers);

/* Forgets a layer; false where there is none of that id. The two fixed ones stay. */
bool layers_remove(struct layers *layers, int64_t id);

/* NULL where there is none of that id. */
struct layer *layers_find(struct layers *layers, int64_t id);

/* All layers, the oldest (the two fixed ones) first. */
size_t layers_count(const struct layers *layers);
struct layer *layers_at(struct layers *layers, size_t index);

/* The layer whose time is over first, of those that end; NULL where none does. *expires_ms is its
 * end. */
const struct layer *layers_first_to_end(const struct layers *layers, int64_t *expires_ms);

int64_t layer_id(const struct layer *layer);
const char *layer_name(const struct layer *layer);
enum layer_kind layer_kind_of(const struct layer *layer);

/* What the layer says of that name (LAYER_BASE, LAYER_TIMED) or pattern (the others: appended in
 * order); made if need be. */
struct setting_partial *layer_vm(struct layer *layer, const char *name_or_pattern);

/* The same, but NULL where it says nothing of it. */
struct setting_partial *layer_find_vm(struct layer *layer, const char *name_or_pattern);

/* What the layer says of the host. */
struct setting_partial *layer_host(struct layer *layer);

/* The layer says nothing of that key of that VM any more, whatever its pattern says (a policy's).
 */
void layer_except(struct layer *layer, const char *vm, unsigned key);

/* What the layer says of that VM, by name or by its first pattern that fits; NULL: nothing. */
const struct setting_partial *layer_says(const struct layer *layer, const char *vm);

/* True where the layer says exactly what the other says, in the same order. */
bool layer_equals(const struct layer *layer, const struct layer *other);

/* A hidden layer says nothing, until it is shown again: to see how things would be without it. */
void layer_hide(struct layer *layer, bool hidden);

/* For a layer that is not among others yet. */
void layer_set_id(struct layer *layer, int64_t id, int64_t expires_ms);
void layer_set_name(struct layer *layer, const char *name);

int64_t layer_expires_ms(const struct layer *layer);

/* When it was made; wall clock. */
int64_t layer_created_ms(const struct layer *layer);
void layer_set_created(struct layer *layer, int64_t created_ms);

/* Calls visit for each name or pattern that the layer says something of, in order. */
void layer_each(const struct layer *layer,
                void (*visit)(void *arg, const char *match, const struct setting_partial *said),
                void *arg);

/* What it says of the host, to be looked at. */
const struct setting_partial *layer_host_says(const struct layer *layer);

/* Drops everything that layers say of a VM by its name (forget). */
void layers_forget(struct layers *layers, const char *name);

/* Empties a layer, for reading the configuration again. */
void layer_clear(struct layer *layer);

/*
 * What the layers say of one VM, or of the host, newest first, as vm_settings_resolve wants it.
 * Returns how many were put into out (at most LAYERS_MAX); valid until the layers change.
 */
size_t layers_of_vm(const struct layers *layers, const char *name,
                    const struct setting_partial *out[LAYERS_MAX]);
size_t layers_of_host(const struct layers *layers, const struct setting_partial *out[LAYERS_MAX]);

/* The layer from which a VM has that setting: the newest that says it; NULL where none does. */
const struct layer *layers_source(const struct layers *layers, const char *name, unsigned key);

/* Calls visit for each name that the base or a timed layer says something of (a name may come
 * twice). */
void layers_each_name(const struct layers *layers, void (*visit)(void *arg, const char *name),
                      void *arg);

#endif
