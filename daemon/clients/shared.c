/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/clients/shared.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "daemon/memory.h"

struct shared {
    size_t holders;
    size_t length;
    char bytes[];
};

struct shared *shared_new(const char *bytes, size_t length)
{
    struct shared *shared = memory_new(1, sizeof(*shared) + length);

    shared->holders = 1;
    shared->length = length;
    memcpy(shared->bytes, bytes, length);
    return shared;
}

struct shared *shared_drop(struct shared *shared)
{
    if (shared && --shared->holders == 0)
        free(shared);
    return NULL;
}

static void on_sent(const void *bytes, size_t length, void *arg)
{
    (void)bytes;
    (void)length;
    shared_drop(arg);
}

void shared_send(struct shared *shared, struct evbuffer *to)
{
    shared->holders++;
    invariant(evbuffer_add_reference(to, shared->bytes, shared->length, on_sent, shared) == 0);
}
