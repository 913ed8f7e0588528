/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"

void *memory_new(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);

    invariant(memory);
    return memory;
}

void *memory_grow(void *old, size_t count, size_t size)
{
    void *memory;

    invariant(size > 0 && count <= SIZE_MAX / size);
    memory = realloc(old, count > 0 ? count * size : size);
    invariant(memory);
    return memory;
}

char *memory_copy_text(const char *text)
{
    char *copy = strdup(text);

    invariant(copy);
    return copy;
}
