/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated backend: a host in a process of its own, at the other end of a socket. */
#include "hv/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "hv/hv_ops.h"
#include "hv/sim/client.h"

struct sim {
    struct hv hv;
    struct sim_client *client;
    struct sim_look *look;
    uint64_t stamp; /* of the newest report that we have */
};

static struct sim *sim_of(struct hv *hv)
{
    return (struct sim *)hv;
}

static void sim_close(struct hv *hv)
{
    struct sim *sim = sim_of(hv);

    sim_client_close(sim->client);
    sim_look_free(sim->look);
    free(sim);
}

static size_t sim_fds(struct hv *hv, int fds[HV_MAX_FDS])
{
    sim_client_fds(sim_of(hv)->client, fds);
    return 2;
}

static int sim_drain(struct hv *hv, unsigned *changes, struct err *err)
{
    return sim_client_drain(sim_of(hv)->client, changes, err);
}

/* Ascending by domid, as the host sends them. */
static int take_domains(struct sim *sim, struct wire_in *in, int64_t now_ms)
{
    uint32_t n = wire_get_u32(in);
    int64_t last = -1;

    /* Each takes more than one byte: a count beyond that is a lie. */
    in->bad |= n > (size_t)(in->end - in->at);
    if (in->bad)
        return -1;
    sim_look_begin(sim->look, n);
    for (uint32_t i = 0; i < n; i++) {
        struct sim_facts facts;

        wire_get_facts(in, &facts);
        if (in->bad || facts.ref.domid <= last)
            return -1;
        last = facts.ref.domid;
        sim_look_take(sim->look, &facts, now_ms);
    }
    return wire_in_done(in) ? 0 : -1;
}

static int sim_read(struct hv *hv, int64_t now_ms, struct hv_view *view, struct err *err)
{
    struct sim *sim = sim_of(hv);
    struct wire_in in;
    uint64_t stamp;

    wire_put_u64(sim_client_ask(sim->client, WIRE_READ), sim->stamp);
    if (sim_client_call(sim->client, &in, err))
        return -1;
    wire_get_host(&in, &view->host);
    stamp = wire_get_u64(&in);
    if (take_domains(sim, &in, now_ms))
        return sim_client_break(sim->client, err);
    sim->stamp = stamp;
    sim_look_end(sim->look, view);
    return 0;
}

/* The domain as we saw it last: whoever writes must have looked. */
static struct hv_domain *find(struct sim *sim, const struct hv_ref *ref, struct err *err)
{
    struct hv_domain *seen = sim_look_find(sim->look, ref);

    if (!seen)
        err_set(err, ERR_NOT_FOUND, "the domain is gone");
    return seen;
}

/* Sends a request whose answer says nothing but that it was done. */
static int carry_out(struct sim *sim, struct err *err)
{
    struct wire_in in;

    if (sim_client_call(sim->client, &in, err))
        return -1;
    return wire_in_done(&in) ? 0 : sim_client_break(sim->client, err);
}

static int sim_set_target(struct hv *hv, const struct hv_ref *ref, struct kib target,
                          struct kib cap, struct err *err)
{
    struct sim *sim = sim_of(hv);
    struct hv_domain *seen = find(sim, ref, err);
    struct wire_out *out;

    if (!seen)
        return -1;
    out = sim_client_ask(sim->client, WIRE_TARGET);
    wire_put_ref(out, ref);
    wire_put_kib(out, seen->target);
    wire_put_kib(out, target);
    wire_put_kib(out, cap);
    if (carry_out(sim, err))
        return -1;
    sim_look_wrote(seen, target, cap);
    return 0;
}

static int sim_set_cap(struct hv *hv, const struct hv_ref *ref, struct kib cap, struct err *err)
{
    struct sim *sim = sim_of(hv);
    struct wire_out *out = sim_client_ask(sim->client, WIRE_CAP);

    wire_put_ref(out, ref);
    wire_put_kib(out, cap);
    return carry_out(sim, err);
}

static int sim_adopt(struct hv *hv, const struct hv_ref *ref, struct err *err)
{
    struct sim *sim = sim_of(hv);
    struct hv_domain *seen = find(sim, ref, err);
    struct wire_out *out;

    if (!seen)
        return -1;
    out = sim_client_ask(sim->client, WIRE_ADOPT);
    wire_put_ref(out, ref);
    wire_put_kib(out, seen->target);
    return carry_out(sim, err);
}

static const struct hv_ops sim_ops = {
    .kind = "simulated",
    .close = sim_close,
    .fds = sim_fds,
    .drain = sim_drain,
    .read = sim_read,
    .set_target = sim_set_target,
    .set_cap = sim_set_cap,
    .adopt_target = sim_adopt,
};

int hv_sim_open(const char *socket, struct hv **out, struct err *err)
{
    struct sim_client *client;
    struct sim *sim;

    if (sim_client_open(socket, &client, err))
        return -1;
    sim = calloc(1, sizeof(*sim));
    invariant(sim);
    sim->hv.ops = &sim_ops;
    sim->client = client;
    sim->look = sim_look_new();
    *out = &sim->hv;
    return 0;
}
