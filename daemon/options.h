/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line and the configuration file say. One table has every key (options.c). */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "core/settings.h"
#include "daemon/clients/access.h"
#include "daemon/clients/user.h"

struct err;
struct layer;

/* What becomes of a database that is damaged. */
enum damaged { DAMAGED_REFUSE, DAMAGED_SET_ASIDE };

/* [vm PATTERN]: settings of VMs that nobody configured. */
struct options_vm {
    char *pattern; /* as fnmatch(3) wants it */
    struct setting_partial said;
};

/* What the command line says of [daemon]; it goes before what the file says. NULL: nothing. */
struct options_given {
    const char *socket;
    const char *database;
    const char *backend;
};

struct options {
    char *file;                                       /* that they were read from; NULL: none */
    bool socket_given, database_given, backend_given; /* on the command line */
    /* [daemon] */
    char *socket;             /* path */
    char *database;           /* path */
    char *backend;            /* "xen" or "sim:FILE"; "": xen, with advice where this is not dom0 */
    int64_t interval_ms;      /* between two looks at the host, 100 ms to 60 s; default 1 s */
    enum log_level log_level; /* lines above it are not written; default info */
    int64_t event_age_ms;     /* journal rows older than this are dropped; default 90 days */
    int64_t event_count;      /* and no more than this many are kept; default 1,000,000 */
    char *metrics_listen;     /* 127.0.0.1:PORT or [::1]:PORT, or "off" */
    int64_t history_fine_ms;  /* how long samples of each 10 s are kept; default a day */
    int64_t history_middle_ms; /* of each 5 min; default 90 days */
    int64_t history_coarse_ms; /* of each hour; default 2 years */
    int64_t history_kib;       /* size of the database above which the oldest go; default 1 GiB */
    int64_t damaged_database;  /* enum damaged; default to refuse it */
    int64_t holder_grace_ms;   /* a tied reservation outlives its lost connection; default 30 s */
    int64_t reboot_grace_ms;   /* a dead VM's memory is kept for its reboot; default 30 s */
    /* [hooks] */
    char *hooks_folder;       /* path */
    char *hooks_user;         /* that they run as; "": the daemon's own */
    int64_t hooks_timeout_ms; /* then one is killed; 100 ms to 10 min, default 10 s */
    int64_t hooks_at_once;    /* 1 to 64, default 4 */
    int64_t hooks_queue;      /* events that wait for their hooks; 1 to 10,000, default 100 */
    /* [access] */
    struct access access;
    bool read_given; /* who may read was said */
    /* [limits] */
    struct user_limits limits; /* of each user who may not change settings */
    int64_t line_time_ms;      /* from the first byte of a request to its last; default 10 s */
    int64_t silence_ms;        /* from connecting to the first request; default 5 min */
    int64_t read_time_ms; /* for a client to take anything of what waits for it; default 30 s */
    /* [host] */
    struct setting_partial host;
    /* [vm PATTERN], in the order of the file */
    struct options_vm *vms;
    size_t n_vms;
};

/*
 * Reads file (NULL: only defaults) into *out, which the caller frees. 0, or −1: ERR_INVALID with
 * "FILE:LINE: what, why" (or "FILE: why" where there is none), ERR_DENIED. An unknown section or
 * key, a duplicate key, and [vm PATTERN] settings that contradict each other are refused.
 */
int options_read(const char *file, struct options **out, struct err *err);

/* Puts in force what the command line says; its values are held to the same rules. 0 or −1
 * ERR_INVALID. */
int options_give(struct options *options, const struct options_given *given, struct err *err);

/*
 * Reads the file of old once more, for SIGHUP. What only a start can change (socket, database,
 * backend) is as in old; *needs_restart says whether the file wants it otherwise by now.
 */
int options_read_again(const struct options *old, struct options **out, bool *needs_restart,
                       struct err *err);

/* NULL is fine. */
void options_free(struct options *options);

/* Puts [host] and [vm PATTERN] into the layer at the bottom, in place of what it had. */
void options_fill_layer(const struct options *options, struct layer *layer);

#endif
