/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define BROKEN UINT32_MAX /* no character: a byte that is not UTF-8 */

/* The character at text (which is not at its end) into *code. Returns its length in bytes. */
static size_t next_character(const char *text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80             ? 1
                    : (bytes[0] & 0xe0) == 0xc0 ? 2
                    : (bytes[0] & 0xf0) == 0xe0 ? 3
                    : (bytes[0] & 0xf8) == 0xf0 ? 4
                                                : 0;

    *code = BROKEN;
    if (length == 0)
        return 1;
    if (length == 1) {
        *code = bytes[0];
        return 1;
    }
    *code = bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            *code = BROKEN;
            return 1;
        }
        *code = *code << 6 | (bytes[i] & 0x3f);
    }
    if (*code >= least[length] && *code <= 0x10ffff && (*code < 0xd800 || *code > 0xdfff))
        return length;
    *code = BROKEN;
    return 1;
}

struct range {
    uint32_t first, last;
};

static bool is_in(uint32_t code, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

#define IS_IN(code, ranges) is_in(code, ranges, sizeof(ranges) / sizeof(*(ranges)))

/* Does something to a terminal, or to how the rest of the line reads. */
static bool is_unsafe(uint32_t code)
{
    static const struct range unsafe[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0x200e, 0x200f},
        {0x2028, 0x202e}, {0x2066, 0x2069}, {BROKEN, BROKEN},
    };

    return IS_IN(code, unsafe);
}

/* Columns of a character that is safe. libc's wcwidth knows more, but only under a UTF-8 locale,
 * which cron does not have. */
static size_t width_of(uint32_t code)
{
    static const struct range none[] = {
        {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},
        {0x64b, 0x65f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d},
        {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
    };
    static const struct range two[] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xac00, 0xd7a3},
        {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
        {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };

    if (IS_IN(code, none))
        return 0;
    return IS_IN(code, two) ? 2 : 1;
}

bool text_is_utf8(const char *text)
{
    uint32_t code;

    while (*text) {
        text += next_character(text, &code);
        if (code == BROKEN)
            return false;
    }
    return true;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    uint32_t code;

    while (*text) {
        text += next_character(text, &code);
        width += is_unsafe(code) ? 1 : width_of(code);
    }
    return width;
}

static void put_safely(FILE *to, const char *text, bool double_quotes)
{
    uint32_t code;

    while (*text) {
        size_t length = next_character(text, &code);

        if (is_unsafe(code))
            fputc('?', to);
        else
            fwrite(text, 1, length, to);
        if (double_quotes && code == '"')
            fputc('"', to);
        text += length;
    }
}

void text_put(FILE *to, const char *text)
{
    put_safely(to, text, false);
}

const char *text_clean(const char *text, char *buf, size_t room)
{
    size_t used = 0;
    uint32_t code;

    while (*text) {
        size_t length = next_character(text, &code);
        bool unsafe = is_unsafe(code);
        size_t takes = unsafe ? 1 : length;

        if (used + takes >= room)
            break;
        memcpy(buf + used, unsafe ? "?" : text, takes);
        used += takes;
        text += length;
    }
    buf[used] = '\0';
    return buf;
}

/* Line breaks are JSON's own layout when json, else part of the text. */
static void put_escaped(FILE *to, const char *text, bool json)
{
    uint32_t code;

    while (*text) {
        size_t length = next_character(text, &code);

        if (json && *text == '\n')
            fputc('\n', to);
        else if (!json && (*text == '"' || *text == '\\'))
            fprintf(to, "\\%c", *text);
        else if (code == BROKEN)
            fputc('?', to);
        else if (is_unsafe(code))
            fprintf(to, "\\u%04x", (unsigned)code);
        else
            fwrite(text, 1, length, to);
        text += length;
    }
}

void text_put_json(FILE *to, const char *json)
{
    put_escaped(to, json, true);
}

void text_put_json_string(FILE *to, const char *text)
{
    fputc('"', to);
    put_escaped(to, text, false);
    fputc('"', to);
}

void text_put_csv(FILE *to, const char *text)
{
    bool plain = text[strcspn(text, "\",;'\t\r\n")] == '\0' && *text != ' ' &&
                 (*text == '\0' || text[strlen(text) - 1] != ' ');

    if (!plain)
        fputc('"', to);
    put_safely(to, text, true);
    if (!plain)
        fputc('"', to);
}

const char *text_amounts(const char *detail, char *buf, size_t room)
{
    const char *at;

    buf[0] = '\0';
    while ((at = strstr(detail, "_kib="))) {
        const char *digits = at + strlen("_kib=");
        char text[UNITS_TEXT] = "";
        size_t used = strlen(buf);
        char *end;
        int64_t amount = strtoll(digits, &end, 10);
        bool is_amount = end != digits && amount >= 0 && amount <= KIB_LIMIT;

        snprintf(buf + used, room - used, "%.*s%s%s", (int)(at - detail), detail,
                 is_amount ? "=" : "_kib=", is_amount ? kib_format(kib(amount), text) : "");
        detail = is_amount ? end : digits;
    }
    snprintf(buf + strlen(buf), room - strlen(buf), "%s", detail);
    return buf;
}
