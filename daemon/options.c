/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/options.h"

#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "conf/conf.h"
#include "daemon/memory.h"
#include "daemon/metrics/scrape.h"
#include "daemon/settings/layers.h"
#include "daemon/settings/section.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

enum key_type {
    KEY_TEXT,   /* char *, replaced */
    KEY_NUMBER, /* int64_t, as def says */
    KEY_LEVEL,  /* enum log_level, def's choices in their order */
    KEY_ACCESS, /* users and groups for the access level of that offset */
};

/* One key of [daemon] or [access]. Those of [host] and [vm] are in core/settings.c. */
struct key {
    const char *section;
    enum key_type type;
    size_t where;           /* offset in struct options; KEY_ACCESS: the level */
    const char *text;       /* default of a KEY_TEXT */
    struct setting_def def; /* name, range, default of the others, help */
};

static const char *const level_names[] = {"error", "warning", "notice", "info", "debug", NULL};

static const char *const damaged_names[] = {"refuse", "set-aside", NULL};

static const struct key keys[] = {
    {"daemon",
     KEY_TEXT,
     offsetof(struct options, socket),
     XENMEM_RUNDIR "/xenmemd.sock",
     {.name = "socket", .help = "where clients connect"}},
    {"daemon",
     KEY_TEXT,
     offsetof(struct options, database),
     XENMEM_STATEDIR "/xenmem.db",
     {.name = "database", .help = "where settings and events are kept"}},
    {"daemon",
     KEY_TEXT,
     offsetof(struct options, backend),
     "",
     {.name = "backend", .help = "xen, or sim:FILE for a simulated host"}},
    {"daemon",
     KEY_NUMBER,
     offsetof(struct options, interval_ms),
     NULL,
     {"interval", "interval_ms", SETTING_DURATION, 100, 60000, 1000, NULL,
      "time between two looks at the host"}},
    {"daemon",
     KEY_LEVEL,
     offsetof(struct options, log_level),
     NULL,
     {"log-level", "log_level", SETTING_CHOICE, 0, 4, LOG_LEVEL_INFO - LOG_LEVEL_ERROR, level_names,
      "log lines above this level are not written"}},
    {"daemon",
     KEY_NUMBER,
     offsetof(struct options, event_age_ms),
     NULL,
     {"event-age", "event_age_ms", SETTING_DURATION, 60000, 3650 * DAY_MS, 90 * DAY_MS, NULL,
      "older events are dropped from the database"}},
    {"daemon",
     KEY_NUMBER,
     offsetof(struct options, event_count),
     NULL,
     {"event-count", "event_count", SETTING_INTEGER, 100, 100000000, 1000000, NULL,
      "no more events than this are kept"}},
    {"daemon",
     KEY_TEXT,
     offsetof(struct options, metrics_listen),
     "off",
     {.name = "metrics-listen", .help = "127.0.0.1:PORT where Prometheus may scrape"}},
    {"limits",
     KEY_NUMBER,
     offsetof(struct options, limits.connections),
     NULL,
     {"connections", "connections", SETTING_INTEGER, 1, 1000, 256, NULL,
      "connections of one user at once"}},
    {"limits",
     KEY_NUMBER,
     offsetof(struct options, limits.calls),
     NULL,
     {"calls", "calls", SETTING_INTEGER, 1, 10000, 256, NULL,
      "requests of one user that wait for their answer"}},
    {"limits",
     KEY_NUMBER,
     offsetof(struct options, limits.rate),
     NULL,
     {"rate", "rate", SETTING_INTEGER, 1, 1000000, 2000, NULL, "requests of one user a second"}},
    {"limits",
     KEY_NUMBER,
     offsetof(struct options, line_time_ms),
     NULL,
     {"line-time", "line_time_ms", SETTING_DURATION, 100, 3600000, 10000, NULL,
      "time for a request to arrive whole"}},
    {"limits",
     KEY_NUMBER,
     offsetof(struct options, silence_ms),
     NULL,
     {"silence", "silence_ms", SETTING_DURATION, 100, DAY_MS, 300000, NULL,
      "time from connecting to the first request"}},
    {"limits",
     KEY_NUMBER,
     offsetof(struct options, read_time_ms),
     NULL,
     {"read-time", "read_time_ms", SETTING_DURATION, 100, 3600000, 30000, NULL,
      "time for a client to read anything of what waits for it"}},
    {"daemon",
     KEY_NUMBER,
     offsetof(struct options, history_fine_ms),
     NULL,
     {"history-fine", "history_fine_ms", SETTING_DURATION, 3600000, 30 * DAY_MS, DAY_MS, NULL,
      "how long samples of each 10 s are kept"}},
    {"daemon",
     KEY_NUMBER,
     offsetof(struct options, history_middle_ms),
     NULL,
     {"history-middle", "history_middle_ms", SETTING_DURATION, DAY_MS, 3650 * DAY_MS, 90 * DAY_MS,
      NULL, "how long samples of each 5 min are kept"}},
    {"daemon",
     KEY_NUMBER,
     offsetof(struct options, history_coarse_ms),
     NULL,
     {"history-coarse", "history_coarse_ms", SETTING_DURATION, DAY_MS, 3650 * DAY_MS, 730 * DAY_MS,
      NULL, "how long samples of each hour are kept"}},
    {"daemon",
     KEY_NUMBER,
     offsetof(struct options, history_kib),
     NULL,
     {"history-size", "history_kib", SETTING_SIZE, 4096, INT64_C(64) * 1024 * 1024, 1024 * 1024,
      NULL, "the oldest samples are dropped where the database is larger"}},
    {"daemon",
     KEY_NUMBER,
     offsetof(struct options, holder_grace_ms),
     NULL,
     {"holder-grace", "holder_grace_ms", SETTING_DURATION, 0, 3600000, 30000, NULL,
      "a reservation with --hold outlives its lost connection for so long"}},
    {"daemon",
     KEY_NUMBER,
     offsetof(struct options, reboot_grace_ms),
     NULL,
     {"reboot-grace", "reboot_grace_ms", SETTING_DURATION, 0, 3600000, 30000, NULL,
      "a dead VM's memory is kept for its reboot for so long"}},
    {"daemon",
     KEY_NUMBER,
     offsetof(struct options, damaged_database),
     NULL,
     {"damaged-database", "damaged_database", SETTING_CHOICE, 0, 1, DAMAGED_REFUSE, damaged_names,
      "what becomes of a database that is damaged, at start"}},
    {"hooks",
     KEY_TEXT,
     offsetof(struct options, hooks_folder),
     XENMEM_CONFDIR "/hooks.d",
     {.name = "folder", .help = "where hooks are, a folder an event"}},
    {"hooks",
     KEY_TEXT,
     offsetof(struct options, hooks_user),
     "",
     {.name = "user", .help = "whom hooks run as"}},
    {"hooks",
     KEY_NUMBER,
     offsetof(struct options, hooks_timeout_ms),
     NULL,
     {"timeout", "timeout_ms", SETTING_DURATION, 100, 600000, 10000, NULL,
      "a hook that runs longer is killed"}},
    {"hooks",
     KEY_NUMBER,
     offsetof(struct options, hooks_at_once),
     NULL,
     {"at-once", "at_once", SETTING_INTEGER, 1, 64, 4, NULL, "no more hooks run at once"}},
    {"hooks",
     KEY_NUMBER,
     offsetof(struct options, hooks_queue),
     NULL,
     {"queue", "queue", SETTING_INTEGER, 1, 10000, 100, NULL,
      "no more events wait for their hooks; others are dropped"}},
    {"access", KEY_ACCESS, ACCESS_READ, NULL, {.name = "read", .help = "who may look"}},
    {"access",
     KEY_ACCESS,
     ACCESS_OPERATE,
     NULL,
     {.name = "operate", .help = "who may also make room"}},
    {"access",
     KEY_ACCESS,
     ACCESS_ADMIN,
     NULL,
     {.name = "admin", .help = "who may also change settings"}},
};

