/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server sends: the same messages come out however it was cut into portions, and what is
 * shown of them does nothing to a terminal. */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

const char fuzz_name[] = "client";

static const char hello[] =
    "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"protocol\":1,\"server\":\"x\"}}\n";

static void check_harmless(const char *text)
{
    for (; *text; text++)
        invariant(((unsigned char)*text >= ' ' || *text == '\n') && *text != 0x7f);
}

/* Shows it in all the ways there are. */
static void show(const char *json)
{
    static void (*const ways[])(FILE *, const char *) = {text_put, text_put_csv, text_put_json};
    char *shown;
    size_t length;

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        FILE *to = open_memstream(&shown, &length);

        invariant(to);
        ways[i](to, json);
        fclose(to);
        check_harmless(shown);
        invariant(text_is_utf8(shown));
        free(shown);
    }
}

static void look(const struct xenmemctl_message *message)
{
    char *text = xenmemctl_print(xenmemctl_message_value(message), XENMEMCTL_ONE_LINE);

    invariant(text && !strchr(text, '\n'));
    show(text);
    free(text);
    if (xenmemctl_message_kind(message) == XENMEMCTL_REFUSAL)
        show(xenmemctl_message_error(message)->text);
}

/* Feeds data in portions of that size. Returns how many messages came out before it failed or
 * ended. */
static size_t count_messages(const uint8_t *data, size_t size, size_t portion, bool greeted)
{
    struct xenmemctl *connection = xenmemctl_new();
    struct xenmemctl_message *message;
    struct xenmemctl_error error;
    size_t count = 0;
    int rc = 0;

    if (greeted)
        invariant(xenmemctl_feed(connection, hello, strlen(hello), &error) == 0);
    for (size_t at = 0; at < size && rc == 0; at += portion) {
        size_t length = size - at < portion ? size - at : portion;

        rc = xenmemctl_feed(connection, data + at, length, &error);
        while (rc == 0 && (rc = xenmemctl_next(connection, &message, &error)) == 1) {
            look(message);
            xenmemctl_message_free(message);
            count++;
            rc = 0;
        }
    }
    if (rc < 0)
        show(error.text);
    xenmemctl_end(connection);
    invariant(xenmemctl_next(connection, &message, &error) == -1);
    xenmemctl_free(connection);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool greeted;
    size_t portion;

    if (size < 2 || size > 32768)
        return 0;
    greeted = data[0] & 1;
    portion = 1u + (data[0] >> 1);
    data++, size--;
    invariant(count_messages(data, size, size, greeted) ==
              count_messages(data, size, portion, greeted));
    return 0;
}
