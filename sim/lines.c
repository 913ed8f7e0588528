/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/lines.h"

#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define CHUNK     65536
#define LINE_ROOM 512
#define XZ_MAGIC                                                                                   \
    "\xfd"                                                                                         \
    "7zXZ"
#define XZ_MOST_ROOM (UINT64_C(256) << 20) /* more than `xz -9` needs */

struct lines {
    const char *file;
    FILE *stream;
    bool packed, stream_ended, ended;
    lzma_stream xz;
    uint8_t raw[CHUNK], text[CHUNK];
    size_t text_used, text_length;
    int64_t number;
    char line[LINE_ROOM];
};

static int fail(const struct lines *lines, struct err *err, const char *what)
{
    return err_set(err, ERR_INVALID, "%s:%lld: %s", lines->file, (long long)lines->number, what);
}

static bool starts_packed(FILE *stream)
{
    char magic[sizeof(XZ_MAGIC) - 1];
    size_t n = fread(magic, 1, sizeof(magic), stream);

    rewind(stream);
    return n == sizeof(magic) && memcmp(magic, XZ_MAGIC, n) == 0;
}

int lines_open(const char *file, struct lines **out, struct err *err)
{
    struct lines *lines;
    FILE *stream = fopen(file, "re");

    if (!stream)
        return err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_INVALID, errno, "%s", file);
    lines = calloc(1, sizeof(*lines));
    if (!lines) {
        fclose(stream);
        return err_set_errno(err, ERR_FAILED, ENOMEM, "%s", file);
    }
    lines->file = file;
    lines->stream = stream;
    lines->packed = starts_packed(stream);
    if (lines->packed &&
        lzma_stream_decoder(&lines->xz, XZ_MOST_ROOM, LZMA_CONCATENATED) != LZMA_OK) {
        lines_free(lines);
        return err_set(err, ERR_FAILED, "%s: liblzma cannot begin", file);
    }
    *out = lines;
    return 0;
}

/* Reads what the stream has. 0, or −1. */
static int read_raw(struct lines *lines, uint8_t *to, size_t *n, struct err *err)
{
    *n = fread(to, 1, CHUNK, lines->stream);
    lines->stream_ended = *n < CHUNK;
    if (ferror(lines->stream))
        return err_set_errno(err, ERR_INVALID, errno, "%s", lines->file);
    return 0;
}

static int unpack(struct lines *lines, struct err *err)
{
    lzma_ret rc = LZMA_OK;

    lines->xz.next_out = lines->text;
    lines->xz.avail_out = CHUNK;
    while (rc == LZMA_OK && lines->xz.avail_out > 0) {
        if (lines->xz.avail_in == 0 && !lines->stream_ended) {
            lines->xz.next_in = lines->raw;
            if (read_raw(lines, lines->raw, &lines->xz.avail_in, err))
                return -1;
        }
        rc = lzma_code(&lines->xz, lines->stream_ended ? LZMA_FINISH : LZMA_RUN);
    }
    lines->text_length = CHUNK - lines->xz.avail_out;
    if (rc == LZMA_STREAM_END)
        lines->ended = true;
    else if (rc == LZMA_BUF_ERROR)
        return fail(lines, err, "the .xz ends too early: it was cut off");
    else if (rc != LZMA_OK)
        return fail(lines, err, "the .xz is damaged from here on");
    return 0;
}

/* Makes sure that there is text, if any is left. */
static int fill(struct lines *lines, struct err *err)
{
    if (lines->text_used < lines->text_length || lines->ended)
        return 0;
    lines->text_used = lines->text_length = 0;
    if (lines->packed)
        return unpack(lines, err);
    if (read_raw(lines, lines->text, &lines->text_length, err))
        return -1;
    lines->ended = lines->stream_ended;
    return 0;
}

int lines_next(struct lines *lines, char **out, struct err *err)
{
    size_t length = 0;
    bool is_whole = false;

    lines->number++;
    *out = lines->line;
    while (!is_whole) {
        const uint8_t *from, *end;
        size_t n;

        if (fill(lines, err))
            return -1;
        n = lines->text_length - lines->text_used;
        if (n == 0)
            break;
        from = lines->text + lines->text_used;
        end = memchr(from, '\n', n);
        is_whole = end != NULL;
        n = end ? (size_t)(end - from) : n;
        if (length + n >= LINE_ROOM - 1)
            return fail(lines, err, "the line is longer than 510 bytes");
        memcpy(lines->line + length, from, n);
        length += n;
        lines->text_used += n + is_whole;
    }
    if (memchr(lines->line, '\0', length))
        return fail(lines, err, "a NUL byte");
    if (length > 0 && lines->line[length - 1] == '\r')
        length--;
    lines->line[length] = '\0';
    return length > 0 || is_whole;
}

int64_t lines_number(const struct lines *lines)
{
    return lines->number;
}

struct lines *lines_free(struct lines *lines)
{
    if (lines) {
        lzma_end(&lines->xz);
        fclose(lines->stream);
        free(lines);
    }
    return NULL;
}