#define N_KEYS (sizeof(keys) / sizeof(*keys))

static char **text_at(struct options *options, const struct key *key)
{
    return (char **)(void *)((char *)options + key->where);
}

static void put_text(struct options *options, const struct key *key, const char *text)
{
    char **place = text_at(options, key);

    free(*place);
    *place = memory_copy_text(text);
}

static void put_number(struct options *options, const struct key *key, int64_t value)
{
    if (key->type == KEY_LEVEL)
        options->log_level = (enum log_level)(LOG_LEVEL_ERROR + value);
    else
        memcpy((char *)options + key->where, &value, sizeof(value));
}

static int check_backend(const char *text, struct err *err)
{
    if (text[0] == '\0' || strcmp(text, "xen") == 0)
        return 0;
    if (strncmp(text, "sim:", 4) == 0 && text[4] != '\0')
        return 0;
    return err_set(err, ERR_INVALID, "backend '%s' is neither 'xen' nor 'sim:FILE'", text);
}

static int check_listen(const char *text, struct err *err)
{
    struct sockaddr_storage address;

    if (strcmp(text, "off") == 0)
        return 0;
    return scrape_address(text, &address, err) < 0 ? err_wrap(err, "metrics-listen") : 0;
}

static int take_text(struct options *options, const struct key *key, const char *text,
                     struct err *err)
{
    if (key->where == offsetof(struct options, backend)) {
        if (check_backend(text, err))
            return -1;
    } else if (key->where == offsetof(struct options, metrics_listen)) {
        if (check_listen(text, err))
            return -1;
    } else if (key->where == offsetof(struct options, hooks_user)) {
        if (!getpwnam(text))
            return err_set(err, ERR_INVALID,
                           "user: there is no user '%.40s': make it, or name another", text);
    } else if (text[0] == '\0') {
        return err_set(err, ERR_INVALID, "%s is empty: give it a value, or leave it out",
                       key->def.name);
    }
    put_text(options, key, text);
    return 0;
}

