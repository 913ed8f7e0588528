/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that came from elsewhere, on its way to a terminal or a file. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* True where all of it is UTF-8 (RFC 3629). */
bool text_is_utf8(const char *text);

/* Columns that it takes on a terminal when text_put writes it. */
size_t text_width(const char *text);

/*
 * Writes it so that it stays one line and does nothing to a terminal: control characters (C0, DEL,
 * C1), marks that turn the direction of writing, and bytes that are not UTF-8 become '?'.
 */
void text_put(FILE *to, const char *text);

/* The same into buf, which it ends with NUL; what does not fit is left out. Returns buf. */
const char *text_clean(const char *text, char *buf, size_t room);

/* An event's detail, in which "from_kib=1048576" reads "from=1 GiB" and all else is as it was, in
 * buf; what does not fit is left out. Returns buf. */
const char *text_amounts(const char *detail, char *buf, size_t room);

/* Writes JSON text, with those characters as \uXXXX: the same JSON, and harmless. */
void text_put_json(FILE *to, const char *json);

/* Writes text as a JSON string, quotes included. */
void text_put_json_string(FILE *to, const char *text);

/* Writes it as one field of CSV (RFC 4180): in quotes where it needs them. */
void text_put_csv(FILE *to, const char *text);

#endif
