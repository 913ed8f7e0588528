/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What travels between a simulated host and whoever watches it, both ends in one place.
 *
 * Messages are a length of four bytes (of what follows), a kind of four bytes, and the kind's
 * fields; numbers are little-endian. The host speaks first: HELLO. Each request gets one reply, OK
 * or FAILED; EVENT may come at any time.
 */
#ifndef HV_SIM_WIRE_H
#define HV_SIM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "hv/hv.h"
#include "hv/sim/facts.h"

struct err;

#define WIRE_VERSION     3
#define WIRE_MAGIC       0x314d4958u /* "XIM1" */
#define WIRE_HEAD        8
#define WIRE_MAX_REQUEST 8192
#define WIRE_MAX_REPLY   (48u << 20)

enum wire_kind {
    WIRE_HELLO = 1, /* u32 magic, u32 version */
    WIRE_OK,        /* what the request has as its answer */
    WIRE_FAILED,    /* u32 err_code, text */
    WIRE_EVENT,     /* u32 HV_… */
    WIRE_READ,      /* u64 since → the host, u64 stamp, u32 n, n × facts */
    WIRE_TARGET,    /* ref, expected, target, cap → nothing */
    WIRE_CAP,       /* ref, cap → nothing */
    WIRE_ADOPT,     /* ref, target as seen → nothing */
    WIRE_XL         /* u32 n, n × text → u32 exit, u32 wait, u32 domid, out, error text */
};

/* Bytes that are being written; grows as needed. */
struct wire_out {
    uint8_t *bytes; /* owned */
    size_t length, room;
    size_t begun; /* where the message that is being written starts */
};

void wire_out_fini(struct wire_out *out);
void wire_begin(struct wire_out *out, enum wire_kind kind);
void wire_end(struct wire_out *out); /* writes the length */
void wire_put_u32(struct wire_out *out, uint32_t value);
void wire_put_u64(struct wire_out *out, uint64_t value);
void wire_put_kib(struct wire_out *out, struct kib value);
void wire_put_bytes(struct wire_out *out, const void *bytes, size_t length);
void wire_put_text(struct wire_out *out, const char *text);
void wire_put_ref(struct wire_out *out, const struct hv_ref *ref);
void wire_put_host(struct wire_out *out, const struct hv_host *host);
void wire_put_facts(struct wire_out *out, const struct sim_facts *facts);

/* A message that is being read. What runs past its end, or is out of range, makes it bad and reads
 * as nothing; asked once, at the end. */
struct wire_in {
    const uint8_t *at, *end;
    bool bad;
};

uint32_t wire_get_u32(struct wire_in *in);
uint64_t wire_get_u64(struct wire_in *in);
struct kib wire_get_kib(struct wire_in *in);
const char *wire_get_bytes(struct wire_in *in, size_t limit, size_t *length);
/* A text of less than room bytes, without NUL inside. */
void wire_get_text(struct wire_in *in, char *out, size_t room);
void wire_get_ref(struct wire_in *in, struct hv_ref *out);
void wire_get_host(struct wire_in *in, struct hv_host *out);
/* Texts are borrowed from the message. */
void wire_get_facts(struct wire_in *in, struct sim_facts *out);

/* True where the message was sound and nothing of it is left. */
bool wire_in_done(const struct wire_in *in);

/* Splits bytes: the first message's kind and content, and its whole size, 0 while it is not
 * complete. −1 where it is longer than limit or of no known kind. */
int wire_split(const uint8_t *bytes, size_t length, size_t limit, enum wire_kind *kind,
               struct wire_in *content, size_t *size);

#endif
