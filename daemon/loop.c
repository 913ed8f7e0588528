/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/log.h"
#include "daemon/clients/server.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/events.h"
#include "daemon/history.h"
#include "daemon/memory.h"
#include "daemon/metrics/lag.h"
#include "daemon/monotonic.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/pace.h"
#include "daemon/registry.h"
#include "daemon/settings/changes.h"
#include "daemon/settings/layers.h"
#include "daemon/wall_clock.h"
#include "db/db.h"
#include "hv/hv.h"

/* After a domain came or went the next look is this soon; what comes meanwhile is seen by it too.
 */
#define SOON_MS 100

/* Guests may write as often as they like: whatever they do, the looks for it are this far apart,
 * but for a second of those that an agent makes while its guest runs out of memory. */
#define REPORT_GAP_MS 200
#define REPORT_BURST  10

/* How long after somebody made the loop work its lag is looked at. */
#define PROBE_US 10000

/* What is due to guests and disk waits for no more of the clients' events than these. */
#define CLIENTS_US     2000
#define CLIENTS_EVENTS 16

#define N_SIGNALS      3

struct loop {
    struct daemon *daemon;
    struct event_base *base;
    struct event *tick;     /* the next pass */
    struct event *watchdog; /* NULL: nobody watches us */
    struct event *database; /* answers of the writer */
    struct event *hypervisor[HV_MAX_FDS];
    size_t n_hypervisor;
    struct event *signals[N_SIGNALS];
    struct event *probe; /* pending while the lag is to be measured */
    int64_t probe_us;    /* when it is due */
    struct lag lag;
    int64_t next_tick_ms;  /* when the tick is due */
    struct pace reports;   /* of looks that guests' reports are answered by */
    bool answering;        /* such a look is to come */
    bool tick_failed;      /* the last pass could not look at the host; said once */
    bool database_failing; /* said once */
    bool broken;           /* the loop ended because of failure */
    bool winding_down;     /* no more passes */
    bool hurried;          /* told to stop meanwhile */
    struct err failure;
};