static int take_key(struct options *options, const struct key *key, const char *text,
                    struct err *err)
{
    int64_t value;

    switch (key->type) {
    case KEY_TEXT:
        return take_text(options, key, text, err);
    case KEY_ACCESS:
        if (access_allow(&options->access, (enum access_level)key->where, text, err))
            return err_wrap(err, "%s", key->def.name);
        options->read_given |= key->where == ACCESS_READ;
        return 0;
    case KEY_NUMBER:
    case KEY_LEVEL:
        if (setting_parse(&key->def, text, &value, err))
            return -1;
        put_number(options, key, value);
        return 0;
    }
    return -1;
}

/* --- the file -------------------------------------------------------------------------------- */

static int take_own_key(struct options *options, const char *section, const char *name,
                        const char *text, struct err *err)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].def.name, name) == 0)
            return take_key(options, &keys[i], text, err);
    return err_set(err, ERR_INVALID, "unknown key '%s' in [%s]; xenmemd.conf(5) has their names",
                   name, section);
}

static bool is_own_section(const char *section)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].section, section) == 0)
            return true;
    return strcmp(section, "host") == 0;
}

static int begin_section(struct options *options, const char *section, struct err *err)
{
    const char *pattern = section_pattern(section);

    if (is_own_section(section))
        return 0;
    if (!pattern || *pattern == '\0')
        return err_set(err, ERR_INVALID,
                       "unknown section [%s]; there are [daemon], [access], [limits], [hooks], "
                       "[host], [vm PATTERN]",
                       section);
    for (size_t i = 0; i < options->n_vms; i++)
        if (strcmp(options->vms[i].pattern, pattern) == 0)
            return err_set(err, ERR_INVALID, "[vm %s] is there twice: put them together", pattern);
    options->vms = memory_grow(options->vms, options->n_vms + 1, sizeof(*options->vms));
    options->vms[options->n_vms++] = (struct options_vm){.pattern = memory_copy_text(pattern)};
    return 0;
}

