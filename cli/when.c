/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/when.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/units.h"

/* Exactly so many digits at *text into *out, and *text behind them. */
static bool read_digits(const char **text, int count, int *out)
{
    *out = 0;
    for (; count > 0; count--, (*text)++) {
        if (!isdigit((unsigned char)**text))
            return false;
        *out = *out * 10 + (**text - '0');
    }
    return true;
}

static bool read_character(const char **text, const char *accepted)
{
    if (**text == '\0' || !strchr(accepted, **text))
        return false;
    (*text)++;
    return true;
}

static bool read_date(const char **text, struct tm *out)
{
    if (!read_digits(text, 4, &out->tm_year) || !read_character(text, "-") ||
        !read_digits(text, 2, &out->tm_mon) || !read_character(text, "-") ||
        !read_digits(text, 2, &out->tm_mday))
        return false;
    out->tm_year -= 1900;
    out->tm_mon--;
    return true;
}

/* "T10:00", "T10:00:30", or nothing, which is midnight. */
static bool read_time(const char **text, struct tm *out)
{
    if (!read_character(text, "T "))
        return true;
    if (!read_digits(text, 2, &out->tm_hour) || !read_character(text, ":") ||
        !read_digits(text, 2, &out->tm_min))
        return false;
    return !read_character(text, ":") || read_digits(text, 2, &out->tm_sec);
}

/* "Z", "+02:00", or nothing: *zoned then tells that it is local time. offset in seconds. */
static bool read_zone(const char **text, bool *zoned, int64_t *offset)
{
    int sign = **text == '-' ? -1 : 1;
    int hours, minutes;

    *offset = 0;
    *zoned = true;
    if (read_character(text, "Zz"))
        return true;
    if (!read_character(text, "+-")) {
        *zoned = false;
        return true;
    }
    if (!read_digits(text, 2, &hours) || !read_character(text, ":") ||
        !read_digits(text, 2, &minutes) || hours > 14 || minutes > 59)
        return false;
    *offset = sign * (INT64_C(60) * hours + minutes) * 60;
    return true;
}

/* mktime and timegm make the 2nd of March of a 30th of February: what they change did not exist. */
static bool exists(const struct tm *given, const struct tm *made)
{
    return given->tm_year == made->tm_year && given->tm_mon == made->tm_mon &&
           given->tm_mday == made->tm_mday && given->tm_hour == made->tm_hour &&
           given->tm_min == made->tm_min && given->tm_sec == made->tm_sec;
}

static int parse_moment(const char *text, int64_t *out_ms, struct err *err)
{
    struct tm given = {.tm_isdst = -1}, made;
    const char *rest = text;
    int64_t seconds, offset;
    bool zoned;

    if (!read_date(&rest, &given) || !read_time(&rest, &given) ||
        !read_zone(&rest, &zoned, &offset) || *rest != '\0')
        return err_set(err, ERR_INVALID,
                       "'%.60s' is neither a duration, such as 15m, nor a date, such as 2025-01-31 "
                       "or 2025-01-31T10:00",
                       text);
    made = given;
    seconds = zoned ? timegm(&made) - offset : mktime(&made);
    if (!exists(&given, &made))
        return err_set(err, ERR_INVALID, "'%.60s' does not exist in the calendar", text);
    if (seconds < 0)
        return err_set(err, ERR_INVALID, "'%.60s' is before 1970", text);
    *out_ms = seconds * 1000;
    return 0;
}

int when_parse(const char *text, int64_t now_ms, int64_t *out_ms, struct err *err)
{
    int64_t span;

    if (strchr(text, '-'))
        return parse_moment(text, out_ms, err);
    if (duration_parse(text, &span, NULL) == 0) {
        *out_ms = span < now_ms ? now_ms - span : 0;
        return 0;
    }
    if (isdigit((unsigned char)text[0]) && isalpha((unsigned char)text[strlen(text) - 1]))
        return duration_parse(text, &span, err);
    return parse_moment(text, out_ms, err);
}

const char *when_format(int64_t ms, char buf[WHEN_TEXT])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;

    if (!localtime_r(&seconds, &local) ||
        strftime(buf, WHEN_TEXT, "%Y-%m-%d %H:%M:%S", &local) == 0)
        snprintf(buf, WHEN_TEXT, "@%" PRId64, ms);
    return buf;
}

int64_t when_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
