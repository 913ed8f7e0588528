/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What arrives at a simulated host, and what one might answer: neither may harm the other end. */
#include "tests/fuzz/fuzz.h"

#include "base/err.h"
#include "base/invariant.h"
#include "hv/sim/session.h"
#include "hv/sim/step.h"
#include "hv/sim/toolstack.h"
#include "hv/sim/wire.h"
#include "hv/sim/world.h"

const char fuzz_name[] = "sim";

/* A small host with one VM. */
static struct world *make_world(void)
{
    struct world_host host;
    struct world *world = NULL;
    struct sim_vm vm;

    world_host_init(&host);
    invariant(world_new(&host, &world, NULL) == 0);
    sim_vm_init(&vm, "web1");
    invariant(sim_vm_set(&vm, "memory", "1g", NULL) == 0 && sim_vm_complete(&vm, NULL) == 0);
    invariant(toolstack_settle(world, world_take_vm(world, &vm), NULL) == 0);
    return world;
}

/* As requests, in two pieces; time goes on after them, and pages must add up. */
static void be_asked(const uint8_t *data, size_t size)
{
    struct world *world = make_world();
    struct sim_session *session = sim_session_new(world);
    size_t half = size / 2;

    if (sim_session_take(session, data, half, NULL) == 0)
        (void)sim_session_take(session, data + half, size - half, NULL);
    world_advance(world, world->now_ms + 1000);
    sim_session_free(session);
    world_free(world);
}

/* As an answer to READ. */
static void be_answered(const uint8_t *data, size_t size)
{
    struct sim_look *look = sim_look_new();
    enum wire_kind kind;
    struct wire_in in;
    struct hv_host host;
    struct sim_facts facts;
    size_t whole;

    if (wire_split(data, size, WIRE_MAX_REPLY, &kind, &in, &whole) == 0 && whole > 0) {
        wire_get_host(&in, &host);
        wire_get_facts(&in, &facts);
        if (!in.bad) {
            sim_look_begin(look, 1);
            sim_look_take(look, &facts, 1000);
        }
    }
    sim_look_free(look);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    be_asked(data, size);
    be_answered(data, size);
    return 0;
}
