/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pilot.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/engine.h"
#include "daemon/options.h"
#include "daemon/overrides.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"
#include "daemon/settings/layers.h"
#include "db/db.h"
#include "hv/sim/sim.h"
#include "sim/script.h"

#define EPOCH_MS INT64_C(1700000000000) /* when a run begins */

/* --- the daemon ------------------------------------------------------------------------------ */

static void database_of(const struct pilot *pilot, char *out, size_t room)
{
    snprintf(out, room, "%s/xenmem.db", pilot->folder);
}

static int make_folder(struct pilot *pilot, struct err *err)
{
    strcpy(pilot->folder, "/tmp/xenmem-run-XXXXXX");
    if (mkdtemp(pilot->folder))
        return 0;
    err_set_errno(err, ERR_FAILED, errno, "a folder for the database, %s", pilot->folder);
    pilot->folder[0] = '\0';
    return -1;
}

static void remove_folder(struct pilot *pilot)
{
    static const char *const files[] = {"xenmem.db", "xenmem.db-wal", "xenmem.db-shm",
                                        "xenmem.db.lock"};
    char path[128];

    if (!pilot->folder[0])
        return;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(path, sizeof(path), "%s/%s", pilot->folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(pilot->folder);
    pilot->folder[0] = '\0';
}

/* What the scenario says, as if it had been set. */
static void fill_layers(struct pilot *pilot)
{
    struct layers *layers = pilot->daemon.layers;
    struct layer *config = layers_find(layers, LAYER_ID_CONFIG);
    struct layer *base = layers_find(layers, LAYER_ID_BASE);

    *layer_host(config) = pilot->script->host;
    setting_put(layer_vm(config, "*"), VM_KEY_MODE, VM_MODE_DYNAMIC); /* who is created later */
    for (size_t i = 0; i < pilot->script->n_vms; i++)
        *layer_vm(base, pilot->script->vms[i].name) = pilot->script->vms[i].said;
    registry_resolve(pilot->daemon.registry, layers);
}

static int start_daemon(struct pilot *pilot, struct err *err)
{
    struct options_given given = {0};
    struct options *options;
    char database[128];
    struct hv *hv;

    database_of(pilot, database, sizeof(database));
    given.database = database;
    if (options_read(NULL, &options, err))
        return -1;
    if (options_give(options, &given, err)) {
        options_free(options);
        return -1;
    }
    options->log_level = LOG_LEVEL_ERROR;
    hv_sim_local_open(pilot->world, &hv);
    if (daemon_start_by_hand(&pilot->daemon, options, hv, &pilot->wall_ms, err))
        return -1;
    engine_switch_off(pilot->daemon.engine, &pilot->faults);
    fill_layers(pilot);
    pilot->is_up = true;
    return 0;
}

static void stop_daemon(struct pilot *pilot)
{
    if (pilot->is_up)
        daemon_stop(&pilot->daemon);
    pilot->is_up = false;
}

/* --- what the operator does ------------------------------------------------------------------ */

static void set(struct pilot *pilot, const struct script_command *command)
{
    bool of_host = strcmp(command->name, SCRIPT_HOST) == 0;
    struct setting_partial *said =
        of_host ? &pilot->script->host : script_find_vm(pilot->script, command->name);

    for (unsigned key = 0; key < SETTINGS_MAX_KEYS; key++)
        if (setting_has(&command->said, key))
            setting_put(said, key, command->said.value[key]);
    if (!pilot->is_up)
        return;
    fill_layers(pilot);
    if (!of_host)
        (void)overrides_clear(&pilot->daemon, command->name, NULL, NULL);
}

static const struct reservation *find_reservation(const struct pilot *pilot, const char *name)
{
    const struct reservation *it = reservations_first(pilot->daemon.reservations);

    while (it && strcmp(it->name, name) != 0)
        it = it->next;
    return it;
}

static void reserve(struct pilot *pilot, const struct script_command *command)
{
    const struct reservation_request request = {.name = command->name,
                                                .size = command->wish.size,
                                                .priority = command->wish.priority,
                                                .ttl_ms = command->wish.ttl_ms,
                                                .wait_ms = command->wish.wait_ms};

    if (pilot->is_up)
        reservations_ask(pilot->daemon.reservations, NULL, &request);
}

static void release(struct pilot *pilot, const struct script_command *command)
{
    const struct reservation *it = pilot->is_up ? find_reservation(pilot, command->name) : NULL;

    if (it)
        reservations_release(pilot->daemon.reservations, NULL, it->id);
}

static int carry_out(struct pilot *pilot, const struct script_command *command, struct err *err)
{
    switch (command->deed) {
    case SCRIPT_SET:
        set(pilot, command);
        return 0;
    case SCRIPT_CLEAR:
        if (pilot->is_up)
            (void)overrides_clear(&pilot->daemon, command->name, NULL, NULL);
        return 0;
    case SCRIPT_RESERVE:
        reserve(pilot, command);
        return 0;
    case SCRIPT_RELEASE:
        release(pilot, command);
        return 0;
    case SCRIPT_KILL:
        stop_daemon(pilot);
        return 0;
    default:
        return pilot->is_up ? 0 : start_daemon(pilot, err);
    }
}

static int carry_out_due(struct pilot *pilot, int64_t now_ms, struct err *err)
{
    for (size_t i = 0; i < pilot->script->n_commands; i++) {
        struct script_command command = pilot->script->commands[i];

        if (command.due_ms > now_ms)
            continue;
        pilot->script->commands[i].due_ms =
            command.every_ms > 0 ? command.due_ms + command.every_ms : INT64_MAX;
        if (carry_out(pilot, &command, err))
            return -1;
    }
    return 0;
}

/* --- a pass ---------------------------------------------------------------------------------- */

/* The disk takes no virtual time: what is on its way is there before the next pass. */
static void await_database(struct pilot *pilot)
{
    struct pollfd fd = {.fd = db_fd(pilot->daemon.db), .events = POLLIN};

    db_dispatch(pilot->daemon.db);
    while (!reservations_are_kept(pilot->daemon.reservations)) {
        (void)poll(&fd, 1, -1);
        db_dispatch(pilot->daemon.db);
    }
}

int pilot_begin(struct pilot *pilot, struct world *world, struct script *script,
                const struct decide_faults *faults, struct err *err)
{
    *pilot = (struct pilot){.world = world, .script = script, .faults = *faults};
    pilot->wall_ms = EPOCH_MS;
    if (make_folder(pilot, err) == 0 && start_daemon(pilot, err) == 0)
        return 0;
    pilot_end(pilot);
    return -1;
}

void pilot_end(struct pilot *pilot)
{
    stop_daemon(pilot);
    remove_folder(pilot);
}

int pilot_pass(struct pilot *pilot, int64_t now_ms, struct err *err)
{
    pilot->wall_ms = EPOCH_MS + now_ms;
    if (carry_out_due(pilot, now_ms, err))
        return -1;
    if (!pilot->is_up)
        return 0;
    if (engine_tick(pilot->daemon.engine, now_ms, err))
        return -1;
    await_database(pilot);
    return 0;
}

const struct reservation *pilot_reservation(const struct pilot *pilot, const char *name)
{
    return pilot->is_up ? find_reservation(pilot, name) : NULL;
}

const struct vm_entry *pilot_vm(const struct pilot *pilot, const char *name)
{
    return pilot->is_up ? registry_find(pilot->daemon.registry, name) : NULL;
}

const struct engine_status *pilot_status(const struct pilot *pilot)
{
    static const struct engine_status nothing;

    return pilot->is_up ? engine_status(pilot->daemon.engine) : &nothing;
}
