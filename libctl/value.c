/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking around in what came: messages and the values in them. */
#include <stdlib.h>
#include <string.h>

#include "libctl/internal.h"

enum xenmemctl_kind xenmemctl_message_kind(const struct xenmemctl_message *message)
{
    return message->kind;
}

int64_t xenmemctl_message_id(const struct xenmemctl_message *message)
{
    return message->proto.id;
}

const char *xenmemctl_message_method(const struct xenmemctl_message *message)
{
    return message->proto.method;
}

/* A value is proto's under the library's own name. */
static const struct proto_value *inner(const struct xenmemctl_value *value)
{
    return (const struct proto_value *)value;
}

static const struct xenmemctl_value *outer(const struct proto_value *value)
{
    return (const struct xenmemctl_value *)value;
}

const struct xenmemctl_value *xenmemctl_message_value(const struct xenmemctl_message *message)
{
    return outer(message->proto.value);
}

const struct xenmemctl_error *xenmemctl_message_error(const struct xenmemctl_message *message)
{
    return message->kind == XENMEMCTL_REFUSAL ? &message->error : NULL;
}

void xenmemctl_message_free(struct xenmemctl_message *message)
{
    if (!message)
        return;
    proto_message_fini(&message->proto);
    free(message);
}

const struct xenmemctl_value *xenmemctl_member(const struct xenmemctl_value *object,
                                               const char *name)
{
    return outer(proto_value_member(inner(object), name));
}

size_t xenmemctl_count(const struct xenmemctl_value *array)
{
    return proto_value_count(inner(array));
}

const struct xenmemctl_value *xenmemctl_at(const struct xenmemctl_value *array, size_t index)
{
    return outer(proto_value_at(inner(array), index));
}

const char *xenmemctl_text(const struct xenmemctl_value *value)
{
    return proto_value_text(inner(value));
}

bool xenmemctl_integer(const struct xenmemctl_value *value, int64_t *out)
{
    return proto_value_integer(inner(value), out);
}

bool xenmemctl_boolean(const struct xenmemctl_value *value, bool *out)
{
    return proto_value_boolean(inner(value), out);
}

/* Line breaks are between values only: inside a text they are escaped. */
static void join_lines(char *text)
{
    char *to = text;

    for (const char *from = text; *from;) {
        if (*from != '\n') {
            *to++ = *from++;
            continue;
        }
        if (from > text && from[-1] == ',')
            *to++ = ' ';
        from += 1 + strspn(from + 1, " ");
    }
    *to = '\0';
}

char *xenmemctl_print(const struct xenmemctl_value *value, enum xenmemctl_layout layout)
{
    char *text = value ? proto_value_print(inner(value)) : strdup("null");

    if (text && layout == XENMEMCTL_ONE_LINE)
        join_lines(text);
    return text;
}
