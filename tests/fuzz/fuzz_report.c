/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest writes into the store: whatever is taken survives being written and read again. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "core/report.h"

const char fuzz_name[] = "report";

static void check_own_format(const uint8_t *data, size_t size)
{
    struct guest_report report, again;
    char text[REPORT_TEXT_MAX], twice[REPORT_TEXT_MAX];
    size_t length;
    struct err err;

    if (report_decode(data, size, &report, &err) < 0)
        return;
    length = report_encode(&report, text, sizeof(text));
    invariant(length < sizeof(text));
    invariant(report_decode(text, length, &again, &err) == 0);
    invariant(report_encode(&again, twice, sizeof(twice)) == length);
    invariant(memcmp(text, twice, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guest_report report;
    size_t half = size / 2;
    struct err err;

    check_own_format(data, size);
    report_decode_qubes(data, size, &report, &err);
    report_decode_xenserver(data, half, data + half, size - half, kib_mib(512), &report, &err);
    return 0;
}
