/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What waits for the writer thread: transactions with copies of their strings, and queries. */
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "db/internal.h"

/* The strings of a change, as places. Returns how many. */
static size_t strings_of(struct db_change *change, const char **strings[4])
{
    size_t count = 0;

    switch (change->kind) {
    case DB_PUT_VM:
    case DB_FORGET_VM:
        strings[count++] = &change->vm.name;
        break;
    case DB_ADD_LAYER:
    case DB_REMOVE_LAYER:
        strings[count++] = &change->layer.kind;
        strings[count++] = &change->layer.name;
        break;
    case DB_PUT_SETTING:
    case DB_DROP_SETTING:
        strings[count++] = &change->setting.scope;
        strings[count++] = &change->setting.match;
        strings[count++] = &change->setting.key;
        break;
    case DB_ADD_EVENT:
    case DB_END_EVENT:
        strings[count++] = &change->event.kind;
        strings[count++] = &change->event.vm;
        strings[count++] = &change->event.reason;
        strings[count++] = &change->event.detail;
        break;
    case DB_ADD_RESERVATION:
    case DB_REMOVE_RESERVATION:
        strings[count++] = &change->reservation.name;
        break;
    case DB_PUT_FREEZE:
    case DB_DROP_FREEZE:
        strings[count++] = &change->freeze.name;
        break;
    case DB_ADD_SAMPLE:
        strings[count++] = &change->sample.vm;
        break;
    }
    return count;
}

/* Replaces the borrowed strings of a change by copies. */
static void own_strings(struct db_change *change)
{
    const char **strings[4];
    size_t count = strings_of(change, strings);

    for (size_t i = 0; i < count; i++) {
        if (!*strings[i])
            continue;
        *strings[i] = strdup(*strings[i]);
        invariant(*strings[i]);
    }
}

static void free_strings(struct db_change *change)
{
    const char **strings[4];
    size_t count = strings_of(change, strings);

    for (size_t i = 0; i < count; i++)
        free((char *)*strings[i]);
}

struct job *job_new(const struct db_change *changes, size_t count)
{
    struct job *job = calloc(1, sizeof(*job));

    invariant(job);
    job->changes = calloc(count > 0 ? count : 1, sizeof(*changes));
    invariant(job->changes);
    job->n_changes = count;
    for (size_t i = 0; i < count; i++) {
        job->changes[i] = changes[i];
        own_strings(&job->changes[i]);
    }
    return job;
}

void job_free(struct job *job)
{
    for (size_t i = 0; i < job->n_changes; i++)
        free_strings(&job->changes[i]);
    free(job->changes);
    free((char *)job->filter.vm);
    free((char *)job->history_filter.vm);
    free(job);
}

bool job_is_awaited(const struct job *job)
{
    return job->done != NULL;
}

bool job_is_query(const struct job *job)
{
    return job->take_events || job->take_history;
}

bool job_is_history(const struct job *job)
{
    return job->n_changes > 0 && job->changes[0].kind == DB_ADD_SAMPLE;
}

bool job_is_journal(const struct job *job)
{
    for (size_t i = 0; i < job->n_changes; i++)
        if (job->changes[i].kind != DB_ADD_EVENT)
            return false;
    return job->n_changes > 0;
}

void job_list_init(struct job_list *list)
{
    list->first = NULL;
    list->last = &list->first;
}

void job_list_append(struct job_list *list, struct job *job)
{
    job->next = NULL;
    *list->last = job;
    list->last = &job->next;
}

struct job *job_list_take(struct job_list *list)
{
    struct job *first = list->first;

    job_list_init(list);
    return first;
}
