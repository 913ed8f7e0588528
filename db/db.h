/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must outlive the daemon: VMs known by name, layers of settings, the journal. In SQLite,
 * behind this header.
 *
 * A tour. db_open locks, checks and migrates the database; db_load hands out what is in it, once.
 * From then on everything goes through one writer thread: db_post hands it a transaction and
 * returns at once; when it is on disk (or has failed), db_fd becomes readable and db_dispatch calls
 * its done function on the caller's thread. Transactions are applied in the order of their posting;
 * many that wait are written with one commit. While the disk fails, what somebody waits for is
 * refused at once; what nobody waits for, and the journal, is kept, up to a bound, and written
 * later.
 *
 * All functions are for one thread. Strings given are copied. What waits is bounded: 10,000 jobs
 * that somebody waits for, and as many that nobody does.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct db;
struct db_event;

/* History is kept in levels, each coarser than the one before it, and kept for longer. */
enum db_level {
    DB_LEVEL_FINE,   /* a sample each 10 s */
    DB_LEVEL_MIDDLE, /* each 5 min, made from the fine ones */
    DB_LEVEL_COARSE, /* each hour, made from the middle ones */
    DB_LEVEL_COUNT
};

/* The time between two samples of a level. */
int64_t db_level_step_ms(enum db_level level);

/* How much of journal and history is kept. */
struct db_limits {
    int64_t event_age_ms;                   /* older rows go; 0 never */
    int64_t event_count;                    /* no more rows than this; 0 no limit */
    int64_t history_age_ms[DB_LEVEL_COUNT]; /* older samples go; 0 never */
    int64_t history_kib; /* the oldest go where the database is larger than this; 0 no limit */
};

/*
 * Opens or creates the database (mode 0600; its directory must exist) and takes it for this
 * process, with a lock on the file PATH.lock. 0, or −1: ERR_BUSY where another daemon has it,
 * ERR_UNSUPPORTED where it is of a newer version, ERR_INVALID where it is another program's (both
 * are left as they are), ERR_DENIED, ERR_FAILED (damaged, no space …); the text names the path.
 * One on a disk that is mounted read-only is opened all the same: db_is_failing is true then, until
 * it can be written.
 */
int db_open(const char *path, const struct db_limits *limits, struct db **out, struct err *err);

/*
 * The same, but a database that is damaged (and was ours) is moved to PATH.damaged-DATE, with its
 * log, and a new one begun. aside (room bytes) is then where it went; "" where nothing was moved.
 */
int db_open_or_begin(const char *path, const struct db_limits *limits, char *aside, size_t room,
                     struct db **out, struct err *err);

/*
 * Writes what was posted, then closes. Done functions that are due are not called. Where the disk
 * does not answer for five seconds it is not waited for any longer: what was not acknowledged may
 * be lost, and the database stays taken until the process ends. NULL is fine.
 */
void db_close(struct db *db);

/* Puts other limits in force, from the next write on. */
void db_set_limits(struct db *db, const struct db_limits *limits);

/* --- what is in it, at start ------------------------------------------------------------------ */

/* A VM that was seen or configured. */
struct db_vm {
    const char *name;
    uint8_t uuid[16];       /* of the domain last seen */
    int64_t target_kib;     /* memory that it was built with; 0 unknown */
    int64_t static_max_kib; /* 0 unknown */
};

/* A layer of settings. The base is not among them: it always exists, with id 1. */
struct db_layer {
    int64_t id;         /* > 1; larger = newer */
    const char *kind;   /* "timed", "policy" */
    const char *name;   /* of the policy; "" else */
    int64_t created_ms; /* wall clock */
    int64_t expires_ms; /* wall clock; 0 never */
};

/* What a layer says. */
struct db_setting {
    int64_t layer;     /* its id */
    const char *scope; /* "vm", "host"; "except": the layer says nothing of that VM's key */
    const char *match; /* name or pattern of VMs; "" for the host */
    int64_t ordinal;   /* of its pattern within the layer: the first match wins */
    const char *key;   /* the setting's name, as in core/settings.h */
    int64_t value;
};

