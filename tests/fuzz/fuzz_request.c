/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client sends: whatever the bytes and the portions that they come in, each line gets an
 * answer that a client understands. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "proto/proto.h"

#define LIMIT ((size_t)4096)

const char fuzz_name[] = "request";

static const struct proto_param params[] = {
    {"name", PROTO_TEXT, true},      {"settings", PROTO_TEXTS, false},
    {"limit", PROTO_INTEGER, false}, {"force", PROTO_BOOLEAN, false},
    {NULL, PROTO_TEXT, false},
};

static int put_pair(void *arg, const char *key, const char *value)
{
    proto_put_text(arg, key, value);
    return 0;
}

static void write_result(struct proto_writer *writer, const struct proto_request *request)
{
    proto_reply_begin(writer, proto_request_id(request));
    proto_object_begin(writer, NULL);
    proto_put_text(writer, "name", proto_request_text(request, "name", NULL));
    proto_put_integer(writer, "limit", proto_request_integer(request, "limit", -1));
    proto_put_boolean(writer, "force", proto_request_boolean(request, "force", false));
    proto_object_begin(writer, "settings");
    (void)proto_request_each(request, "settings", put_pair, writer);
    proto_object_end(writer);
    proto_object_end(writer);
    proto_reply_end(writer);
}

/* The answer is one line, and of the kind that was meant. */
static void check_answer(struct proto_writer *writer, enum proto_message_kind kind,
                         const struct err *sent)
{
    struct proto_message message;
    struct err failure, err;
    const char *bytes;
    size_t length;

    bytes = proto_writer_bytes(writer, &length);
    invariant(length > 0 && memchr(bytes, '\n', length) == bytes + length - 1);
    invariant(proto_message_decode(bytes, length - 1, &message, &failure, &err) == 0);
    invariant(message.kind == kind);
    invariant(kind != PROTO_ERROR || failure.code == sent->code);
    proto_message_fini(&message);
    proto_writer_clear(writer);
}

static void serve(struct proto_writer *writer, const char *line, size_t length)
{
    struct proto_request *request;
    char id_text[PROTO_ID_MAX];
    struct err err;

    if (proto_request_decode(line, length, &request, id_text, &err)) {
        invariant(err.code == ERR_INVALID && id_text[0] != '\0');
        proto_write_error(writer, id_text, &err);
        check_answer(writer, PROTO_ERROR, &err);
        return;
    }
    if (proto_request_id(request)[0] == '\0') {
        (void)proto_request_check(request, params, &err);
    } else if (proto_request_check(request, params, &err)) {
        proto_write_error(writer, proto_request_id(request), &err);
        check_answer(writer, PROTO_ERROR, &err);
    } else {
        write_result(writer, request);
        check_answer(writer, PROTO_RESULT, NULL);
        proto_write_unknown_method(writer, id_text, proto_request_method(request));
        check_answer(writer, PROTO_ERROR, &(struct err){.code = ERR_INVALID});
    }
    proto_request_free(request);
}

/* The first byte says in which portions the others come. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proto_writer *writer = proto_writer_new();
    struct proto_lines lines;
    size_t portion = size > 0 ? (size_t)data[0] + 1 : 1;

    proto_lines_init(&lines, LIMIT);
    for (size_t at = 1; at < size; at += portion) {
        const char *line;
        size_t length;

        if (proto_lines_feed(&lines, data + at, size - at < portion ? size - at : portion, NULL))
            break;
        while ((line = proto_lines_next(&lines, &length))) {
            invariant(length <= LIMIT);
            serve(writer, line, length);
        }
    }
    proto_lines_fini(&lines);
    proto_writer_free(writer);
    return 0;
}
