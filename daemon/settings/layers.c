/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/settings/layers.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/invariant.h"
#include "daemon/memory.h"

/* What one layer says of one name or pattern. */
struct entry {
    char *name; /* owned */
    struct setting_partial said;
    UT_hash_handle hh; /* by name; keeps the order of insertion, which patterns need */
};

struct layer {
    int64_t id;
    enum layer_kind kind;
    char *name;         /* owned; "" for the fixed ones */
    int64_t expires_ms; /* wall clock; 0 never */
    struct setting_partial host;
    struct entry *entries;
    struct entry *excepted; /* by name of a VM: its bits are keys of which the pattern says nothing
                               any more */
    int64_t created_ms;     /* wall clock */
    bool hidden;            /* says nothing for now */
};

struct layers {
    struct layer *stack[LAYERS_MAX]; /* the oldest first */
    size_t count;
};

struct layers *layers_new(void)
{
    struct layers *layers = memory_new(1, sizeof(*layers));

    layers_add(layers, LAYER_ID_CONFIG, LAYER_CONFIG, "", 0);
    layers_add(layers, LAYER_ID_BASE, LAYER_BASE, "", 0);
    return layers;
}

static void clear_entries(struct entry **entries)
{
    struct entry *entry, *next;

    HASH_ITER (hh, *entries, entry, next) {
        HASH_DEL(*entries, entry);
        free(entry->name);
        free(entry);
    }
}

void layer_clear(struct layer *layer)
{
    clear_entries(&layer->entries);
    clear_entries(&layer->excepted);
    layer->host = (struct setting_partial){0};
}

void layer_free(struct layer *layer)
{
    if (!layer)
        return;
    layer_clear(layer);
    free(layer->name);
    free(layer);
}

void layers_free(struct layers *layers)
{
    if (!layers)
        return;
    for (size_t i = 0; i < layers->count; i++)
        layer_free(layers->stack[i]);
    free(layers);
}

struct layer *layer_new(int64_t id, enum layer_kind kind, const char *name, int64_t expires_ms)
{
    struct layer *layer = memory_new(1, sizeof(*layer));

    layer->id = id;
    layer->kind = kind;
    layer->name = memory_copy_text(name);
    layer->expires_ms = expires_ms;
    return layer;
}

bool layers_take(struct layers *layers, struct layer *layer)
{
    if (layers->count == LAYERS_MAX)
        return false;
    layers->stack[layers->count++] = layer;
    return true;
}

struct layer *layers_give_back(struct layers *layers)
{
    invariant(layers->count > 2);
    return layers->stack[--layers->count];
}

struct layer *layers_add(struct layers *layers, int64_t id, enum layer_kind kind, const char *name,
                         int64_t expires_ms)
{
    struct layer *layer;

    if (layers->count == LAYERS_MAX)
        return NULL;
    layer = layer_new(id, kind, name, expires_ms);
    invariant(layers_take(layers, layer));
    return layer;
}

bool layers_remove(struct layers *layers, int64_t id)
{
    for (size_t i = 0; i < layers->count; i++) {
        if (layers->stack[i]->id != id || id <= LAYER_ID_BASE)
            continue;
        layer_free(layers->stack[i]);
        layers->count--;
        memmove(&layers->stack[i], &layers->stack[i + 1],
                (layers->count - i) * sizeof(layers->stack[0]));
        return true;
    }
    return false;
}

struct layer *layers_find(struct layers *layers, int64_t id)
{
    for (size_t i = 0; i < layers->count; i++)
        if (layers->stack[i]->id == id)
            return layers->stack[i];
    return NULL;
}

size_t layers_count(const struct layers *layers)
{
    return layers->count;
}

struct layer *layers_at(struct layers *layers, size_t index)
{
    return layers->stack[index];
}

const struct layer *layers_first_to_end(const struct layers *layers, int64_t *expires_ms)
{
    const struct layer *first = NULL;

    for (size_t i = 0; i < layers->count; i++) {
        const struct layer *layer = layers->stack[i];

        if (layer->expires_ms != 0 && (!first || layer->expires_ms < first->expires_ms))
            first = layer;
    }
    if (first)
        *expires_ms = first->expires_ms;
    return first;
}

int64_t layer_id(const struct layer *layer)
{
    return layer->id;
}

const char *layer_name(const struct layer *layer)
{
    return layer->name;
}

enum layer_kind layer_kind_of(const struct layer *layer)
{
    return layer->kind;
}

struct setting_partial *layer_find_vm(struct layer *layer, const char *name_or_pattern)
{
    struct entry *entry;

    HASH_FIND_STR(layer->entries, name_or_pattern, entry);
    return entry ? &entry->said : NULL;
}

static struct setting_partial *entry_of(struct entry **entries, const char *name)
{
    struct entry *entry;

    HASH_FIND_STR(*entries, name, entry);
    if (entry)
        return &entry->said;
    entry = memory_new(1, sizeof(*entry));
    entry->name = memory_copy_text(name);
    HASH_ADD_KEYPTR(hh, *entries, entry->name, strlen(entry->name), entry);
    return &entry->said;
}

struct setting_partial *layer_vm(struct layer *layer, const char *name_or_pattern)
{
    return entry_of(&layer->entries, name_or_pattern);
}

