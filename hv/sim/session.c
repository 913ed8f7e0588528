/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/sim/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "hv/sim/fault.h"
#include "hv/sim/wire.h"
#include "hv/sim/world.h"
#include "hv/sim/write.h"
#include "hv/sim/xl.h"

#define MAX_WAITING (2 * WIRE_MAX_REPLY) /* answers that nobody fetches */
#define WORD_MAX    1024

struct sim_session {
    struct world *world;
    uint8_t in[WIRE_MAX_REQUEST + WIRE_HEAD]; /* what is not a whole request yet */
    size_t in_length;
    struct wire_out out;
    bool is_xl;       /* a toolstack, not a daemon: no faults are for it */
    size_t sent;      /* of out */
    unsigned pending; /* changes to be told */
};

struct sim_session *sim_session_new(struct world *world)
{
    struct sim_session *session = calloc(1, sizeof(*session));

    invariant(session);
    session->world = world;
    wire_begin(&session->out, WIRE_HELLO);
    wire_put_u32(&session->out, WIRE_MAGIC);
    wire_put_u32(&session->out, WIRE_VERSION);
    wire_end(&session->out);
    return session;
}

struct sim_session *sim_session_free(struct sim_session *session)
{
    if (session)
        wire_out_fini(&session->out);
    free(session);
    return NULL;
}

static void answer_failure(struct wire_out *out, const struct err *err)
{
    wire_begin(out, WIRE_FAILED);
    wire_put_u32(out, err->code);
    wire_put_text(out, err->text);
    wire_end(out);
}

static void answer_done(struct wire_out *out, int failed, const struct err *err)
{
    if (failed) {
        answer_failure(out, err);
        return;
    }
    wire_begin(out, WIRE_OK);
    wire_end(out);
}

static void answer_read(struct sim_session *session, struct wire_in *in)
{
    struct world *world = session->world;
    uint64_t since = wire_get_u64(in);
    enum sim_fault_how how;
    struct hv_host host;
    struct err err;

    if (!wire_in_done(in))
        return;
    if (!session->is_xl && sim_fault_strikes(world, SIM_OP_READ, &how, &err)) {
        answer_failure(&session->out, &err);
        return;
    }
    world_show_host(world, &host);
    wire_begin(&session->out, WIRE_OK);
    wire_put_host(&session->out, &host);
    wire_put_u64(&session->out, world->stamp);
    wire_put_u32(&session->out, (uint32_t)world->n_domains);
    for (size_t i = 0; i < world->n_domains; i++) {
        struct sim_facts facts;

        sim_facts_of(world->domains[i], since, &facts);
        wire_put_facts(&session->out, &facts);
    }
    wire_end(&session->out);
}

static void answer_target(struct sim_session *session, struct wire_in *in)
{
    struct hv_ref ref = {0};
    struct kib expected, target, cap;
    struct err err;

    wire_get_ref(in, &ref);
    expected = wire_get_kib(in);
    target = wire_get_kib(in);
    cap = wire_get_kib(in);
    if (wire_in_done(in))
        answer_done(&session->out,
                    world_set_target(session->world, &ref, expected, target, cap, &err), &err);
}

static void answer_cap(struct sim_session *session, struct wire_in *in)
{
    struct hv_ref ref = {0};
    struct kib cap;
    struct err err;

    wire_get_ref(in, &ref);
    cap = wire_get_kib(in);
    if (wire_in_done(in))
        answer_done(&session->out, world_set_cap(session->world, &ref, cap, &err), &err);
}

static void answer_adopt(struct sim_session *session, struct wire_in *in)
{
    struct hv_ref ref = {0};
    struct kib seen;
    struct err err;

    wire_get_ref(in, &ref);
    seen = wire_get_kib(in);
    if (wire_in_done(in))
        answer_done(&session->out, world_adopt_target(session->world, &ref, seen, &err), &err);
}