/* Memory that was granted and not yet used. */
struct db_reservation {
    int64_t id;
    const char *name; /* of the VM that it is for; "" of none */
    int64_t size_kib;
    int64_t priority;
    int64_t expires_ms; /* wall clock; 0 never */
    bool tied;          /* to its holder's connection */
    bool implicit;      /* left by a VM's death, for its reboot */
    int64_t uid;        /* who asked for it; −1: nobody */
    int64_t created_ms; /* wall clock */
};

/* A VM that the operator froze. */
struct db_freeze {
    const char *name;
    int64_t until_ms; /* wall clock; 0 for good */
};

/* The last demand that history has of a VM. */
struct db_demand {
    const char *name;
    int64_t demand_kib;
    int64_t time_ms; /* wall clock */
};

/* Called by db_load in this order: all VMs, all layers (oldest first), all settings (by layer,
 * ordinal), reservations (by id), freezes, demands. Those that are NULL are not. */
struct db_visitor {
    void *arg;
    void (*vm)(void *arg, const struct db_vm *vm);
    void (*layer)(void *arg, const struct db_layer *layer);
    void (*setting)(void *arg, const struct db_setting *setting);
    void (*reservation)(void *arg, const struct db_reservation *reservation);
    void (*freeze)(void *arg, const struct db_freeze *freeze);
    void (*demand)(void *arg, const struct db_demand *demand);
};

/* Reads everything but the journal. To be called once, before anything is posted. 0 or −1. */
int db_load(struct db *db, const struct db_visitor *visitor, struct err *err);

/*
 * Hands out the events whose hooks were due when the last daemon ended, the oldest first. What is
 * still due at the start after that has been tried twice: it is handed out once more with due =
 * false, and is due no more. To be called once, before anything is posted. 0 or −1.
 */
int db_load_due(struct db *db, void (*visit)(void *arg, const struct db_event *event), void *arg,
                struct err *err);

/* --- changes --------------------------------------------------------------------------------- */

/* A row of the journal. */
struct db_event {
    int64_t id;         /* distinct and growing; given by the poster, from db_last_event on */
    int64_t time_ms;    /* wall clock */
    const char *kind;   /* "vm-low", "action", … */
    const char *vm;     /* NULL: about the host */
    int64_t domid;      /* −1: none */
    int64_t uid;        /* −1: the daemon's own doing */
    const char *reason; /* NULL: none */
    const char *detail; /* key=value … */
    bool due;           /* its hooks are still to be run */
};

#define DB_UNKNOWN INT64_MIN

/* What host or VM had at a moment. What is not known is DB_UNKNOWN. */
struct db_sample {
    int64_t time_ms; /* wall clock; written to the 10 s that it lies in */
    const char *vm;  /* NULL: the host */
    int64_t assigned_kib;
    int64_t demand_kib;
    int64_t target_kib; /* of a VM */
    int64_t pressure;   /* percent, of a VM */
    int64_t free_kib;   /* of the host */
};

enum db_change_kind {
    DB_PUT_VM,          /* vm: by name, whole row */
    DB_FORGET_VM,       /* vm.name: its row, its freeze, and what base and timed layers say of it */
    DB_ADD_LAYER,       /* layer */
    DB_REMOVE_LAYER,    /* layer.id, with its settings */
    DB_PUT_SETTING,     /* setting: replaces that key of that match in that layer */
    DB_DROP_SETTING,    /* setting: layer, scope, match, key */
    DB_ADD_EVENT,       /* event */
    DB_END_EVENT,       /* event.id: its hooks have been run */
    DB_ADD_SAMPLE,      /* sample; in a transaction of nothing else */
    DB_ADD_RESERVATION, /* reservation */
    DB_REMOVE_RESERVATION, /* reservation.id */
    DB_PUT_FREEZE,         /* freeze */
    DB_DROP_FREEZE,        /* freeze.name */
};

struct db_change {
    enum db_change_kind kind;
    union {
        struct db_vm vm;
        struct db_layer layer;
        struct db_setting setting;
        struct db_event event;
        struct db_reservation reservation;
        struct db_freeze freeze;
        struct db_sample sample;
    };
};

