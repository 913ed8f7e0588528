/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builds lines of JSON straight into one buffer: nothing is allocated per value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "proto/proto.h"

#define ROOM_FIRST 1024

/* JSON-RPC's own codes; the name in data is what clients go by. */
#define CODE_UNKNOWN_METHOD (-32601)
#define CODE_FAILED         (-32000)

struct proto_writer {
    char *bytes;
    size_t length, room;
    bool need_comma; /* a value stands before the place where we are */
};

struct proto_writer *proto_writer_new(void)
{
    struct proto_writer *writer = calloc(1, sizeof(*writer));

    invariant(writer);
    return writer;
}

void proto_writer_free(struct proto_writer *writer)
{
    if (!writer)
        return;
    free(writer->bytes);
    free(writer);
}

const char *proto_writer_bytes(const struct proto_writer *writer, size_t *length)
{
    *length = writer->length;
    return writer->bytes;
}

void proto_writer_clear(struct proto_writer *writer)
{
    writer->length = 0;
    writer->need_comma = false;
}

static void add_bytes(struct proto_writer *writer, const char *bytes, size_t length)
{
    size_t room = writer->room > 0 ? writer->room : ROOM_FIRST;

    while (room - writer->length < length)
        room *= 2;
    if (room != writer->room) {
        writer->bytes = realloc(writer->bytes, room);
        invariant(writer->bytes);
        writer->room = room;
    }
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
}

static void add_raw(struct proto_writer *writer, const char *text)
{
    add_bytes(writer, text, strlen(text));
}

/* Length of the UTF-8 character at text, which is not ASCII; 0 where it is none (RFC 3629: no
 * overlong forms, no surrogates). */
