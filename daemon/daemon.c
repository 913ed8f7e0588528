/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's life: its parts made in order, and torn down in the opposite one. */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "config.h"
#include "daemon/clients/server.h"
#include "daemon/engine.h"
#include "daemon/events.h"
#include "daemon/freezes.h"
#include "daemon/history.h"
#include "daemon/hooks/hooks.h"
#include "daemon/host_lock.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/metrics/scrape.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"
#include "daemon/settings/changes.h"
#include "daemon/settings/layers.h"
#include "daemon/sim_host.h"
#include "db/db.h"
#include "hv/hv.h"

/* Connections, and what the rest of the daemon has open. */
#define FILES_WANTED 1300

/* So long the stop waits for hooks; what has not ended by then is killed, and run at the next
 * start.
 */
#define WIND_DOWN_MS 10000

/* The folder of the default path exists once installed; a first run elsewhere needs it as well. */
static int make_database_folder(const char *database, struct err *err)
{
    char *folder = memory_copy_text(database);
    char *slash = strrchr(folder, '/');
    int problem = 0;

    if (slash && slash != folder) {
        *slash = '\0';
        if (mkdir(folder, 0700) && errno != EEXIST)
            problem = errno;
    }
    if (problem) {
        err_set_errno(err, problem == EACCES ? ERR_DENIED : ERR_FAILED, problem,
                      "make the database's folder %s", folder);
        err_advise(err, "make it, or name another database (--database, or database = under "
                        "[daemon])");
    }
    free(folder);
    return problem ? -1 : 0;
}

static int open_database(struct daemon *daemon, struct err *err)
{
    const struct options *options = daemon->options;
    const struct db_limits limits = history_limits(options);

    if (make_database_folder(options->database, err))
        return -1;
    if (options->damaged_database == DAMAGED_SET_ASIDE)
        return db_open_or_begin(options->database, &limits, daemon->aside, sizeof(daemon->aside),
                                &daemon->db, err);
    return db_open(options->database, &limits, &daemon->db, err);
}

static int open_hypervisor(struct daemon *daemon, struct err *err)
{
    const char *backend = daemon->options->backend;
    char simulated[SIM_HOST_BACKEND_MAX];

    if (strncmp(backend, "sim:", 4) == 0) {
        if (sim_host_ensure(backend + 4, simulated, &daemon->sim_host, err))
            return -1;
        return hv_open(simulated, &daemon->hv, err);
    }
    return hv_open("xen", &daemon->hv, err);
}

/* More connections than the usual limit of 1024 descriptors allows; a lower one only means fewer.
 */
static void allow_many_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= FILES_WANTED)
        return;
    limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int load_settings(struct daemon *daemon, struct err *err)
{
    daemon->layers = layers_new();
    daemon->registry = registry_new();
    options_fill_layer(daemon->options, layers_find(daemon->layers, LAYER_ID_CONFIG));
    daemon->changes = changes_new(daemon);
    daemon->reservations = reservations_new(daemon);
    daemon->freezes = freezes_new(daemon);
    return changes_load(daemon, err);
}

static void make_engine(struct daemon *daemon)
{
    daemon->events = events_new(daemon);
    daemon->engine = engine_new(daemon);
    daemon->history = history_new(daemon);
}

static int make_parts(struct daemon *daemon, struct err *err)
{
    if (open_database(daemon, err) || load_settings(daemon, err) || open_hypervisor(daemon, err))
        return -1;
    make_engine(daemon);
    daemon->loop = loop_new(daemon);
    daemon->hooks = hooks_new(daemon);
    if (server_new(daemon, &daemon->server, err) || scrape_new(daemon, &daemon->scrape, err))
        return -1;
    daemon->host_lock = host_lock_take(daemon->options->backend, err);
    if (daemon->host_lock < 0)
        return -1;
    hooks_resume(daemon->hooks);
    events_raise_about(daemon->events, EVENT_DAEMON_STARTED, NULL, "version=%s backend=%s",
                       PACKAGE_VERSION, hv_kind(daemon->hv));
    if (daemon->aside[0]) {
        events_raise_about(daemon->events, EVENT_DATABASE_FAILED, NULL, "damaged=%s",
                           daemon->aside);
        events_raise_about(daemon->events, EVENT_DATABASE_OK, NULL, "begun=anew");
    }
    return loop_look_now(daemon->loop, err);
}

int daemon_start(struct daemon *daemon, struct options *options, struct err *err)
{
    daemon->options = options;
    daemon->host_lock = -1;
    log_set_level(options->log_level);
    allow_many_files();
    if (make_parts(daemon, err)) {
        pid_t sim_host = daemon->sim_host;

        daemon_stop(daemon);
        sim_host_end(sim_host);
        return -1;
    }
    notify_send("READY=1\nSTATUS=Balancing.");
    return 0;
}

int daemon_start_by_hand(struct daemon *daemon, struct options *options, struct hv *hv,
                         const int64_t *wall_ms, struct err *err)
{
    daemon->options = options;
    daemon->wall_ms = wall_ms;
    daemon->hv = hv;
    log_set_level(options->log_level);
    if (open_database(daemon, err) || load_settings(daemon, err)) {
        daemon_stop(daemon);
        return -1;
    }
    make_engine(daemon);
    return 0;
}

/* Its stop is told to the end. */
static bool is_at_rest(void *arg)
{
    const struct daemon *daemon = arg;

    return events_are_told(daemon->events) && hooks_are_idle(daemon->hooks);
}

int daemon_run(struct daemon *daemon, struct err *err)
{
    int rc = loop_run(daemon->loop, err);

    notify_send("STOPPING=1");
    events_raise_about(daemon->events, EVENT_DAEMON_STOPPING, NULL, "error=\"%s\"",
                       rc ? err->text : "none");
    daemon->stopping = true;
    loop_wind_down(daemon->loop, is_at_rest, daemon, WIND_DOWN_MS);
    return rc;
}

void daemon_stop(struct daemon *daemon)
{
    engine_free(daemon->engine);
    changes_free(daemon->changes);
    scrape_free(daemon->scrape);
    hooks_free(daemon->hooks);
    reservations_free(daemon->reservations);
    freezes_free(daemon->freezes);
    server_free(daemon->server);
    loop_free(daemon->loop);
    db_close(daemon->db);
    events_free(daemon->events);
    history_free(daemon->history);
    hv_close(daemon->hv);
    if (daemon->host_lock >= 0)
        close(daemon->host_lock);
    registry_free(daemon->registry);
    layers_free(daemon->layers);
    options_free(daemon->options);
    *daemon = (struct daemon){.host_lock = -1};
}
