/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon as a whole: its parts, made and torn down in one place, and the loop that drives them.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct access;
struct db;
struct engine;
struct err;
struct events;
struct freezes;
struct history;
struct hooks;
struct hv;
struct layers;
struct loop;
struct options;
struct registry;
struct scrape;
struct reservations;
struct server;
struct changes;

/* Every part may be reached from here; each is owned by the daemon and lives as long as it. */
struct daemon {
    struct options *options;   /* what the command line and the configuration file say */
    struct loop *loop;         /* what makes it turn; one thread */
    struct hv *hv;             /* the hypervisor, real or simulated */
    pid_t sim_host;            /* the simulated host that this start began; 0 none */
    int host_lock;             /* that no other daemon has it; −1 not taken */
    char aside[PATH_MAX];      /* where a damaged database went at this start; "" none was */
    struct db *db;             /* what must outlive us */
    struct layers *layers;     /* settings, as the database and the configuration have them */
    struct registry *registry; /* VMs by name, and the domains of the last view */
    struct engine *engine;     /* snapshot → decide → apply → journal */
    struct history *history;   /* what is remembered of host and VMs, as samples */
    struct events *events;     /* what is raised: journal, log, subscribers */
    struct hooks *hooks;       /* programs of the operator that events run */
    struct changes *changes;   /* settings on their way to the disk */
    struct scrape *scrape;     /* metrics over HTTP; NULL: not wanted */
    struct reservations *reservations; /* memory for starts; NULL in tests without */
    struct freezes *freezes;           /* VMs that are left alone */
    struct server *server;             /* the Unix socket */
    bool stopping;                     /* nobody may change anything any more */
    const int64_t *wall_ms;            /* where the wall clock stands; NULL: the system's */
};

/*
 * Makes every part in order: options are already read (and belong to the daemon from here on);
 * database, hypervisor, socket; then the first pass. 0, or −1 with nothing left behind.
 */
int daemon_start(struct daemon *daemon, struct options *options, struct err *err);

/*
 * The same without loop and socket, on a hypervisor that is open already: time passes when the
 * caller has engine_tick make a pass, and it is *wall_ms o'clock. For runs in virtual time. Options
 * and hypervisor belong to the daemon from here on.
 */
int daemon_start_by_hand(struct daemon *daemon, struct options *options, struct hv *hv,
                         const int64_t *wall_ms, struct err *err);

/* Runs until SIGTERM or SIGINT. 0, or −1 where the loop itself failed. */
int daemon_run(struct daemon *daemon, struct err *err);

/* Guests stay as they are; what was posted to the database is written. Safe on a half-made daemon.
 */
void daemon_stop(struct daemon *daemon);

#endif
