/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moments, as people type and read them. */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define WHEN_TEXT 32 /* room for when_format's text */

/*
 * Reads a moment of the past into milliseconds since 1970: "15m" (so long before now_ms), or a date
 * "2025-01-31", with a time "2025-01-31 10:00" or "2025-01-31T10:00:30", and a zone "Z" or
 * "+02:00"; without a zone it is local time. Dates and times that do not exist are refused. 0, or
 * −1 with ERR_INVALID.
 */
int when_parse(const char *text, int64_t now_ms, int64_t *out_ms, struct err *err);

/* "2025-01-31 10:00:30", local time. Returns buf. */
const char *when_format(int64_t ms, char buf[WHEN_TEXT]);

/* Milliseconds since 1970 by the wall clock. */
int64_t when_now(void);

#endif
