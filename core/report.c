/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

/*
 * The agent's text is one line: "xenmem1" and then every field, in this order, as " name=NUMBER".
 * No other order, no signs, no leading zeros, nothing missing, nothing more: what can be written in
 * one way only can be read in one way only.
 */
#define VERSION_TEXT "xenmem1"

enum field {
    FIELD_SEQUENCE,
    FIELD_NEED,
    FIELD_FLOOR,
    FIELD_TOTAL,
    FIELD_AVAILABLE,
    FIELD_SWAP_USED,
    FIELD_CACHE,
    FIELD_SWAP_IN,
    FIELD_SWAP_OUT,
    FIELD_PSI_SOME,
    FIELD_PSI_FULL,
    FIELD_OOM_KILLS,
    FIELD_BALLOON,
    FIELD_COUNT
};

static const struct {
    const char *name;
    int64_t limit; /* inclusive */
} fields[FIELD_COUNT] = {
    [FIELD_SEQUENCE] = {"seq", INT64_MAX},     [FIELD_NEED] = {"need", KIB_LIMIT},
    [FIELD_FLOOR] = {"floor", KIB_LIMIT},      [FIELD_TOTAL] = {"total", KIB_LIMIT},
    [FIELD_AVAILABLE] = {"avail", KIB_LIMIT},  [FIELD_SWAP_USED] = {"swap", KIB_LIMIT},
    [FIELD_CACHE] = {"cache", KIB_LIMIT},      [FIELD_SWAP_IN] = {"swapin", INT32_MAX},
    [FIELD_SWAP_OUT] = {"swapout", INT32_MAX}, [FIELD_PSI_SOME] = {"some", 10000},
    [FIELD_PSI_FULL] = {"full", 10000},        [FIELD_OOM_KILLS] = {"oom", INT64_MAX},
    [FIELD_BALLOON] = {"balloon", 1},
};

const char *need_source_name(enum need_source source)
{
    static const char *const names[NEED_SOURCE_COUNT] = {"none", "agent", "qubes", "xenserver"};

    return names[source];
}

/* A position in text that is bounded, not terminated. */
struct cursor {
    const char *at, *end;
};

static bool take_text(struct cursor *cursor, const char *text)
{
    size_t length = strlen(text);

    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, text, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

static bool take_number(struct cursor *cursor, int64_t limit, int64_t *out)
{
    const char *start = cursor->at;
    int64_t value = 0;

    for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *cursor->at - '0', &value))
            return false;
    if (cursor->at == start || value > limit || (*start == '0' && cursor->at != start + 1))
        return false;
    *out = value;
    return true;
}

int report_decode(const void *bytes, size_t length, struct guest_report *out, struct err *err)
{
    struct cursor cursor = {bytes, (const char *)bytes + length};
    int64_t value[FIELD_COUNT];

    if (length > REPORT_TEXT_MAX)
        return err_set(err, ERR_INVALID, "a report of %zu bytes; %d are the most", length,
                       REPORT_TEXT_MAX);
    if (!take_text(&cursor, VERSION_TEXT))
        return err_set(err, ERR_INVALID, "a report that does not begin with %s", VERSION_TEXT);
    for (int field = 0; field < FIELD_COUNT; field++)
        if (!take_text(&cursor, " ") || !take_text(&cursor, fields[field].name) ||
            !take_text(&cursor, "=") || !take_number(&cursor, fields[field].limit, &value[field]))
            return err_set(err, ERR_INVALID, "a report without a sound '%s'", fields[field].name);
    if (cursor.at != cursor.end)
        return err_set(err, ERR_INVALID, "a report with more behind its end");
    *out = (struct guest_report){
        .source = NEED_AGENT,
        .sequence = (uint64_t)value[FIELD_SEQUENCE],
        .need = kib(value[FIELD_NEED]),
        .floor = kib(value[FIELD_FLOOR]),
        .total = kib(value[FIELD_TOTAL]),
        .available = kib(value[FIELD_AVAILABLE]),
        .swap_used = kib(value[FIELD_SWAP_USED]),
        .cache = kib(value[FIELD_CACHE]),
        .swap_in_kib_s = (int32_t)value[FIELD_SWAP_IN],
        .swap_out_kib_s = (int32_t)value[FIELD_SWAP_OUT],
        .psi_some = (int32_t)value[FIELD_PSI_SOME],
        .psi_full = (int32_t)value[FIELD_PSI_FULL],
        .oom_kills = (uint64_t)value[FIELD_OOM_KILLS],
        .balloon = value[FIELD_BALLOON] != 0,
    };
    return 0;
}

/* A whole text that is one number of KiB and nothing else. */
static bool whole_number(const void *bytes, size_t length, struct kib *out)
{
    struct cursor cursor = {bytes, (const char *)bytes + length};
    int64_t value;

    if (!take_number(&cursor, KIB_LIMIT, &value) || cursor.at != cursor.end)
        return false;
    *out = kib(value);
    return true;
}

int report_decode_qubes(const void *bytes, size_t length, struct guest_report *out, struct err *err)
{
    struct kib used;

    if (!whole_number(bytes, length, &used))
        return err_set(err, ERR_INVALID, "memory/meminfo is not one number");
    *out = (struct guest_report){.source = NEED_QUBES, .need = used};
    return 0;
}

int report_decode_xenserver(const void *total, size_t total_length, const void *free_,
                            size_t free_length, struct kib assigned, struct guest_report *out,
                            struct err *err)
{
    struct kib all, available;

    if (!whole_number(total, total_length, &all) || !whole_number(free_, free_length, &available))
        return err_set(err, ERR_INVALID,
                       "data/meminfo_total and meminfo_free are not one number each");
    *out = (struct guest_report){
        .source = NEED_XENSERVER,
        .need = kib_excess(assigned, available),
        .total = all,
        .available = available,
    };
    return 0;
}

bool report_is_news(const struct guest_report *report, const struct guest_report *last)
{
    return report->source != NEED_AGENT || last->source != NEED_AGENT ||
           report->sequence != last->sequence;
}

static int64_t at_most(int64_t value, int64_t limit)
{
    if (value < 0)
        return 0;
    return value < limit ? value : limit;
}

size_t report_encode(const struct guest_report *report, char *buf, size_t room)
{
    const int64_t value[FIELD_COUNT] = {
        [FIELD_SEQUENCE] = (int64_t)(report->sequence & INT64_MAX),
        [FIELD_NEED] = report->need.v,
        [FIELD_FLOOR] = report->floor.v,
        [FIELD_TOTAL] = report->total.v,
        [FIELD_AVAILABLE] = report->available.v,
        [FIELD_SWAP_USED] = report->swap_used.v,
        [FIELD_CACHE] = report->cache.v,
        [FIELD_SWAP_IN] = report->swap_in_kib_s,
        [FIELD_SWAP_OUT] = report->swap_out_kib_s,
        [FIELD_PSI_SOME] = report->psi_some,
        [FIELD_PSI_FULL] = report->psi_full,
        [FIELD_OOM_KILLS] = (int64_t)(report->oom_kills & INT64_MAX),
        [FIELD_BALLOON] = report->balloon,
    };
    size_t length = (size_t)snprintf(buf, room, "%s", VERSION_TEXT);

    for (int field = 0; field < FIELD_COUNT; field++)
        length += (size_t)snprintf(buf + length, room - length, " %s=%" PRId64, fields[field].name,
                                   at_most(value[field], fields[field].limit));
    return length;
}
