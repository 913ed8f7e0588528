/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/layers.h"

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

void layer_clear(struct layer *layer)
{
    struct entry *entry, *next;

    HASH_ITER (hh, layer->entries, entry, next) {
        HASH_DEL(layer->entries, entry);
        free(entry->name);
        free(entry);
    }
    layer->host = (struct setting_partial){0};
}

static void layer_free(struct layer *layer)
{
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

struct layer *layers_add(struct layers *layers, int64_t id, enum layer_kind kind, const char *name,
                         int64_t expires_ms)
{
    struct layer *layer;

    if (layers->count == LAYERS_MAX)
        return NULL;
    layer = memory_new(1, sizeof(*layer));
    layer->id = id;
    layer->kind = kind;
    layer->name = memory_copy_text(name);
    layer->expires_ms = expires_ms;
    layers->stack[layers->count++] = layer;
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

struct setting_partial *layer_vm(struct layer *layer, const char *name_or_pattern)
{
    struct setting_partial *said = layer_find_vm(layer, name_or_pattern);
    struct entry *entry;

    if (said)
        return said;
    entry = memory_new(1, sizeof(*entry));
    entry->name = memory_copy_text(name_or_pattern);
    HASH_ADD_KEYPTR(hh, layer->entries, entry->name, strlen(entry->name), entry);
    return &entry->said;
}

struct setting_partial *layer_host(struct layer *layer)
{
    return &layer->host;
}

void layers_forget(struct layers *layers, const char *name)
{
    for (size_t i = 0; i < layers->count; i++) {
        struct layer *layer = layers->stack[i];
        struct entry *entry;

        if (layer->kind != LAYER_BASE && layer->kind != LAYER_TIMED)
            continue;
        HASH_FIND_STR(layer->entries, name, entry);
        if (!entry)
            continue;
        HASH_DEL(layer->entries, entry);
        free(entry->name);
        free(entry);
    }
}

static const struct setting_partial *first_match(const struct layer *layer, const char *name)
{
    struct entry *entry, *next;

    if (layer->kind == LAYER_BASE || layer->kind == LAYER_TIMED) {
        HASH_FIND_STR(layer->entries, name, entry);
        return entry ? &entry->said : NULL;
    }
    HASH_ITER (hh, layer->entries, entry, next)
        if (fnmatch(entry->name, name, 0) == 0)
            return &entry->said;
    return NULL;
}

size_t layers_of_vm(const struct layers *layers, const char *name,
                    const struct setting_partial *out[LAYERS_MAX])
{
    size_t count = 0;

    for (size_t i = layers->count; i-- > 0;) {
        const struct setting_partial *said = first_match(layers->stack[i], name);

        if (said)
            out[count++] = said;
    }
    return count;
}

size_t layers_of_host(const struct layers *layers, const struct setting_partial *out[LAYERS_MAX])
{
    size_t count = 0;

    for (size_t i = layers->count; i-- > 0;)
        out[count++] = &layers->stack[i]->host;
    return count;
}

void layers_each_name(const struct layers *layers, void (*visit)(void *arg, const char *name),
                      void *arg)
{
    for (size_t i = 0; i < layers->count; i++) {
        const struct layer *layer = layers->stack[i];
        struct entry *entry, *next;

        if (layer->kind != LAYER_BASE && layer->kind != LAYER_TIMED)
            continue;
        HASH_ITER (hh, layer->entries, entry, next)
            visit(arg, entry->name);
    }
}
