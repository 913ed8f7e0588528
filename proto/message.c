/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages from the server, read tolerantly, and what is in them. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "proto/internal.h"
#include "proto/proto.h"

/* struct proto_value is json_t under another name, so that nobody outside sees jansson. */
static const json_t *json_of(const struct proto_value *value)
{
    return (const json_t *)value;
}

static const struct proto_value *value_of(const json_t *json)
{
    return (const struct proto_value *)json;
}

static void read_failure(const json_t *error, struct err *failure)
{
    const char *text = json_string_value(json_object_get(error, "message"));
    const char *name = json_string_value(json_object_get(json_object_get(error, "data"), "name"));
    enum err_code code = name ? err_code_by_name(name) : ERR_FAILED;

    err_set(failure, code == ERR_NONE ? ERR_FAILED : code, "%s",
            text ? text : "the server gave no reason");
}

int proto_message_decode(const char *line, size_t length, struct proto_message *out,
                         struct err *failure, struct err *err)
{
    json_t *root = proto_parse(line, length, err);
    const json_t *error, *result;

    if (!root)
        return -1;
    *out = (struct proto_message){.id = -1, .root = root};
    if (json_is_integer(json_object_get(root, "id")))
        out->id = json_integer_value(json_object_get(root, "id"));
    out->method = json_string_value(json_object_get(root, "method"));
    error = json_object_get(root, "error");
    result = json_object_get(root, "result");
    if (out->method) {
        out->kind = strcmp(out->method, "hello") == 0 ? PROTO_HELLO : PROTO_NOTIFICATION;
        out->value = value_of(json_object_get(root, "params"));
    } else if (error && !json_is_null(error)) {
        out->kind = PROTO_ERROR;
        read_failure(error, failure);
    } else if (result) {
        out->kind = PROTO_RESULT;
        out->value = value_of(result);
    } else {
        proto_message_fini(out);
        return err_set(err, ERR_INVALID,
                       "a message that is neither result, error nor notification");
    }
    return 0;
}

void proto_message_fini(struct proto_message *message)
{
    json_decref(message->root);
    *message = (struct proto_message){.id = -1};
}

const struct proto_value *proto_value_member(const struct proto_value *value, const char *key)
{
    return value_of(json_object_get(json_of(value), key));
}

size_t proto_value_count(const struct proto_value *array)
{
    return json_array_size(json_of(array));
}

const struct proto_value *proto_value_at(const struct proto_value *array, size_t index)
{
    return value_of(json_array_get(json_of(array), index));
}

bool proto_value_integer(const struct proto_value *value, int64_t *out)
{
    if (!json_is_integer(json_of(value)))
        return false;
    *out = json_integer_value(json_of(value));
    return true;
}

bool proto_value_boolean(const struct proto_value *value, bool *out)
{
    if (!json_is_boolean(json_of(value)))
        return false;
    *out = json_is_true(json_of(value));
    return true;
}

const char *proto_value_text(const struct proto_value *value)
{
    return json_string_value(json_of(value));
}

char *proto_value_print(const struct proto_value *value)
{
    return json_dumps(json_of(value), JSON_INDENT(2) | JSON_ENCODE_ANY);
}
