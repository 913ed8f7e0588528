/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes and spans as people type them: whatever is read is in range and survives being written. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/units.h"

#define TEXT_MAX 256

const char fuzz_name[] = "units";

static void check_size(const char *text)
{
    char buf[UNITS_TEXT];
    struct err err;
    struct kib size, again;

    if (kib_parse(text, &size, &err) < 0)
        return;
    invariant(size.v >= 0 && size.v <= KIB_LIMIT);
    invariant(kib_parse(kib_format_exact(size, buf), &again, &err) == 0);
    invariant(again.v == size.v);
    kib_format(size, buf);
}

static void check_span(const char *text)
{
    char buf[UNITS_TEXT];
    struct err err;
    int64_t ms;

    if (duration_parse(text, &ms, &err) < 0)
        return;
    invariant(ms >= 0);
    duration_format(ms, buf);
}

static void check_integer(const char *text)
{
    struct err err;
    int64_t value;

    if (integer_parse(text, -5, 2000, &value, &err) == 0)
        invariant(value >= -5 && value <= 2000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX];

    if (size >= sizeof(text))
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_size(text);
    check_span(text);
    check_integer(text);
    return 0;
}
