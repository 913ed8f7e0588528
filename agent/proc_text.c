/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/proc_text.h"

#include <string.h>

#include "base/err.h"

#define NOT_SAID INT64_C(-1)

/* What of a bounded text has not been looked at yet. */
struct rest {
    const char *at, *end;
};

/* The next line without its end into *line; false where there is no whole one any more. */
static bool next_line(struct rest *text, struct rest *line)
{
    const char *end = memchr(text->at, '\n', (size_t)(text->end - text->at));

    if (!end)
        return false;
    *line = (struct rest){text->at, end};
    text->at = end + 1;
    return true;
}

static bool take(struct rest *line, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(line->end - line->at) < length || memcmp(line->at, word, length) != 0)
        return false;
    line->at += length;
    return true;
}

static void skip_blanks(struct rest *line)
{
    while (line->at < line->end && *line->at == ' ')
        line->at++;
}

static bool take_number(struct rest *line, int64_t limit, int64_t *out)
{
    const char *start = line->at;
    int64_t value = 0;

    for (; line->at < line->end && *line->at >= '0' && *line->at <= '9'; line->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *line->at - '0', &value))
            return false;
    if (line->at == start || value > limit)
        return false;
    *out = value;
    return true;
}

/* --- /proc/meminfo --------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t where;
} amounts[] = {
    {"MemTotal:", offsetof(struct meminfo, total)},
    {"MemFree:", offsetof(struct meminfo, free)},
    {"MemAvailable:", offsetof(struct meminfo, available)},
    {"Buffers:", offsetof(struct meminfo, buffers)},
    {"Cached:", offsetof(struct meminfo, cached)},
    {"Shmem:", offsetof(struct meminfo, shmem)},
    {"SwapTotal:", offsetof(struct meminfo, swap_total)},
    {"SwapFree:", offsetof(struct meminfo, swap_free)},
    {"AnonPages:", offsetof(struct meminfo, anonymous)},
    {"Unevictable:", offsetof(struct meminfo, unevictable)},
    {"SReclaimable:", offsetof(struct meminfo, reclaimable)},
    {"SUnreclaim:", offsetof(struct meminfo, unreclaimable)},
    {"KernelStack:", offsetof(struct meminfo, kernel_stack)},
    {"PageTables:", offsetof(struct meminfo, page_tables)},
    {"SecPageTables:", offsetof(struct meminfo, second_page_tables)},
    {"Percpu:", offsetof(struct meminfo, per_cpu)},
    {"Hugetlb:", offsetof(struct meminfo, huge)},
};
#define N_AMOUNTS (sizeof(amounts) / sizeof(*amounts))

static struct kib *amount_at(struct meminfo *info, size_t i)
{
    return (struct kib *)(void *)((char *)info + amounts[i].where);
}

/* "Name:   123 kB"; of a name that is there twice, the first counts. */
static void take_amount(struct rest *line, struct meminfo *info)
{
    int64_t value;

    for (size_t i = 0; i < N_AMOUNTS; i++) {
        if (!take(line, amounts[i].name))
            continue;
        skip_blanks(line);
        if (amount_at(info, i)->v == NOT_SAID && take_number(line, KIB_LIMIT, &value) &&
            take(line, " kB") && line->at == line->end)
            *amount_at(info, i) = kib(value);
        return;
    }
}

/* What the kernel's own estimate comes to, where the kernel does not make one: free memory, and
 * half of what it could drop, for it never drops all of it without harm. */
static struct kib estimate_available(const struct meminfo *info)
{
    struct kib cache = kib_add(info->buffers, kib_excess(info->cached, info->shmem));

    return kib_add(info->free, kib_scale(kib_add(cache, info->reclaimable), 1, 2));
}

int proc_text_meminfo(const char *text, size_t length, struct meminfo *out, struct err *err)
{
    struct rest rest = {text, text + length}, line;
    struct meminfo info;
    bool says_free, says_available;

    for (size_t i = 0; i < N_AMOUNTS; i++)
        *amount_at(&info, i) = kib(NOT_SAID);
    while (next_line(&rest, &line))
        take_amount(&line, &info);
    if (info.total.v == NOT_SAID)
        return err_set(err, ERR_INVALID, "meminfo says no MemTotal");
    says_free = info.free.v != NOT_SAID;
    says_available = info.available.v != NOT_SAID;
    if (!says_free && !says_available)
        return err_set(err, ERR_INVALID, "meminfo says neither MemAvailable nor MemFree");
    for (size_t i = 0; i < N_AMOUNTS; i++)
        *amount_at(&info, i) = kib_max(*amount_at(&info, i), kib(0));
    if (!says_available)
        info.available = estimate_available(&info);
    info.available = kib_min(info.available, info.total);
    *out = info;
    return 0;
}

/* --- the others ------------------------------------------------------------------------------ */

/* "avg10=1.23" and a blank, in hundredths. */
static bool take_average(struct rest *line, int32_t *out)
{
    int64_t whole, hundredths;

    if (!take(line, "avg10=") || !take_number(line, 100, &whole) || !take(line, "."))
        return false;
    if (line->end - line->at < 3 || line->at[2] != ' ' || !take_number(line, 99, &hundredths))
        return false;
    *out = (int32_t)(whole * 100 + hundredths);
    if (*out > 10000)
        *out = 10000;
    return true;
}

void proc_text_pressure(const char *text, size_t length, struct pressure *out)
{
    struct rest rest = {text, text + length}, line;

    *out = (struct pressure){0, 0};
    while (next_line(&rest, &line)) {
        if (take(&line, "some "))
            take_average(&line, &out->some);
        else if (take(&line, "full "))
            take_average(&line, &out->full);
    }
}

static void take_counter(struct rest *line, uint64_t *out)
{
    int64_t value;

    if (take_number(line, INT64_MAX, &value) && line->at == line->end)
        *out = (uint64_t)value;
}

void proc_text_vmstat(const char *text, size_t length, struct vmstat *out)
{
    struct rest rest = {text, text + length}, line;

    *out = (struct vmstat){0, 0, 0};
    while (next_line(&rest, &line)) {
        if (take(&line, "oom_kill "))
            take_counter(&line, &out->oom_kills);
        else if (take(&line, "pswpin "))
            take_counter(&line, &out->swapped_in);
        else if (take(&line, "pswpout "))
            take_counter(&line, &out->swapped_out);
    }
}

bool proc_text_kib(const char *text, size_t length, struct kib *out)
{
    struct rest rest = {text, text + length}, line;
    int64_t value;

    if (!next_line(&rest, &line) || rest.at != rest.end || !take_number(&line, KIB_LIMIT, &value) ||
        line.at != line.end)
        return false;
    *out = kib(value);
    return true;
}
