/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server sends, as a client reads it; and any text, as either end writes it. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "proto/proto.h"

const char fuzz_name[] = "message";

/* Looks at everything that can be looked at. */
static void walk(const struct proto_value *value, int depth)
{
    static const char *const names[] = {"name", "id", "vm", "protocol", "features", ""};
    bool truth;
    int64_t number;

    invariant(depth <= PROTO_DEPTH_MAX);
    (void)proto_value_text(value);
    (void)proto_value_integer(value, &number);
    (void)proto_value_boolean(value, &truth);
    for (size_t i = 0; i < proto_value_count(value); i++)
        walk(proto_value_at(value, i), depth + 1);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (proto_value_member(value, names[i]))
            walk(proto_value_member(value, names[i]), depth + 1);
}

static void read_message(const uint8_t *data, size_t size)
{
    struct proto_message message;
    struct err failure = {0}, err;
    char *text;

    if (proto_message_decode((const char *)data, size, &message, &failure, &err)) {
        invariant(err.code == ERR_INVALID);
        return;
    }
    invariant(message.kind != PROTO_ERROR || failure.code != ERR_NONE);
    invariant(message.kind != PROTO_RESULT || message.value);
    if (message.value) {
        walk(message.value, 0);
        text = proto_value_print(message.value);
        invariant(text);
        free(text);
    }
    proto_message_fini(&message);
}

/* A text comes out as it went in, but for what was no UTF-8. */
static void write_text(const uint8_t *data, size_t size)
{
    struct proto_writer *writer = proto_writer_new();
    struct proto_message message;
    struct err failure, err;
    char *text = calloc(1, size + 1);
    const char *bytes, *read;
    size_t length;

    invariant(text);
    if (size > 0)
        memcpy(text, data, size);
    proto_notification_begin(writer, "text");
    proto_put_text(writer, NULL, text);
    proto_notification_end(writer);
    bytes = proto_writer_bytes(writer, &length);
    invariant(memchr(bytes, '\n', length) == bytes + length - 1);
    invariant(proto_message_decode(bytes, length - 1, &message, &failure, &err) == 0);
    read = proto_value_text(message.value);
    invariant(read && strlen(read) == strlen(text));
    for (size_t i = 0; read[i]; i++)
        invariant(read[i] == text[i] || (read[i] == '?' && (uint8_t)text[i] >= 0x80));
    proto_message_fini(&message);
    proto_writer_free(writer);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_message(data, size);
    write_text(data, size);
    return 0;
}
