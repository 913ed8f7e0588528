/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocation in the daemon: it cannot go on without, and a restart loses nothing, so it does not
 * try. */
#ifndef DAEMON_MEMORY_H
#define DAEMON_MEMORY_H

#include <stddef.h>

/* Zeroed memory for count × size; never NULL. */
__attribute__((malloc, alloc_size(1, 2))) void *memory_new(size_t count, size_t size);

/* realloc for count × size that never returns NULL for a size above 0. */
__attribute__((alloc_size(2, 3))) void *memory_grow(void *old, size_t count, size_t size);

/* strdup that never returns NULL. */
__attribute__((malloc)) char *memory_copy_text(const char *text);

#endif