/* rc 0: on disk. −1: nothing of the transaction was done, err says why. */
typedef void db_done_fn(void *arg, int rc, const struct err *err);

/*
 * Posts a transaction: all or nothing. done is called from db_dispatch, once. With done = NULL
 * nobody waits for it: it is kept until it could be written. A transaction of nothing but journal
 * rows is kept too, and written later, after its done was told that it is not on disk yet. 0, or −1
 * with ERR_BUSY where too much is waiting already; done is then not called.
 */
int db_post(struct db *db, const struct db_change *changes, size_t count, db_done_fn *done,
            void *arg, struct err *err);

/* Posts one journal row that nobody waits for. What finds no place is counted in db_dropped. */
void db_note(struct db *db, const struct db_event *event);

/* Posts samples of one moment that nobody waits for. An hour of them is kept while the disk fails;
 * what finds no place is counted in db_dropped. */
void db_note_samples(struct db *db, const struct db_sample *samples, size_t count);

/* The largest id in the journal when it was opened; 0 where it was empty. */
int64_t db_last_event(const struct db *db);

/* The largest id that a reservation ever had, when it was opened: none is given twice. */
int64_t db_last_reservation(const struct db *db);

/* Readable when done functions are due, and when db_is_failing has changed. */
int db_fd(const struct db *db);
void db_dispatch(struct db *db);

/* True from a write that failed (no space, read-only, locked by another program …) until the next
 * that succeeds; why (if not NULL) is then filled. */
bool db_is_failing(const struct db *db, struct err *why);

/* What nobody waited for and is lost since the start: too much was waiting, or it was refused. */
int64_t db_dropped(const struct db *db);

/* --- the journal ------------------------------------------------------------------------------ */

struct db_filter {
    int64_t since_ms; /* wall clock; 0 from the beginning */
    int64_t after_id; /* only rows with a larger id; 0 all */
    const char *vm;   /* only about this VM; NULL all */
    int64_t limit;    /* the newest so many; cut to 1 to 10,000 */
};

/* Called on the writer's thread, so that much of it holds up nobody; not where reading failed.
 * rows: oldest first, valid during the call. */
typedef void db_events_fn(void *arg, const struct db_event *rows, size_t count);

/* Reads the journal behind the posted transactions: take gets the rows, then done is called from
 * db_dispatch. 0, or −1 ERR_BUSY. */
int db_query_events(struct db *db, const struct db_filter *filter, db_events_fn *take,
                    db_done_fn *done, void *arg, struct err *err);

/* --- backup ----------------------------------------------------------------------------------- */

/*
 * Copies the database as it is now to file, whose path is absolute, in a thread of its own: nobody
 * waits for it but the one who asked. An older backup there is replaced, once the new one is whole
 * and on disk; anything else there is left alone. done is called from db_dispatch. 0, or −1:
 * ERR_INVALID (it is the database itself, or exists and is no database of ours; the path is not
 * absolute), ERR_BUSY (there is a backup going on already). done is then not called.
 */
int db_backup(struct db *db, const char *file, db_done_fn *done, void *arg, struct err *err);

/* --- history ---------------------------------------------------------------------------------- */

struct db_history_filter {
    const char *vm; /* NULL: the host */
    enum db_level level;
    int64_t since_ms, until_ms; /* wall clock */
};

/* As db_events_fn. rows: oldest first, valid during the call; vm is NULL in all of them, time_ms
 * the beginning of what they stand for. Of coarser levels: assigned and target are averages, demand
 * and pressure the highest, free the lowest. */
typedef void db_history_fn(void *arg, const struct db_sample *rows, size_t count);

/* Reads the newest 50,000 samples behind the posted transactions: take gets them, then done is
 * called from db_dispatch. 0, or −1 ERR_BUSY. */
int db_query_history(struct db *db, const struct db_history_filter *filter, db_history_fn *take,
                     db_done_fn *done, void *arg, struct err *err);

#endif
