/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's life: start, loop, stop. Time enters here, and nowhere below. */
#include "daemon/daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/changes.h"
#include "daemon/engine.h"
#include "daemon/events.h"
#include "daemon/layers.h"
#include "daemon/memory.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/registry.h"
#include "daemon/server.h"
#include "daemon/sim_host.h"
#include "db/db.h"
#include "hv/hv.h"

/* After a domain came or went the next look is this soon; what comes meanwhile is seen by it too. */
#define SOON_MS 100

/* Connections, and what the rest of the daemon has open. */
#define FILES_WANTED 1200

enum signal_index { ON_TERM, ON_INT, ON_HUP, N_SIGNALS };

/* What makes the loop turn. */
struct wakers {
    struct event *tick;              /* the next pass */
    struct event *watchdog;          /* NULL: nobody watches us */
    struct event *database;          /* answers of the writer */
    struct event *hypervisor[HV_MAX_FDS];
    struct event *signals[N_SIGNALS];
    int64_t next_tick_ms; /* when the tick is due */
    bool tick_failed;     /* the last pass could not look at the host; said once */
    bool broken;          /* the loop ended because of failure */
    struct err failure;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timeval timeval_of(int64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* Ends the loop for good: a supervisor starts us again, with everything looked at afresh. */
static void break_loop(struct daemon *daemon, const struct err *why)
{
    if (!daemon->wakers->broken) {
        daemon->wakers->broken = true;
        daemon->wakers->failure = *why;
    }
    event_base_loopbreak(daemon->loop);
}

/* --- the pass -------------------------------------------------------------------------------- */

static void plan_tick(struct daemon *daemon, int64_t in_ms)
{
    const struct timeval delay = timeval_of(in_ms);

    daemon->wakers->next_tick_ms = now_ms() + in_ms;
    invariant(event_add(daemon->wakers->tick, &delay) == 0);
}

/* A host that cannot be looked at is said once, not every second, and once more when it is back. */
static void note_tick(struct wakers *wakers, int rc, const struct err *err)
{
    if (rc && !wakers->tick_failed)
        log_error("host-unseen error=\"%s\"", err->text);
    else if (!rc && wakers->tick_failed)
        log_notice("host-seen-again");
    wakers->tick_failed = rc != 0;
}

static int tick(struct daemon *daemon, struct err *err)
{
    int rc = engine_tick(daemon->engine, now_ms(), err);

    note_tick(daemon->wakers, rc, err);
    return rc;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *daemon = arg;
    struct err err = {0};

    (void)fd;
    (void)what;
    if (tick(daemon, &err) && err.code == ERR_UNREACHABLE)
        break_loop(daemon, &err);
    plan_tick(daemon, daemon->options->interval_ms);
}

static void on_hypervisor(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *daemon = arg;
    unsigned changes = 0;
    struct err err = {0};

    (void)fd;
    (void)what;
    if (hv_drain(daemon->hv, &changes, &err)) {
        err_wrap(&err, "lost the hypervisor");
        break_loop(daemon, &err);
        return;
    }
    if ((changes & (HV_DOMAINS | HV_LOW_MEMORY)) &&
        daemon->wakers->next_tick_ms > now_ms() + SOON_MS)
        plan_tick(daemon, SOON_MS);
}

static void on_database(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *daemon = arg;

    (void)fd;
    (void)what;
    db_dispatch(daemon->db);
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    notify_send("WATCHDOG=1");
}

/* --- signals --------------------------------------------------------------------------------- */

static void on_stop(evutil_socket_t number, short what, void *arg)
{
    struct daemon *daemon = arg;

    (void)what;
    log_notice("daemon-stopping signal=%s", number == SIGTERM ? "TERM" : "INT");
    event_base_loopbreak(daemon->loop);
}

static void use_options(struct daemon *daemon, struct options *fresh)
{
    struct err err;

    options_free(daemon->options);
    daemon->options = fresh;
    log_set_level(fresh->log_level);
    options_fill_layer(fresh, layers_find(daemon->layers, LAYER_ID_CONFIG));
    registry_resolve(daemon->registry, daemon->layers);
    if (server_access_changed(daemon->server, &err))
        log_error("access-unchanged error=\"%s\"", err.text);
}

static void on_reload(evutil_socket_t number, short what, void *arg)
{
    struct daemon *daemon = arg;
    struct options *fresh;
    struct err err;
    bool needs_restart;

    (void)number;
    (void)what;
    if (options_read_again(daemon->options, &fresh, &needs_restart, &err)) {
        log_error("configuration-refused error=\"%s\" kept=old", err.text);
        return;
    }
    if (needs_restart)
        log_warning("configuration-needs-restart keys=socket,database,backend kept=old");
    use_options(daemon, fresh);
    log_notice("configuration-read file=%s", fresh->file ? fresh->file : "none");
    plan_tick(daemon, 0);
}

/* --- start ----------------------------------------------------------------------------------- */

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
    if (problem)
        err_set_errno(err, problem == EACCES ? ERR_DENIED : ERR_FAILED, problem,
                      "make the database's folder %s", folder);
    free(folder);
    return problem ? -1 : 0;
}

static int open_database(struct daemon *daemon, struct err *err)
{
    const struct options *options = daemon->options;
    const struct db_limits limits = {.event_age_ms = options->event_age_ms,
                                     .event_count = options->event_count};

    if (make_database_folder(options->database, err))
        return -1;
    return db_open(options->database, &limits, &daemon->db, err);
}

static int open_hypervisor(struct daemon *daemon, struct err *err)
{
    const char *backend = daemon->options->backend;
    char simulated[SIM_HOST_BACKEND_MAX];

    if (strncmp(backend, "sim:", 4) == 0) {
        if (sim_host_ensure(backend + 4, simulated, err))
            return -1;
        return hv_open(simulated, &daemon->hv, err);
    }
    if (hv_open("xen", &daemon->hv, err) == 0)
        return 0;
    if (err->code == ERR_UNSUPPORTED && backend[0] == '\0') {
        const struct err why = *err;

        return err_set(err, why.code, "%s (to try xenmem without Xen: --backend sim:FILE)",
                       why.text);
    }
    return -1;
}

/* More connections than the usual limit of 1024 descriptors allows; a lower one only means fewer. */
static void allow_many_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= FILES_WANTED)
        return;
    limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static struct event *make_event(struct daemon *daemon, evutil_socket_t fd, short what,
                                event_callback_fn *run)
{
    struct event *event = event_new(daemon->loop, fd, what, run, daemon);

    invariant(event);
    return event;
}

static void make_signals(struct daemon *daemon)
{
    static const struct {
        int number;
        event_callback_fn run;
    } wanted[N_SIGNALS];

    (void)wanted;
    (void)daemon;
}
