/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the database holds, into layers and registry, at start. */
#include <string.h>

#include "base/err.h"
#include "daemon/daemon.h"
#include "daemon/freezes.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"
#include "daemon/settings/change.h"
#include "daemon/settings/layers.h"
#include "daemon/wall_clock.h"

#define ANOTHER "put a backup in its place, or name another database"

/* What loading needs besides the daemon. */
struct loading {
    struct daemon *daemon;
    struct err *err;
    int rc;
};

static void load_vm(void *arg, const struct db_vm *row)
{
    struct loading *loading = arg;
    struct vm_entry *vm =
        registry_get(loading->daemon->registry, loading->daemon->layers, row->name);

    memcpy(vm->uuid, row->uuid, sizeof(vm->uuid));
    vm->natural.target = kib(row->target_kib);
    vm->natural.static_max = kib(row->static_max_kib);
    vm->seen = true;
}

static void load_layer(void *arg, const struct db_layer *row)
{
    struct loading *loading = arg;
    struct changes *changes = loading->daemon->changes;
    enum layer_kind kind = strcmp(row->kind, "policy") == 0 ? LAYER_POLICY : LAYER_TIMED;

    struct layer *layer =
        layers_add(loading->daemon->layers, row->id, kind, row->name, row->expires_ms);

    if (layer)
        layer_set_created(layer, row->created_ms);
    else
        loading->rc =
            err_set(loading->err, ERR_FAILED,
                    "the database has more than %d layers of settings: " ANOTHER, LAYERS_MAX);
    if (row->id >= changes->next_layer)
        changes->next_layer = row->id + 1;
}

static void load_setting(void *arg, const struct db_setting *row)
{
    struct loading *loading = arg;
    struct layer *layer = layers_find(loading->daemon->layers, row->layer);
    bool of_vm = strcmp(row->scope, "host") != 0;
    const struct setting_def *defs = of_vm ? vm_setting_defs : host_setting_defs;
    int key = of_vm ? setting_find(vm_setting_defs, VM_KEY_COUNT, row->key)
                    : setting_find(host_setting_defs, HOST_KEY_COUNT, row->key);

    if (loading->rc)
        return;
    if (!layer || key < 0) {
        loading->rc = err_set(
            loading->err, ERR_FAILED,
            "the database has a setting '%.40s' that makes no sense here: " ANOTHER, row->key);
        return;
    }
    loading->rc = setting_check(&defs[key], row->value, loading->err);
    if (loading->rc)
        err_advise(loading->err, "the database has it: " ANOTHER);
    if (loading->rc == 0 && strcmp(row->scope, "except") == 0)
        layer_except(layer, row->match, (unsigned)key);
    else if (loading->rc == 0)
        setting_put(of_vm ? layer_vm(layer, row->match) : layer_host(layer), (unsigned)key,
                    row->value);
}

static void load_reservation(void *arg, const struct db_reservation *row)
{
    const struct loading *loading = arg;

    reservations_load(loading->daemon->reservations, row);
}

static void load_freeze(void *arg, const struct db_freeze *row)
{
    const struct loading *loading = arg;

    freezes_load(loading->daemon->freezes, row);
}

/* The first look is at once after this. What was written "later than now" was written just now. */
static void load_demand(void *arg, const struct db_demand *row)
{
    struct loading *loading = arg;
    struct vm_entry *vm = registry_find(loading->daemon->registry, row->name);
    int64_t age_ms = wall_clock_ms(loading->daemon) - row->time_ms;

    if (!vm)
        return;
    vm->has_recalled = true;
    vm->recalled = kib(row->demand_kib);
    vm->recalled_age_ms = age_ms > 0 ? age_ms : 0;
}

static void know_name(void *arg, const char *name)
{
    struct daemon *daemon = arg;

    (void)registry_get(daemon->registry, daemon->layers, name);
}

int changes_load(struct daemon *daemon, struct err *err)
{
    struct loading loading = {.daemon = daemon, .err = err};
    const struct db_visitor visitor = {&loading,         load_vm,     load_layer, load_setting,
                                       load_reservation, load_freeze, load_demand};

    if (db_load(daemon->db, &visitor, err) || loading.rc)
        return -1;
    layers_each_name(daemon->layers, know_name, daemon);
    registry_resolve(daemon->registry, daemon->layers);
    return 0;
}
