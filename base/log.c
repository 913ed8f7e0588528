/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static enum log_level shown = LOG_LEVEL_INFO;
static unsigned long dropped;

void log_set_level(enum log_level level)
{
    shown = level;
}

static size_t put_prefix(char *line, size_t room, enum log_level level)
{
    struct timespec now;
    struct tm local;

    if (getenv("JOURNAL_STREAM"))
        return (size_t)snprintf(line, room, "<%d>", (int)level);
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    return strftime(line, room, "%Y-%m-%dT%H:%M:%S ", &local);
}

/* A reader of our stderr that stopped reading must not stop us. */
static void write_unless_full(const char *line, size_t length)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (poll(&out, 1, 0) != 1 || write(STDERR_FILENO, line, length) < 0)
        dropped++;
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    size_t length;
    va_list args;
    int written;

    if (level > shown)
        return;
    length = put_prefix(line, sizeof(line), level);
    if (dropped > 0) {
        length +=
            (size_t)snprintf(line + length, sizeof(line) - length, "log-dropped=%lu ", dropped);
        dropped = 0;
    }
    va_start(args, format);
    written = vsnprintf(line + length, sizeof(line) - length - 1, format, args);
    va_end(args);
    if (written < 0)
        return;
    length += (size_t)written;
    if (length > sizeof(line) - 2)
        length = sizeof(line) - 2;
    for (char *c = line; c < line + length; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    line[length++] = '\n';
    write_unless_full(line, length);
}
