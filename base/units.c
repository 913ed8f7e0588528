/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define MS_LIMIT (INT64_C(10) * 365 * 24 * 3600 * 1000) /* ten years */

struct kib kib_scale_wide(struct kib a, int64_t numerator, int64_t denominator)
{
    __int128 product = (__int128)a.v * numerator;

    product = product / denominator - (product % denominator < 0);
    invariant(product >= INT64_MIN && product <= INT64_MAX);
    return kib((int64_t)product);
}

struct kib kib_from_pages(uint64_t pages)
{
    uint64_t limit = (uint64_t)(KIB_LIMIT / KIB_PAGE);

    return kib((int64_t)(pages > limit ? limit : pages) * KIB_PAGE);
}

uint64_t kib_to_pages(struct kib a)
{
    invariant(a.v >= 0);
    return (uint64_t)(a.v / KIB_PAGE);
}

/* KiB of one unit letter; 0 where it is none. */
static int64_t unit_kib(char letter)
{
    switch (tolower((unsigned char)letter)) {
    case 'k':
        return 1;
    case 'm':
        return INT64_C(1) << 10;
    case 'g':
        return INT64_C(1) << 20;
    case 't':
        return INT64_C(1) << 30;
    default:
        return 0;
    }
}

/* Reads "12" or "12.345" into thousandths, INT64_MAX where it is more. Returns what follows, NULL
 * where no such number stands there. */
static const char *read_thousandths(const char *text, int64_t *out)
{
    int64_t value = 0;
    int64_t decimal = 100;
    bool is_beyond = false;

    if (!isdigit((unsigned char)*text))
        return NULL;
    for (; isdigit((unsigned char)*text); text++)
        is_beyond |= __builtin_mul_overflow(value, 10, &value) ||
                     __builtin_add_overflow(value, *text - '0', &value);
    is_beyond |= __builtin_mul_overflow(value, 1000, &value) || value > INT64_MAX - 1000;
    if (*text == '.') {
        text++;
        if (!isdigit((unsigned char)*text))
            return NULL;
        for (; isdigit((unsigned char)*text) && decimal > 0; text++, decimal /= 10)
            value += (*text - '0') * decimal;
    }
    *out = is_beyond ? INT64_MAX : value;
    return text;
}

static bool ends_unit(const char *text)
{
    return *text == '\0' || strcmp(text, "B") == 0 || strcmp(text, "iB") == 0;
}

int kib_parse(const char *text, struct kib *out, struct err *err)
{
    int64_t thousandths;
    const char *rest = read_thousandths(text, &thousandths);
    __int128 size;

    if (!rest)
        return err_set(err, ERR_INVALID,
                       "size '%.40s' is not a number with a unit, such as 512m or 2g", text);
    if (*rest == '\0' && thousandths == 0) {
        *out = kib(0);
        return 0;
    }
    if (*rest == ' ')
        rest++;
    if (unit_kib(*rest) == 0 || !ends_unit(rest + 1))
        return err_set(err, ERR_INVALID, "size '%.40s' needs a unit: k, m, g or t", text);
    size = (__int128)thousandths * unit_kib(*rest) / 1000;
    if (size > KIB_LIMIT)
        return err_set(err, ERR_INVALID, "size '%.40s' is above the limit of 1024t", text);
    *out = kib((int64_t)size);
    return 0;
}

const char *kib_format(struct kib a, char buf[UNITS_TEXT])
{
    static const char *const names[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    uint64_t size = a.v < 0 ? (uint64_t)0 - (uint64_t)a.v : (uint64_t)a.v;
    uint64_t unit = 1;
    size_t name = 0;

    while (name < 4 && size / unit >= 1024) {
        unit <<= 10;
        name++;
    }
    if (name < 2 || size % unit == 0)
        snprintf(buf, UNITS_TEXT, "%s%" PRIu64 " %s", a.v < 0 ? "-" : "", (size + unit / 2) / unit,
                 names[name]);
    else
        snprintf(buf, UNITS_TEXT, "%s%.2f %s", a.v < 0 ? "-" : "", (double)size / (double)unit,
                 names[name]);
    return buf;
}

const char *kib_format_exact(struct kib a, char buf[UNITS_TEXT])
{
    static const char letters[] = "tgmk";

    for (const char *letter = letters; *letter; letter++) {
        if (a.v % unit_kib(*letter) == 0 && a.v != 0) {
            snprintf(buf, UNITS_TEXT, "%" PRId64 "%c", a.v / unit_kib(*letter), *letter);
            return buf;
        }
    }
    snprintf(buf, UNITS_TEXT, "0");
    return buf;
}

static const struct {
    const char *suffix;
    int64_t ms;
} spans[] = {
    {"d", INT64_C(24) * 3600 * 1000},
    {"h", INT64_C(3600) * 1000},
    {"m", 60 * 1000},
    {"s", 1000},
    {"ms", 1},
};

int duration_parse(const char *text, int64_t *out_ms, struct err *err)
{
    int64_t value = 0;
    const char *rest = text;

    for (; isdigit((unsigned char)*rest) && value <= MS_LIMIT; rest++)
        value = value * 10 + (*rest - '0');
    for (size_t i = 0; rest != text && i < sizeof(spans) / sizeof(*spans); i++) {
        if (strcmp(rest, spans[i].suffix) != 0)
            continue;
        if (value < 1 || value > MS_LIMIT / spans[i].ms)
            return err_set(err, ERR_INVALID, "duration '%.40s' is outside 1ms to 3650d", text);
        *out_ms = value * spans[i].ms;
        return 0;
    }
    return err_set(
        err, ERR_INVALID,
        "duration '%.40s' is not a whole number with a unit ms, s, m, h or d, such as 15m", text);
}

const char *duration_format(int64_t ms, char buf[UNITS_TEXT])
{
    if (ms == 0)
        return strcpy(buf, "0s");
    for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
        if (ms % spans[i].ms == 0) {
            snprintf(buf, UNITS_TEXT, "%" PRId64 "%s", ms / spans[i].ms, spans[i].suffix);
            return buf;
        }
    }
    return buf; /* not reached: every number is a multiple of 1 ms */
}

int integer_parse(const char *text, int64_t low, int64_t high, int64_t *out, struct err *err)
{
    int64_t value = 0;
    const char *rest = text;

    for (; isdigit((unsigned char)*rest); rest++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *rest - '0', &value))
            break;
    if (rest == text || *rest != '\0' || value < low || value > high)
        return err_set(err, ERR_INVALID,
                       "'%.40s' is not a whole number from %" PRId64 " to %" PRId64, text, low,
                       high);
    *out = value;
    return 0;
}
