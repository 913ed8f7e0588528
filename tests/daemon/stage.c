/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/daemon/stage.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/engine.h"
#include "daemon/events.h"
#include "daemon/freezes.h"
#include "daemon/history.h"
#include "daemon/options.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"
#include "daemon/settings/changes.h"
#include "daemon/settings/layers.h"
#include "db/db.h"
#include "hv/sim/sim.h"
#include "hv/sim/toolstack.h"
#include "hv/sim/vm.h"
#include "hv/sim/world.h"
#include "hv/sim/xl.h"

struct stage stage;

void stage_add_vm(const char *name, const char *memory, const char *maxmem, const char *demand)
{
    struct sim_vm vm;

    sim_vm_init(&vm, name);
    ck_assert_int_eq(sim_vm_set(&vm, "memory", memory, NULL), 0);
    ck_assert_int_eq(sim_vm_set(&vm, "maxmem", maxmem, NULL), 0);
    ck_assert_int_eq(sim_vm_set(&vm, "demand", demand, NULL), 0);
    ck_assert_int_eq(sim_vm_complete(&vm, NULL), 0);
    ck_assert_int_eq(toolstack_settle(stage.world, world_take_vm(stage.world, &vm), NULL), 0);
}

/* All of the daemon but its loop and its socket. */
void stage_open_daemon(void)
{
    const struct db_limits limits = {0};
    struct setting_partial *said;
    char database[80];

    stage.host.wall_ms = &stage.wall_ms;
    snprintf(database, sizeof(database), "%s/db", stage.folder);
    ck_assert_int_eq(db_open(database, &limits, &stage.host.db, NULL), 0);
    ck_assert_int_eq(options_read(NULL, &stage.host.options, NULL), 0);
    stage.host.layers = layers_new();
    said = layer_vm(layers_find(stage.host.layers, LAYER_ID_CONFIG), "*");
    setting_put(said, VM_KEY_MODE, VM_MODE_DYNAMIC);
    setting_put(said, VM_KEY_MINIMUM, 256 * 1024);
    stage.host.registry = registry_new();
    stage.host.changes = changes_new(&stage.host);
    stage.host.reservations = reservations_new(&stage.host);
    stage.host.freezes = freezes_new(&stage.host);
    ck_assert_int_eq(changes_load(&stage.host, NULL), 0);
    stage.host.events = events_new(&stage.host);
    stage.host.engine = engine_new(&stage.host);
    stage.host.history = history_new(&stage.host);
    hv_sim_local_open(stage.world, &stage.host.hv);
}

void stage_close_daemon(void)
{
    engine_free(stage.host.engine);
    changes_free(stage.host.changes);
    reservations_free(stage.host.reservations);
    freezes_free(stage.host.freezes);
    db_close(stage.host.db);
    events_free(stage.host.events);
    history_free(stage.host.history);
    hv_close(stage.host.hv);
    registry_free(stage.host.registry);
    layers_free(stage.host.layers);
    options_free(stage.host.options);
    stage.host = (struct daemon){0};
}

/* 4 GiB for three guests: busy, idle, helper. */
void stage_set_up(void)
{
    struct world_host sizes;

    log_set_level(LOG_LEVEL_ERROR);
    strcpy(stage.folder, "/tmp/xenmem-engine-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(stage.folder));
    world_host_init(&sizes);
    sizes.size = kib_gib(4);
    sizes.dom0 = sizes.dom0_cap = kib_mib(512);
    ck_assert_int_eq(world_new(&sizes, &stage.world, NULL), 0);
    stage_add_vm("busy", "1g", "3g", "600m");
    stage_add_vm("idle", "1g", "2g", "300m");
    stage_add_vm("helper", "1g", "2g", "300m");
    stage.now_ms = 0;
    stage.wall_ms = INT64_C(1700000000000);
    stage_open_daemon();
}

void stage_tear_down(void)
{
    char command[96];

    stage_close_daemon();
    stage.world = world_free(stage.world);
    snprintf(command, sizeof(command), "rm -r %s", stage.folder);
    ck_assert_int_eq(system(command), 0);
}

void stage_xl(const char *line)
{
    char text[128];
    const char *words[8];
    size_t n_words = 0;
    struct sim_xl_answer answer;

    snprintf(text, sizeof(text), "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        words[n_words++] = word;
    sim_xl_run(stage.world, n_words, words, &answer);
    ck_assert_msg(answer.exit_code == SIM_XL_DONE, "xl %s: %s", line, answer.err.text);
    sim_xl_answer_fini(&answer);
}

/* The disk takes no virtual time: what is on its way is there before the next pass. */
static void await_database(void)
{
    struct pollfd fd = {.fd = db_fd(stage.host.db), .events = POLLIN};

    db_dispatch(stage.host.db);
    while (!reservations_are_kept(stage.host.reservations)) {
        (void)poll(&fd, 1, -1);
        db_dispatch(stage.host.db);
    }
}

/* Seconds of passes. Promise 1 is looked at after each of them, from the world's own figures. */
void stage_pass(int seconds)
{
    struct err err = {0};

    for (int i = 0; i < seconds; i++) {
        stage.now_ms += 1000;
        stage.wall_ms += 1000;
        ck_assert_msg(engine_tick(stage.host.engine, stage.now_ms, &err) == 0, "%s", err.text);
        ck_assert_msg(!engine_status(stage.host.engine)->invariant_broken,
                      "promise 1 is broken at %d s: uncommitted %lld", (int)(stage.now_ms / 1000),
                      (long long)engine_status(stage.host.engine)->uncommitted.v);
        history_take(stage.host.history, stage.wall_ms);
        await_database();
    }
}

const struct domain *stage_domain(const char *name)
{
    const struct vm_entry *vm = registry_find(stage.host.registry, name);

    ck_assert_ptr_nonnull(vm);
    ck_assert_ptr_nonnull(vm->domain);
    return vm->domain;
}

int64_t stage_target_mib(const char *name)
{
    return stage_domain(name)->now.target.v / 1024;
}

/* --- what is in the journal ------------------------------------------------------------------ */

struct counting {
    const char *kind, *vm, *part;
    int count;
    bool done;
};

static void count_rows(void *arg, const struct db_event *rows, size_t count)
{
    struct counting *counting = arg;

    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].kind, counting->kind) == 0 &&
            (!counting->vm || (rows[i].vm && strcmp(rows[i].vm, counting->vm) == 0)) &&
            strstr(rows[i].detail, counting->part))
            counting->count++;
}

static void note_end(void *arg, int rc, const struct err *err)
{
    ck_assert_msg(rc == 0, "%s", err ? err->text : "");
    ((struct counting *)arg)->done = true;
}

static int count_events(const char *kind, const char *vm, const char *part)
{
    struct counting counting = {kind, vm, part, 0, false};
    const struct db_filter all = {.limit = 10000};

    ck_assert_int_eq(db_query_events(stage.host.db, &all, count_rows, note_end, &counting, NULL),
                     0);
    for (int i = 0; i < 10000 && !counting.done; i++) {
        usleep(1000);
        db_dispatch(stage.host.db);
    }
    ck_assert(counting.done);
    return counting.count;
}

int stage_events(const char *kind, const char *vm)
{
    return count_events(kind, vm, "");
}

int stage_events_saying(const char *kind, const char *part)
{
    return count_events(kind, NULL, part);
}