struct setting_partial *layer_host(struct layer *layer)
{
    return &layer->host;
}

static void drop_entry(struct entry **entries, const char *name)
{
    struct entry *entry;

    HASH_FIND_STR(*entries, name, entry);
    if (!entry)
        return;
    HASH_DEL(*entries, entry);
    free(entry->name);
    free(entry);
}

static bool has_names(const struct layer *layer)
{
    return layer->kind == LAYER_BASE || layer->kind == LAYER_TIMED;
}

void layers_forget(struct layers *layers, const char *name)
{
    for (size_t i = 0; i < layers->count; i++) {
        struct layer *layer = layers->stack[i];

        if (has_names(layer))
            drop_entry(&layer->entries, name);
        drop_entry(&layer->excepted, name);
    }
}

static struct entry *first_match(const struct layer *layer, const char *name)
{
    struct entry *entry, *next;

    if (has_names(layer)) {
        HASH_FIND_STR(layer->entries, name, entry);
        return entry;
    }
    HASH_ITER (hh, layer->entries, entry, next)
        if (fnmatch(entry->name, name, 0) == 0)
            return entry;
    return NULL;
}

/* An exception holds, in its values, what is left of the pattern. */
void layer_except(struct layer *layer, const char *vm, unsigned key)
{
    const struct entry *entry = first_match(layer, vm);
    struct setting_partial *left;

    if (!entry)
        return;
    HASH_FIND_STR(layer->excepted, vm, entry);
    left = entry_of(&layer->excepted, vm);
    if (!entry)
        *left = first_match(layer, vm)->said;
    left->has &= ~(1u << key);
}

const struct setting_partial *layer_says(const struct layer *layer, const char *vm)
{
    const struct entry *entry;

    HASH_FIND_STR(layer->excepted, vm, entry);
    if (!entry)
        entry = first_match(layer, vm);
    return entry ? &entry->said : NULL;
}

static bool same_partial(const struct setting_partial *a, const struct setting_partial *b)
{
    if (a->has != b->has)
        return false;
    for (unsigned key = 0; key < SETTINGS_MAX_KEYS; key++)
        if (setting_has(a, key) && a->value[key] != b->value[key])
            return false;
    return true;
}

bool layer_equals(const struct layer *layer, const struct layer *other)
{
    const struct entry *a = layer->entries, *b = other->entries;

    if (layer->excepted || other->excepted || !same_partial(&layer->host, &other->host))
        return false;
    while (a && b) {
        if (strcmp(a->name, b->name) != 0 || !same_partial(&a->said, &b->said))
            return false;
        a = a->hh.next;
        b = b->hh.next;
    }
    return !a && !b;
}

void layer_hide(struct layer *layer, bool hidden)
{
    layer->hidden = hidden;
}

void layer_set_id(struct layer *layer, int64_t id, int64_t expires_ms)
{
    layer->id = id;
    layer->expires_ms = expires_ms;
}

void layer_set_name(struct layer *layer, const char *name)
{
    free(layer->name);
    layer->name = memory_copy_text(name);
}

int64_t layer_expires_ms(const struct layer *layer)
{
    return layer->expires_ms;
}

int64_t layer_created_ms(const struct layer *layer)
{
    return layer->created_ms;
}

void layer_set_created(struct layer *layer, int64_t created_ms)
{
    layer->created_ms = created_ms;
}

void layer_each(const struct layer *layer,
                void (*visit)(void *arg, const char *match, const struct setting_partial *said),
                void *arg)
{
    const struct entry *entry, *next;

    HASH_ITER (hh, layer->entries, entry, next)
        visit(arg, entry->name, &entry->said);
}

const struct setting_partial *layer_host_says(const struct layer *layer)
{
    return &layer->host;
}

size_t layers_of_vm(const struct layers *layers, const char *name,
                    const struct setting_partial *out[LAYERS_MAX])
{
    size_t count = 0;

    for (size_t i = layers->count; i-- > 0;) {
        const struct layer *layer = layers->stack[i];
        const struct setting_partial *said = layer->hidden ? NULL : layer_says(layer, name);

        if (said)
            out[count++] = said;
    }
    return count;
}

const struct layer *layers_source(const struct layers *layers, const char *name, unsigned key)
{
    for (size_t i = layers->count; i-- > 0;) {
        const struct layer *layer = layers->stack[i];
        const struct setting_partial *said = layer->hidden ? NULL : layer_says(layer, name);

        if (said && setting_has(said, key))
            return layer;
    }
    return NULL;
}

size_t layers_of_host(const struct layers *layers, const struct setting_partial *out[LAYERS_MAX])
{
    size_t count = 0;

    for (size_t i = layers->count; i-- > 0;)
        if (!layers->stack[i]->hidden)
            out[count++] = &layers->stack[i]->host;
    return count;
}

void layers_each_name(const struct layers *layers, void (*visit)(void *arg, const char *name),
                      void *arg)
{
    for (size_t i = 0; i < layers->count; i++) {
        const struct layer *layer = layers->stack[i];
        struct entry *entry, *next;

        if (!has_names(layer))
            continue;
        HASH_ITER (hh, layer->entries, entry, next)
            visit(arg, entry->name);
    }
}
