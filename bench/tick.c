/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one pass of the daemon costs: the whole engine on a simulated host in this process, idle
 * (nothing changes) and busy (every guest's need moves at every pass). For counting instructions,
 * run it under callgrind with --toggle-collect=engine_tick (bench/idle.sh does).
 *
 * usage: tick [VMS [PASSES [idle|busy]]]      prints CSV: vms,kind,passes,median_us
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/events.h"
#include "daemon/registry.h"
#include "daemon/settings/layers.h"
#include "db/db.h"
#include "hv/sim/sim.h"
#include "hv/sim/step.h"
#include "hv/sim/toolstack.h"
#include "hv/sim/vm.h"
#include "hv/sim/world.h"

#define WARM_UP_PASSES 200
#define PASS_MS        1000

static const char *const kinds[] = {"idle", "busy"};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

static void give_up(const struct err *err)
{
    fprintf(stderr, "tick: %s\n", err->text);
    exit(1);
}

static void add_vm(struct world *world, int number, bool busy)
{
    char name[32];
    const char *demand = busy ? "sine 300m 900m every 97s" : "500m";
    const struct {
        const char *key, *value;
    } keys[] = {{"memory", "768m"}, {"maxmem", "2g"}, {"demand", demand}};
    struct sim_vm *vm = calloc(1, sizeof(*vm));
    struct err err;

    snprintf(name, sizeof(name), "vm%05d", number);
    sim_vm_init(vm, name);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (sim_vm_set(vm, keys[i].key, keys[i].value, &err))
            give_up(&err);
    if (sim_vm_complete(vm, &err))
        give_up(&err);
    if (toolstack_settle(world, world_take_vm(world, vm), &err))
        give_up(&err);
}

static struct world *make_world(int vms, bool busy)
{
    struct world_host host;
    struct world *world;
    struct err err;

    world_host_init(&host);
    host.dom0 = host.dom0_cap = kib_gib(1);
    host.size = kib_add(kib_gib(2), kib_mib((int64_t)vms * 800));
    if (world_new(&host, &world, &err))
        give_up(&err);
    for (int i = 0; i < vms; i++)
        add_vm(world, i, busy);
    return world;
}

/* All of the daemon but its loop and its socket. */
static void make_daemon(struct daemon *daemon, struct world *world, const char *database)
{
    const struct db_limits limits = {0};
    struct setting_partial *said;
    struct err err;

    *daemon = (struct daemon){0};
    if (db_open(database, &limits, &daemon->db, &err))
        give_up(&err);
    daemon->layers = layers_new();
    said = layer_vm(layers_find(daemon->layers, LAYER_ID_CONFIG), "*");
    setting_put(said, VM_KEY_MODE, VM_MODE_DYNAMIC);
    setting_put(said, VM_KEY_MINIMUM, 256 * 1024);
    daemon->registry = registry_new();
    daemon->events = events_new(daemon);
    daemon->engine = engine_new(daemon);
    hv_sim_local_open(world, &daemon->hv);
}

static void free_daemon(struct daemon *daemon)
{
    engine_free(daemon->engine);
    db_close(daemon->db);
    events_free(daemon->events);
    hv_close(daemon->hv);
    registry_free(daemon->registry);
    layers_free(daemon->layers);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

/* The world moves outside of what is measured: hv_read only shows it. */
static void measure(int vms, const char *kind, int passes, const char *database)
{
    struct world *world = make_world(vms, strcmp(kind, "busy") == 0);
    int64_t *spent = calloc((size_t)passes, sizeof(*spent));
    struct daemon daemon;
    struct err err;

    make_daemon(&daemon, world, database);
    for (int pass = 0; pass < WARM_UP_PASSES + passes; pass++) {
        int64_t begin;

        world_advance(world, (int64_t)pass * PASS_MS);
        begin = now_ns();
        if (engine_tick(daemon.engine, (int64_t)pass * PASS_MS, &err))
            give_up(&err);
        if (pass >= WARM_UP_PASSES)
            spent[pass - WARM_UP_PASSES] = now_ns() - begin;
    }
    qsort(spent, (size_t)passes, sizeof(*spent), by_size);
    printf("%d,%s,%d,%.1f\n", vms, kind, passes, (double)spent[passes / 2] / 1000);
    free_daemon(&daemon);
    world_free(world);
    free(spent);
}

/* Each kind with a new database, in a folder that goes away. */
static int measure_all(int vms, int passes, const char *only)
{
    char folder[] = "/tmp/xenmem-tick-XXXXXX";
    char database[64], command[64];

    if (!mkdtemp(folder)) {
        perror("tick: a folder in /tmp");
        return 1;
    }
    puts("vms,kind,passes,median_us");
    for (size_t i = 0; i < N_KINDS; i++) {
        if (only && strcmp(only, kinds[i]) != 0)
            continue;
        snprintf(database, sizeof(database), "%s/%s.db", folder, kinds[i]);
        measure(vms, kinds[i], passes, database);
    }
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command) != 0;
}

static bool is_kind(const char *text)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (strcmp(text, kinds[i]) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    int vms = argc > 1 ? atoi(argv[1]) : 100;
    int passes = argc > 2 ? atoi(argv[2]) : 500;
    const char *only = argc > 3 ? argv[3] : NULL;

    if (vms < 1 || passes < 1 || (only && !is_kind(only))) {
        fputs("usage: tick [VMS [PASSES [idle|busy]]]\n", stderr);
        return 2;
    }
    log_set_level(LOG_LEVEL_ERROR);
    return measure_all(vms, passes, only);
}