static int take_line(void *arg, const char *section, const char *key, const char *value, int line,
                     struct err *err)
{
    struct options *options = arg;

    (void)line;
    if (!key)
        return begin_section(options, section, err);
    if (section[0] == '\0')
        return err_set(err, ERR_INVALID, "'%s' is before any section, such as [daemon]", key);
    if (strcmp(section, "host") == 0)
        return section_take_host(&options->host, key, value, err);
    if (section_pattern(section))
        return section_take_vm(&options->vms[options->n_vms - 1].said, section, key, value, err);
    return take_own_key(options, section, key, value, err);
}

static struct options *defaults(void)
{
    struct options *options = memory_new(1, sizeof(*options));

    for (size_t i = 0; i < N_KEYS; i++) {
        if (keys[i].type == KEY_TEXT)
            put_text(options, &keys[i], keys[i].text);
        else if (keys[i].type != KEY_ACCESS)
            put_number(options, &keys[i], keys[i].def.fallback);
    }
    return options;
}

int options_read(const char *file, struct options **out, struct err *err)
{
    struct options *options = defaults();

    if (file) {
        options->file = memory_copy_text(file);
        if (conf_read(file, take_line, options, err)) {
            options_free(options);
            return -1;
        }
    }
    if (!options->read_given)
        access_allow_usual(&options->access);
    *out = options;
    return 0;
}

/* --- the command line, and reading again ----------------------------------------------------- */

int options_give(struct options *options, const struct options_given *given, struct err *err)
{
    const char *const texts[] = {given->socket, given->database, given->backend};
    static const char *const names[] = {"socket", "database", "backend"};
    bool *const marks[] = {&options->socket_given, &options->database_given,
                           &options->backend_given};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (!texts[i])
            continue;
        if (take_own_key(options, "daemon", names[i], texts[i], err))
            return -1;
        *marks[i] = true;
    }
    return 0;
}

/* Puts old's value in place of what the file says by now. True where the file alone decided and
 * changed. */
static bool keep_text(char **now, const char *old, bool given)
{
    bool differs = strcmp(*now, old) != 0;

    free(*now);
    *now = memory_copy_text(old);
    return differs && !given;
}

int options_read_again(const struct options *old, struct options **out, bool *needs_restart,
                       struct err *err)
{
    struct options *now;

    if (options_read(old->file, &now, err))
        return -1;
    now->socket_given = old->socket_given;
    now->database_given = old->database_given;
    now->backend_given = old->backend_given;
    *needs_restart = keep_text(&now->socket, old->socket, old->socket_given);
    *needs_restart |= keep_text(&now->database, old->database, old->database_given);
    *needs_restart |= keep_text(&now->backend, old->backend, old->backend_given);
    *needs_restart |= keep_text(&now->metrics_listen, old->metrics_listen, false);
    *out = now;
    return 0;
}

void options_free(struct options *options)
{
    if (!options)
        return;
    for (size_t i = 0; i < options->n_vms; i++)
        free(options->vms[i].pattern);
    free(options->vms);
    free(options->file);
    free(options->socket);
    free(options->database);
    free(options->backend);
    free(options->metrics_listen);
    free(options->hooks_folder);
    free(options->hooks_user);
    free(options);
}

void options_fill_layer(const struct options *options, struct layer *layer)
{
    layer_clear(layer);
    *layer_host(layer) = options->host;
    for (size_t i = 0; i < options->n_vms; i++)
        *layer_vm(layer, options->vms[i].pattern) = options->vms[i].said;
}
