/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes in, lines out. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "proto/proto.h"

#define ROOM_FIRST 4096
#define ROOM_KEPT  ((size_t)16 * 1024) /* a larger buffer is given back when it is empty */

void proto_lines_init(struct proto_lines *lines, size_t limit)
{
    *lines = (struct proto_lines){.limit = limit};
}

static void give_back(struct proto_lines *lines)
{
    free(lines->bytes);
    lines->bytes = NULL;
    lines->room = lines->start = 0;
}

void proto_lines_fini(struct proto_lines *lines)
{
    give_back(lines);
    *lines = (struct proto_lines){0};
}

/* Moves what is unread to the front and makes room for more behind it. */
static void make_room(struct proto_lines *lines, size_t more)
{
    size_t room = lines->room > 0 ? lines->room : ROOM_FIRST;

    if (lines->start > 0) {
        memmove(lines->bytes, lines->bytes + lines->start, lines->length);
        lines->start = 0;
    }
    while (room - lines->length < more)
        room *= 2;
    if (room == lines->room)
        return;
    lines->bytes = realloc(lines->bytes, room);
    invariant(lines->bytes);
    lines->room = room;
}

/* How long the unfinished line will be with these bytes. False where any line is too long. */
static bool measure(const struct proto_lines *lines, const char *bytes, size_t length, size_t *tail)
{
    const char *end = bytes + length, *newline;

    *tail = lines->tail;
    while ((newline = memchr(bytes, '\n', (size_t)(end - bytes)))) {
        if (*tail + (size_t)(newline - bytes) > lines->limit)
            return false;
        *tail = 0;
        bytes = newline + 1;
    }
    *tail += (size_t)(end - bytes);
    return *tail <= lines->limit;
}

int proto_lines_feed(struct proto_lines *lines, const void *bytes, size_t length, struct err *err)
{
    size_t tail;

    if (length == 0)
        return 0;
    if (!measure(lines, bytes, length, &tail))
        return err_set(err, ERR_INVALID, "a line of more than %zu bytes", lines->limit);
    make_room(lines, length);
    memcpy(lines->bytes + lines->length, bytes, length);
    lines->length += length;
    lines->tail = tail;
    return 0;
}

const char *proto_lines_next(struct proto_lines *lines, size_t *length)
{
    char *from, *newline;

    if (lines->length == 0 && lines->room > ROOM_KEPT)
        give_back(lines);
    if (lines->length == lines->searched)
        return NULL;
    from = lines->bytes + lines->start;
    newline = memchr(from + lines->searched, '\n', lines->length - lines->searched);
    if (!newline) {
        lines->searched = lines->length;
        return NULL;
    }
    *newline = '\0';
    *length = (size_t)(newline - from);
    lines->start += *length + 1;
    lines->length -= *length + 1;
    lines->searched = 0;
    return from;
}
