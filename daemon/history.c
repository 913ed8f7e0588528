/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/history.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/memory.h"
#include "daemon/options.h"
#include "daemon/registry.h"

struct history {
    struct daemon *daemon;
    int64_t last_slot;         /* of the last sample; −1 none yet */
    struct db_sample *samples; /* working space */
    size_t room;
};

struct history *history_new(struct daemon *daemon)
{
    struct history *history = memory_new(1, sizeof(*history));

    history->daemon = daemon;
    history->last_slot = -1;
    return history;
}

void history_free(struct history *history)
{
    if (!history)
        return;
    free(history->samples);
    free(history);
}

static struct db_sample sample_of_host(const struct engine_status *status, int64_t wall_ms)
{
    return (struct db_sample){.time_ms = wall_ms,
                              .assigned_kib = status->assigned.v,
                              .demand_kib = status->demand.v,
                              .target_kib = DB_UNKNOWN,
                              .pressure = DB_UNKNOWN,
                              .free_kib = status->host.free.v};
}

static struct db_sample sample_of_domain(const struct domain *domain, int64_t wall_ms)
{
    const struct verdict *verdict = &domain->verdict;
    int64_t target = domain->now.target.v;

    return (struct db_sample){.time_ms = wall_ms,
                              .vm = domain->vm->name,
                              .assigned_kib = domain->now.assigned.v,
                              .demand_kib = verdict->demand.v < 0 ? DB_UNKNOWN : verdict->demand.v,
                              .target_kib = target > 0 ? target : DB_UNKNOWN,
                              .pressure = verdict->pressure < 0 ? DB_UNKNOWN : verdict->pressure,
                              .free_kib = DB_UNKNOWN};
}

void history_take(struct history *history, int64_t wall_ms)
{
    const struct registry *registry = history->daemon->registry;
    int64_t slot = wall_ms / db_level_step_ms(DB_LEVEL_FINE);
    size_t count = 0;

    if (slot == history->last_slot || engine_status(history->daemon->engine)->passes == 0)
        return;
    history->last_slot = slot;
    if (registry->n_domains + 1 > history->room) {
        history->room = registry->n_domains + 1;
        history->samples = memory_grow(history->samples, history->room, sizeof(*history->samples));
    }
    history->samples[count++] = sample_of_host(engine_status(history->daemon->engine), wall_ms);
    for (size_t i = 0; i < registry->n_domains; i++)
        if (registry->domains[i].vm)
            history->samples[count++] = sample_of_domain(&registry->domains[i], wall_ms);
    db_note_samples(history->daemon->db, history->samples, count);
}

enum db_level history_level(const struct db_limits *limits, int64_t since_ms, int64_t wall_ms)
{
    for (int level = 0; level + 1 < DB_LEVEL_COUNT; level++)
        if (limits->history_age_ms[level] == 0 ||
            wall_ms - since_ms <= limits->history_age_ms[level])
            return (enum db_level)level;
    return DB_LEVEL_COARSE;
}

struct db_limits history_limits(const struct options *options)
{
    return (struct db_limits){
        .event_age_ms = options->event_age_ms,
        .event_count = options->event_count,
        .history_age_ms = {options->history_fine_ms, options->history_middle_ms,
                           options->history_coarse_ms},
        .history_kib = options->history_kib,
    };
}