static size_t utf8_length(const unsigned char *text)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t length;

    if (text[0] >= 0xc2 && text[0] <= 0xdf)
        length = 2;
    else if (text[0] >= 0xe0 && text[0] <= 0xef)
        length = 3;
    else if (text[0] >= 0xf0 && text[0] <= 0xf4)
        length = 4;
    else
        return 0;
    if (text[0] == 0xe0)
        low = 0xa0;
    else if (text[0] == 0xed)
        high = 0x9f;
    else if (text[0] == 0xf0)
        low = 0x90;
    else if (text[0] == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < length; i++) {
        if (text[i] < low || text[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return length;
}

/* Writes the one character at `at`: escaped, as it is, or '?'. Returns how many bytes it takes. */
static size_t add_odd(struct proto_writer *writer, const unsigned char *at)
{
    char escaped[8];
    size_t length;

    if (*at < 0x20 || *at == '"' || *at == '\\') {
        snprintf(escaped, sizeof(escaped), *at < 0x20 ? "\\u%04x" : "\\%c", *at);
        add_raw(writer, escaped);
        return 1;
    }
    length = utf8_length(at);
    if (length > 0) {
        add_bytes(writer, (const char *)at, length);
        return length;
    }
    add_raw(writer, "?");
    return 1;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void add_text(struct proto_writer *writer, const char *text)
{
    const unsigned char *at = (const unsigned char *)text, *from;

    add_raw(writer, "\"");
    while (*at) {
        for (from = at; is_plain(*at);)
            at++;
        if (at > from)
            add_bytes(writer, (const char *)from, (size_t)(at - from));
        if (*at)
            at += add_odd(writer, at);
    }
    add_raw(writer, "\"");
}

static void begin_value(struct proto_writer *writer, const char *key)
{
    if (writer->need_comma)
        add_raw(writer, ",");
    if (key) {
        add_text(writer, key);
        add_raw(writer, ":");
    }
    writer->need_comma = true;
}

void proto_object_begin(struct proto_writer *writer, const char *key)
{
    begin_value(writer, key);
    add_raw(writer, "{");
    writer->need_comma = false;
}

void proto_object_end(struct proto_writer *writer)
{
    add_raw(writer, "}");
    writer->need_comma = true;
}

void proto_array_begin(struct proto_writer *writer, const char *key)
{
    begin_value(writer, key);
    add_raw(writer, "[");
    writer->need_comma = false;
}

void proto_array_end(struct proto_writer *writer)
{
    add_raw(writer, "]");
    writer->need_comma = true;
}

void proto_put_null(struct proto_writer *writer, const char *key)
{
    begin_value(writer, key);
    add_raw(writer, "null");
}

void proto_put_text(struct proto_writer *writer, const char *key, const char *text)
{
    if (!text) {
        proto_put_null(writer, key);
        return;
    }
    begin_value(writer, key);
    add_text(writer, text);
}

void proto_put_integer(struct proto_writer *writer, const char *key, int64_t value)
{
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char digits[24];
    size_t at = sizeof(digits);

    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        digits[--at] = '-';
    begin_value(writer, key);
    add_bytes(writer, digits + at, sizeof(digits) - at);
}

void proto_put_boolean(struct proto_writer *writer, const char *key, bool value)
{
    begin_value(writer, key);
    add_raw(writer, value ? "true" : "false");
}

static void line_begin(struct proto_writer *writer)
{
    writer->need_comma = false;
    proto_object_begin(writer, NULL);
    proto_put_text(writer, "jsonrpc", "2.0");
}

static void line_end(struct proto_writer *writer)
{
    proto_object_end(writer);
    add_raw(writer, "\n");
    writer->need_comma = false;
}

static void put_id(struct proto_writer *writer, const char *id_text)
{
    begin_value(writer, "id");
    add_raw(writer, id_text);
}

/* The next value is that of key. */
static void expect_value(struct proto_writer *writer, const char *key)
{
    begin_value(writer, key);
    writer->need_comma = false;
}

void proto_write_hello(struct proto_writer *writer, const char *server, bool simulated,
                       const char *const *features)
{
    proto_notification_begin(writer, "hello");
    proto_object_begin(writer, NULL);
    proto_put_integer(writer, "protocol", PROTO_VERSION);
    proto_put_text(writer, "server", server);
    proto_put_boolean(writer, "simulated", simulated);
    proto_array_begin(writer, "features");
    for (; *features; features++)
        proto_put_text(writer, NULL, *features);
    proto_array_end(writer);
    proto_object_end(writer);
    proto_notification_end(writer);
}

/* Up to the end of what its data must have. */
static void begin_failure(struct proto_writer *writer, const char *id_text, int code,
                          const char *name, const char *message)
{
    line_begin(writer);
    put_id(writer, id_text);
    proto_object_begin(writer, "error");
    proto_put_integer(writer, "code", code);
    proto_put_text(writer, "message", message);
    proto_object_begin(writer, "data");
    proto_put_text(writer, "name", name);
}

void proto_error_begin(struct proto_writer *writer, const char *id_text, const struct err *err)
{
    begin_failure(writer, id_text, CODE_FAILED - (int)err->code, err_code_name(err->code),
                  err->text);
}

void proto_error_end(struct proto_writer *writer)
{
    proto_object_end(writer);
    proto_object_end(writer);
    line_end(writer);
}

void proto_write_error(struct proto_writer *writer, const char *id_text, const struct err *err)
{
    proto_error_begin(writer, id_text, err);
    proto_error_end(writer);
}

void proto_write_unknown_method(struct proto_writer *writer, const char *id_text,
                                const char *method)
{
    char message[160];

    snprintf(message, sizeof(message), "no such method as %.100s", method);
    begin_failure(writer, id_text, CODE_UNKNOWN_METHOD, err_code_name(ERR_INVALID), message);
    proto_error_end(writer);
}

void proto_reply_begin(struct proto_writer *writer, const char *id_text)
{
    line_begin(writer);
    put_id(writer, id_text);
    expect_value(writer, "result");
}

void proto_reply_end(struct proto_writer *writer)
{
    line_end(writer);
}

void proto_notification_begin(struct proto_writer *writer, const char *method)
{
    line_begin(writer);
    proto_put_text(writer, "method", method);
    expect_value(writer, "params");
}

void proto_notification_end(struct proto_writer *writer)
{
    line_end(writer);
}

void proto_request_begin(struct proto_writer *writer, int64_t id, const char *method)
{
    line_begin(writer);
    proto_put_integer(writer, "id", id);
    proto_put_text(writer, "method", method);
    expect_value(writer, "params");
}

void proto_request_end(struct proto_writer *writer)
{
    line_end(writer);
}
