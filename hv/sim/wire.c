/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/sim/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "hv/sim/world.h"

/* --- writing --- */

void wire_out_fini(struct wire_out *out)
{
    free(out->bytes);
    *out = (struct wire_out){0};
}

static uint8_t *reserve(struct wire_out *out, size_t length)
{
    if (out->length + length > out->room) {
        out->room = (out->length + length) * 2;
        out->bytes = realloc(out->bytes, out->room);
        invariant(out->bytes);
    }
    out->length += length;
    return out->bytes + out->length - length;
}

static void store(uint8_t *at, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void wire_put_u32(struct wire_out *out, uint32_t value)
{
    store(reserve(out, 4), value, 4);
}

void wire_put_u64(struct wire_out *out, uint64_t value)
{
    store(reserve(out, 8), value, 8);
}

void wire_put_kib(struct wire_out *out, struct kib value)
{
    wire_put_u64(out, (uint64_t)value.v);
}

void wire_put_bytes(struct wire_out *out, const void *bytes, size_t length)
{
    wire_put_u32(out, (uint32_t)length);
    if (length > 0)
        memcpy(reserve(out, length), bytes, length);
}

void wire_put_text(struct wire_out *out, const char *text)
{
    wire_put_bytes(out, text, strlen(text));
}

void wire_put_ref(struct wire_out *out, const struct hv_ref *ref)
{
    wire_put_u32(out, ref->domid);
    memcpy(reserve(out, sizeof(ref->uuid)), ref->uuid, sizeof(ref->uuid));
}

void wire_put_host(struct wire_out *out, const struct hv_host *host)
{
    wire_put_kib(out, host->total);
    wire_put_kib(out, host->free);
    wire_put_kib(out, host->claimed);
    wire_put_kib(out, host->shared);
    wire_put_u32(out, (uint32_t)host->n_nodes);
    for (size_t i = 0; i < host->n_nodes; i++) {
        wire_put_kib(out, host->nodes[i].total);
        wire_put_kib(out, host->nodes[i].free);
    }
}

void wire_put_facts(struct wire_out *out, const struct sim_facts *facts)
{
    wire_put_ref(out, &facts->ref);
    wire_put_text(out, facts->name);
    wire_put_u32(out, facts->flags);
    wire_put_u32(out, (uint32_t)facts->shutdown_reason);
    wire_put_kib(out, facts->tot);
    wire_put_kib(out, facts->cap);
    wire_put_kib(out, facts->claim);
    wire_put_kib(out, facts->pod);
    wire_put_kib(out, facts->pool);
    wire_put_kib(out, facts->target);
    wire_put_kib(out, facts->static_max);
    wire_put_kib(out, facts->videoram);
    wire_put_kib(out, facts->own);
    wire_put_u32(out, facts->source);
    wire_put_u64(out, facts->stamp);
    wire_put_u32(out, facts->text[0] != NULL);
    for (int i = 0; i < 2 && facts->text[0]; i++)
        wire_put_bytes(out, facts->text[i], facts->length[i]);
}

void wire_begin(struct wire_out *out, enum wire_kind kind)
{
    out->begun = out->length;
    wire_put_u32(out, 0);
    wire_put_u32(out, kind);
}

void wire_end(struct wire_out *out)
{
    store(out->bytes + out->begun, out->length - out->begun - 4, 4);
}

/* --- reading --- */

static const uint8_t *take(struct wire_in *in, size_t length)
{
    const uint8_t *at = in->at;

    if (in->bad || (size_t)(in->end - in->at) < length) {
        in->bad = true;
        return NULL;
    }
    in->at += length;
    return at;
}

static uint64_t load(const uint8_t *at, int size)
{
    uint64_t value = 0;

    for (int i = 0; at && i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

uint32_t wire_get_u32(struct wire_in *in)
{
    return (uint32_t)load(take(in, 4), 4);
}

uint64_t wire_get_u64(struct wire_in *in)
{
    return load(take(in, 8), 8);
}

struct kib wire_get_kib(struct wire_in *in)
{
    uint64_t value = wire_get_u64(in);

    if (value > (uint64_t)KIB_LIMIT) {
        in->bad = true;
        return kib(0);
    }
    return kib((int64_t)value);
}

/* At most limit; more is bad. */
static uint32_t get_count(struct wire_in *in, uint32_t limit)
{
    uint32_t count = wire_get_u32(in);

    if (count <= limit)
        return count;
    in->bad = true;
    return 0;
}

const char *wire_get_bytes(struct wire_in *in, size_t limit, size_t *length)
{
    *length = get_count(in, (uint32_t)limit);
    return (const char *)take(in, *length);
}

void wire_get_text(struct wire_in *in, char *out, size_t room)
{
    size_t length;
    const char *bytes = wire_get_bytes(in, room - 1, &length);

    if (!bytes || memchr(bytes, '\0', length)) {
        in->bad = true;
        length = 0;
    }
    if (length > 0)
        memcpy(out, bytes, length);
    out[length] = '\0';
}

void wire_get_ref(struct wire_in *in, struct hv_ref *out)
{
    const uint8_t *uuid;

    out->domid = wire_get_u32(in);
    uuid = take(in, sizeof(out->uuid));
    if (uuid)
        memcpy(out->uuid, uuid, sizeof(out->uuid));
}

void wire_get_host(struct wire_in *in, struct hv_host *out)
{
    *out = (struct hv_host){0};
    out->total = wire_get_kib(in);
    out->free = wire_get_kib(in);
    out->claimed = wire_get_kib(in);
    out->shared = wire_get_kib(in);
    out->n_nodes = get_count(in, HV_MAX_NODES);
    for (size_t i = 0; i < out->n_nodes; i++) {
        out->nodes[i].total = wire_get_kib(in);
        out->nodes[i].free = wire_get_kib(in);
    }
}

void wire_get_facts(struct wire_in *in, struct sim_facts *out)
{
    *out = (struct sim_facts){0};
    wire_get_ref(in, &out->ref);
    wire_get_text(in, out->name, sizeof(out->name));
    out->flags = get_count(in, FACT_ALL);
    out->shutdown_reason = (int32_t)get_count(in, 255);
    out->tot = wire_get_kib(in);
    out->cap = wire_get_kib(in);
    out->claim = wire_get_kib(in);
    out->pod = wire_get_kib(in);
    out->pool = wire_get_kib(in);
    out->target = wire_get_kib(in);
    out->static_max = wire_get_kib(in);
    out->videoram = wire_get_kib(in);
    out->own = wire_get_kib(in);
    out->source = (enum need_source)get_count(in, NEED_SOURCE_COUNT - 1);
    out->stamp = wire_get_u64(in);
    if (get_count(in, 1) == 0)
        return;
    for (int i = 0; i < 2; i++)
        out->text[i] = wire_get_bytes(in, WORLD_MAX_TEXT, &out->length[i]);
}

bool wire_in_done(const struct wire_in *in)
{
    return !in->bad && in->at == in->end;
}

int wire_split(const uint8_t *bytes, size_t length, size_t limit, enum wire_kind *kind,
               struct wire_in *content, size_t *size)
{
    uint64_t size_now, kind_now;

    *size = 0;
    if (length < WIRE_HEAD)
        return 0;
    size_now = load(bytes, 4);
    kind_now = load(bytes + 4, 4);
    if (size_now < 4 || size_now > limit || kind_now < WIRE_HELLO || kind_now > WIRE_XL)
        return -1;
    if (length - 4 < size_now)
        return 0;
    *kind = (enum wire_kind)kind_now;
    *content = (struct wire_in){bytes + WIRE_HEAD, bytes + 4 + size_now, false};
    *size = (size_t)size_now + 4;
    return 0;
}
