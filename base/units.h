/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Amounts of memory and spans of time: types, checked arithmetic, text. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/invariant.h"

struct err;

/* An amount of memory in KiB. Signed, so that differences are amounts too. */
struct kib {
    int64_t v; /* KiB */
};

/* No size above this is accepted from anybody: 1 PiB. Sums of a million of them still fit. */
#define KIB_LIMIT   (INT64_C(1) << 40)
#define KIB_GRANULE INT64_C(2048) /* 2 MiB: targets are multiples of a large page */
#define KIB_PAGE    INT64_C(4)    /* one Xen page */

/* Room for the text of any amount or span, with its NUL. */
#define UNITS_TEXT 32

static inline struct kib kib(int64_t v)
{
    return (struct kib){v};
}

static inline struct kib kib_mib(int64_t mib)
{
    return kib(mib * 1024);
}

static inline struct kib kib_gib(int64_t gib)
{
    return kib(gib * 1024 * 1024);
}

/* Sum and difference; a result beyond 64 bits is a bug and stops the program. */
static inline struct kib kib_add(struct kib a, struct kib b)
{
    struct kib sum;

    invariant(!__builtin_add_overflow(a.v, b.v, &sum.v));
    return sum;
}

static inline struct kib kib_sub(struct kib a, struct kib b)
{
    struct kib difference;

    invariant(!__builtin_sub_overflow(a.v, b.v, &difference.v));
    return difference;
}

static inline struct kib kib_min(struct kib a, struct kib b)
{
    return a.v < b.v ? a : b;
}

static inline struct kib kib_max(struct kib a, struct kib b)
{
    return a.v > b.v ? a : b;
}

/* a − b, but never below nothing. */
static inline struct kib kib_excess(struct kib a, struct kib b)
{
    return kib_max(kib_sub(a, b), kib(0));
}

/* value within [low, high]; low wins where they cross. */
static inline struct kib kib_clamp(struct kib value, struct kib low, struct kib high)
{
    return kib_max(low, kib_min(value, high));
}

/* The same as kib_scale, for products beyond 64 bits. */
struct kib kib_scale_wide(struct kib a, int64_t numerator, int64_t denominator);

/* a × numerator ÷ denominator, rounded down, without overflow on the way. denominator > 0. */
static inline struct kib kib_scale(struct kib a, int64_t numerator, int64_t denominator)
{
    int64_t product;

    invariant(denominator > 0);
    if (__builtin_mul_overflow(a.v, numerator, &product))
        return kib_scale_wide(a, numerator, denominator);
    return kib(product / denominator - (product % denominator < 0));
}

/* Rounded to a multiple of step (> 0) for amounts ≥ 0. Large pages are a power of two: no division.
 */
static inline struct kib kib_floor(struct kib a, int64_t step)
{
    return kib((step & (step - 1)) == 0 ? (a.v & -step) : a.v - a.v % step);
}

static inline struct kib kib_ceil(struct kib a, int64_t step)
{
    return kib_floor(kib_add(a, kib(step - 1)), step);
}

/* Xen counts in 4 KiB pages. pages is clamped to KIB_LIMIT, which only a broken source exceeds. */
struct kib kib_from_pages(uint64_t pages);
uint64_t kib_to_pages(struct kib a);

/*
 * Reads "512m", "1.5 GiB", "2T": a decimal number ≥ 0 with a unit k, m, g or t, in either case and
 * optionally followed by "iB" or "B"; "0" needs no unit. At most three decimals; the result is
 * rounded down to a KiB. Returns 0, or −1 with ERR_INVALID where it is not a size or is above
 * KIB_LIMIT.
 */
int kib_parse(const char *text, struct kib *out, struct err *err);

/* Writes for people: "512 MiB", "1.50 GiB", "−3 KiB". Returns buf. */
const char *kib_format(struct kib a, char buf[UNITS_TEXT]);

/* Writes so that kib_parse reads exactly the same back: "512m", "1048577k". Returns buf. */
const char *kib_format_exact(struct kib a, char buf[UNITS_TEXT]);

/*
 * Reads "90s", "15m", "8h", "2d", "500ms" into milliseconds, 1 ms to 10 years.
 * Returns 0, or −1 with ERR_INVALID.
 */
int duration_parse(const char *text, int64_t *out_ms, struct err *err);

/* Writes the shortest text that duration_parse reads back; "0s" for 0, which it does not read.
 * Returns buf. */
const char *duration_format(int64_t ms, char buf[UNITS_TEXT]);

/* Reads a whole decimal number within [low, high]; signs, blanks and anything behind it are
 * refused. */
int integer_parse(const char *text, int64_t low, int64_t high, int64_t *out, struct err *err);

#endif