static struct timeval timeval_of(int64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* Ends the loop for good: a supervisor starts us again, with everything looked at afresh. */
static void break_loop(struct loop *loop, const struct err *why)
{
    if (!loop->broken) {
        loop->broken = true;
        loop->failure = *why;
    }
    event_base_loopbreak(loop->base);
}

/* --- the pass -------------------------------------------------------------------------------- */

static void plan_tick(struct loop *loop, int64_t in_ms)
{
    const struct timeval delay = timeval_of(in_ms);

    loop->next_tick_ms = monotonic_ms() + in_ms;
    invariant(event_add(loop->tick, &delay) == 0);
}

void loop_look_soon(struct loop *loop, int64_t in_ms)
{
    if (loop && !loop->winding_down && loop->next_tick_ms > monotonic_ms() + in_ms)
        plan_tick(loop, in_ms);
}

/* A host that cannot be looked at is said once, not every second, and once more when it is back. */
static void note_tick(struct loop *loop, int rc, const struct err *err)
{
    if (rc && !loop->tick_failed)
        log_error("host-unseen error=\"%s\"", err->text);
    else if (!rc && loop->tick_failed)
        log_notice("host-seen-again");
    loop->tick_failed = rc != 0;
}

static void note_database(struct loop *loop)
{
    struct err why = {0};
    bool failing = db_is_failing(loop->daemon->db, &why);

    if (failing != loop->database_failing)
        events_raise_about(loop->daemon->events,
                           failing ? EVENT_DATABASE_FAILED : EVENT_DATABASE_OK, NULL,
                           "dropped=%" PRId64 "%s%s%s", db_dropped(loop->daemon->db),
                           failing ? " error=\"" : "", why.text, failing ? "\"" : "");
    loop->database_failing = failing;
}

int loop_look_now(struct loop *loop, struct err *err)
{
    int rc;

    loop->answering = false;
    rc = engine_tick(loop->daemon->engine, monotonic_ms(), err);
    note_tick(loop, rc, err);
    note_database(loop);
    changes_expire(loop->daemon->changes, wall_clock_ms(loop->daemon));
    if (rc == 0)
        history_take(loop->daemon->history, wall_clock_ms(loop->daemon));
    server_drop_shared(loop->daemon->server);
    return rc;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    struct err err = {0};

    (void)fd;
    (void)what;
    lag_add(&loop->lag, (monotonic_ms() - loop->next_tick_ms) * 1000);
    plan_tick(loop, loop->daemon->options->interval_ms);
    if (loop_look_now(loop, &err) && err.code == ERR_UNREACHABLE)
        break_loop(loop, &err);
}

static void on_probe(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;

    (void)fd;
    (void)what;
    lag_add(&loop->lag, monotonic_us() - loop->probe_us);
}

void loop_expect_lag(struct loop *loop)
{
    const struct timeval delay = {.tv_usec = PROBE_US};

    if (evtimer_pending(loop->probe, NULL))
        return;
    loop->probe_us = monotonic_us() + PROBE_US;
    invariant(event_add(loop->probe, &delay) == 0);
}

/* All reports that come before the look are answered by it. */
static void answer_reports(struct loop *loop)
{
    if (loop->answering)
        return;
    loop->answering = true;
    loop_look_soon(loop, pace_take(&loop->reports, monotonic_ms()));
}

static void on_hypervisor(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;
    unsigned changes = 0;
    struct err err = {0};

    (void)fd;
    (void)what;
    if (hv_drain(loop->daemon->hv, &changes, &err)) {
        err_wrap(&err, "lost the hypervisor");
        break_loop(loop, &err);
        return;
    }
    if (changes & HV_LOW_MEMORY)
        engine_note_low_memory(loop->daemon->engine);
    if (changes & HV_DOMAINS)
        loop_look_soon(loop, SOON_MS);
    if (changes & HV_REPORTS)
        answer_reports(loop);
}

static void on_database(evutil_socket_t fd, short what, void *arg)
{
    struct loop *loop = arg;

    (void)fd;
    (void)what;
    db_dispatch(loop->daemon->db);
    note_database(loop);
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
    struct loop *loop = arg;

    (void)what;
    log_notice("stopping signal=%s", number == SIGTERM ? "TERM" : "INT");
    loop->hurried = loop->winding_down;
    event_base_loopbreak(loop->base);
}

static void use_options(struct daemon *daemon, struct options *fresh)
{
    const struct db_limits limits = history_limits(fresh);
    struct err err;

    options_free(daemon->options);
    daemon->options = fresh;
    log_set_level(fresh->log_level);
    db_set_limits(daemon->db, &limits);
    options_fill_layer(fresh, layers_find(daemon->layers, LAYER_ID_CONFIG));
    registry_resolve(daemon->registry, daemon->layers);
    server_drop_shared(daemon->server);
    if (server_access_changed(daemon->server, &err))
        log_error("access-unchanged error=\"%s\"", err.text);
}

static void on_reload(evutil_socket_t number, short what, void *arg)
{
    struct loop *loop = arg;
    struct daemon *daemon = loop->daemon;
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
        log_warning(
            "configuration-needs-restart keys=socket,database,backend,metrics-listen kept=old");
    use_options(daemon, fresh);
    log_notice("configuration-read file=%s", fresh->file ? fresh->file : "none");
    loop_look_soon(loop, 0);
}

/* --- making ---------------------------------------------------------------------------------- */

static struct event *make_event(struct loop *loop, evutil_socket_t fd, short what,
                                event_callback_fn run)
{
    struct event *event = event_new(loop->base, fd, what, run, loop);

    invariant(event);
    invariant(event_priority_set(event, LOOP_PRIORITY_OURS) == 0);
    return event;
}

/* Clients' events are served in small portions, between which what is ours is looked for. */
static struct event_base *make_base(void)
{
    const struct timeval portion = {.tv_usec = CLIENTS_US};
    struct event_config *config = event_config_new();
    struct event_base *base;

    invariant(config);
    event_config_set_max_dispatch_interval(config, &portion, CLIENTS_EVENTS, LOOP_PRIORITY_CLIENTS);
    base = event_base_new_with_config(config);
    event_config_free(config);
    invariant(base && event_base_priority_init(base, LOOP_PRIORITY_CLIENTS + 1) == 0);
    return base;
}

static struct event *turn_on(struct event *event, const struct timeval *after)
{
    invariant(event_add(event, after) == 0);
    return event;
}

static void make_signals(struct loop *loop)
{
    static const struct {
        int number;
        event_callback_fn run;
    } wanted[N_SIGNALS] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};

    for (size_t i = 0; i < N_SIGNALS; i++)
        loop->signals[i] = turn_on(
            make_event(loop, wanted[i].number, EV_SIGNAL | EV_PERSIST, wanted[i].run), NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static void make_watchdog(struct loop *loop)
{
    const struct timeval every = timeval_of(notify_watchdog_ms());

    if (notify_watchdog_ms() > 0)
        loop->watchdog = turn_on(make_event(loop, -1, EV_PERSIST, on_watchdog), &every);
}

static void make_hypervisor(struct loop *loop)
{
    int fds[HV_MAX_FDS];

    loop->n_hypervisor = hv_fds(loop->daemon->hv, fds);
    for (size_t i = 0; i < loop->n_hypervisor; i++)
        loop->hypervisor[i] =
            turn_on(make_event(loop, fds[i], EV_READ | EV_PERSIST, on_hypervisor), NULL);
}

struct loop *loop_new(struct daemon *daemon)
{
    struct loop *loop = memory_new(1, sizeof(*loop));

    loop->daemon = daemon;
    loop->reports = (struct pace){.gap_ms = REPORT_GAP_MS, .burst = REPORT_BURST};
    loop->base = make_base();
    loop->tick = make_event(loop, -1, 0, on_tick);
    loop->probe = make_event(loop, -1, 0, on_probe);
    loop->database =
        turn_on(make_event(loop, db_fd(daemon->db), EV_READ | EV_PERSIST, on_database), NULL);
    make_hypervisor(loop);
    make_signals(loop);
    make_watchdog(loop);
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    event_free(loop->tick);
    event_free(loop->probe);
    event_free(loop->database);
    for (size_t i = 0; i < loop->n_hypervisor; i++)
        event_free(loop->hypervisor[i]);
    for (size_t i = 0; i < N_SIGNALS; i++)
        event_free(loop->signals[i]);
    if (loop->watchdog)
        event_free(loop->watchdog);
    event_base_free(loop->base);
    free(loop);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

void loop_wind_down(struct loop *loop, bool (*is_done)(void *arg), void *arg, int64_t limit_ms)
{
    const struct timeval limit = timeval_of(limit_ms);
    struct event *end = turn_on(make_event(loop, -1, 0, on_limit), &limit);

    loop->winding_down = true;
    event_del(loop->tick);
    for (size_t i = 0; i < loop->n_hypervisor; i++)
        event_del(loop->hypervisor[i]);
    while (!loop->hurried && event_pending(end, EV_TIMEOUT, NULL) && !is_done(arg))
        if (event_base_loop(loop->base, EVLOOP_ONCE) < 0)
            break;
    event_free(end);
}

struct event_base *loop_base(const struct loop *loop)
{
    return loop->base;
}

const struct lag *loop_lag(const struct loop *loop)
{
    return &loop->lag;
}

int loop_run(struct loop *loop, struct err *err)
{
    plan_tick(loop, loop->daemon->options->interval_ms);
    if (event_base_dispatch(loop->base) < 0)
        return err_set_errno(err, ERR_FAILED, errno, "wait for events");
    if (!loop->broken)
        return 0;
    *err = loop->failure;
    return -1;
}
