/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes in, lines out. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "proto/proto.h"

#define ROOM_FIRST 4096

void proto_lines_init(struct proto_lines *lines, size_t limit)
{
    *lines = (struct proto_lines){.limit = limit};
}

void proto_lines_fini(struct proto_lines *lines)
{
    free(lines->bytes);
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

/* The first newline that is there; what was searched already is not searched again. */
static char *unsearched_newline(const struct proto_lines *lines)
{
    if (lines->length == lines->searched)
        return NULL;
    return memchr(lines->bytes + lines->start + lines->searched, '\n',
                  lines->length - lines->searched);
}

int proto_lines_feed(struct proto_lines *lines, const void *bytes, size_t length, struct err *err)
{
    const char *newline = memchr(bytes, '\n', length);
    size_t first = newline ? (size_t)(newline - (const char *)bytes) : length;

    /* Only the first line can be one that was begun before; a later one of this portion is checked
     * when it is taken. */
    if (!unsearched_newline(lines) && lines->length + first > lines->limit)
        return err_set(err, ERR_INVALID, "a line of more than %zu bytes", lines->limit);
    make_room(lines, length);
    memcpy(lines->bytes + lines->start + lines->length, bytes, length);
    lines->length += length;
    return 0;
}

const char *proto_lines_next(struct proto_lines *lines, size_t *length)
{
    char *newline = unsearched_newline(lines);
    char *from;

    if (!newline) {
        lines->searched = lines->length;
        return NULL;
    }
    from = lines->bytes + lines->start;
    *newline = '\0';
    *length = (size_t)(newline - from);
    lines->start += *length + 1;
    lines->length -= *length + 1;
    lines->searched = 0;
    return from;
}