static void put_xl_answer(struct wire_out *out, const struct sim_xl_answer *answer)
{
    wire_begin(out, WIRE_OK);
    wire_put_u32(out, answer->exit_code);
    wire_put_u32(out, answer->wait);
    wire_put_u32(out, answer->domid);
    wire_put_bytes(out, answer->out, answer->out_length);
    wire_put_text(out, answer->exit_code == SIM_XL_DONE ? "" : answer->err.text);
    wire_end(out);
}

static void answer_xl(struct sim_session *session, struct wire_in *in)
{
    char texts[SIM_XL_MAX_WORDS][WORD_MAX];
    const char *words[SIM_XL_MAX_WORDS];
    uint32_t n_words = wire_get_u32(in);
    struct sim_xl_answer answer;

    in->bad |= n_words > SIM_XL_MAX_WORDS;
    for (uint32_t i = 0; i < n_words && !in->bad; i++) {
        wire_get_text(in, texts[i], WORD_MAX);
        words[i] = texts[i];
    }
    if (!wire_in_done(in))
        return;
    session->is_xl = true;
    sim_xl_run(session->world, n_words, words, &answer);
    put_xl_answer(&session->out, &answer);
    sim_xl_answer_fini(&answer);
}

static int answer_request(struct sim_session *session, enum wire_kind kind, struct wire_in *in,
                          struct err *err)
{
    switch (kind) {
    case WIRE_READ:
        answer_read(session, in);
        break;
    case WIRE_TARGET:
        answer_target(session, in);
        break;
    case WIRE_CAP:
        answer_cap(session, in);
        break;
    case WIRE_ADOPT:
        answer_adopt(session, in);
        break;
    case WIRE_XL:
        answer_xl(session, in);
        break;
    default:
        return err_set(err, ERR_INVALID, "message %d is not a request", (int)kind);
    }
    if (!wire_in_done(in))
        return err_set(err, ERR_INVALID, "a request of kind %d that is not sound", (int)kind);
    if (session->out.length - session->sent > MAX_WAITING)
        return err_set(err, ERR_INVALID, "asks, and does not fetch the answers");
    return 0;
}

/* Answers the first request of what has arrived. *size is 0 where there is no whole one. */
static int answer_first(struct sim_session *session, size_t *size, struct err *err)
{
    enum wire_kind kind;
    struct wire_in content;

    if (wire_split(session->in, session->in_length, WIRE_MAX_REQUEST, &kind, &content, size))
        return err_set(err, ERR_INVALID, "what arrived is no request");
    return *size == 0 ? 0 : answer_request(session, kind, &content, err);
}

int sim_session_take(struct sim_session *session, const void *bytes, size_t length, struct err *err)
{
    const uint8_t *at = bytes;

    while (length > 0) {
        size_t room = sizeof(session->in) - session->in_length;
        size_t part = length < room ? length : room;
        size_t size;

        invariant(part > 0); /* a whole request fits, so there is never a full one waiting */
        memcpy(session->in + session->in_length, at, part);
        session->in_length += part;
        at += part;
        length -= part;
        do {
            if (answer_first(session, &size, err))
                return -1;
            session->in_length -= size;
            memmove(session->in, session->in + size, session->in_length);
        } while (size > 0);
    }
    return 0;
}

void sim_session_tell(struct sim_session *session, unsigned changes)
{
    session->pending |= changes;
    if (session->pending == 0 || session->sent < session->out.length)
        return;
    wire_begin(&session->out, WIRE_EVENT);
    wire_put_u32(&session->out, session->pending);
    wire_end(&session->out);
    session->pending = 0;
}

const void *sim_session_output(const struct sim_session *session, size_t *length)
{
    *length = session->out.length - session->sent;
    return session->out.bytes + session->sent;
}

void sim_session_sent(struct sim_session *session, size_t length)
{
    invariant(length <= session->out.length - session->sent);
    session->sent += length;
    if (session->sent == session->out.length)
        session->sent = session->out.length = 0;
}
