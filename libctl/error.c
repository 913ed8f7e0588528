/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "libctl/internal.h"

/* The library's numbers are fixed for ever; the program's own may be reordered. */
static const enum xenmemctl_code codes[ERR_CODE_COUNT] = {
    [ERR_NONE] = XENMEMCTL_FAILED,         [ERR_FAILED] = XENMEMCTL_FAILED,
    [ERR_INVALID] = XENMEMCTL_INVALID,     [ERR_NO_MEMORY] = XENMEMCTL_NO_MEMORY,
    [ERR_NOT_FOUND] = XENMEMCTL_NOT_FOUND, [ERR_UNREACHABLE] = XENMEMCTL_UNREACHABLE,
    [ERR_DENIED] = XENMEMCTL_DENIED,       [ERR_TIMEOUT] = XENMEMCTL_TIMEOUT,
    [ERR_BUSY] = XENMEMCTL_BUSY,           [ERR_UNSUPPORTED] = XENMEMCTL_UNSUPPORTED,
};

__attribute__((format(printf, 3, 0))) static void
set_text(struct xenmemctl_error *error, enum xenmemctl_code code, const char *format, va_list args)
{
    struct err clean;
    char text[ERR_TEXT_MAX];

    vsnprintf(text, sizeof(text), format, args);
    err_set(&clean, ERR_FAILED, "%s", text);
    error->code = code;
    snprintf(error->text, sizeof(error->text), "%s", clean.text);
}

int error_set(struct xenmemctl_error *error, enum xenmemctl_code code, const char *format, ...)
{
    va_list args;

    if (!error)
        return -1;
    va_start(args, format);
    set_text(error, code, format, args);
    va_end(args);
    return -1;
}

int error_from(struct xenmemctl_error *error, const struct err *err)
{
    return error_set(error, codes[err->code], "%s", err->text);
}

int error_wrap(struct xenmemctl_error *error, const char *context)
{
    struct xenmemctl_error inner;

    if (!error)
        return -1;
    inner = *error;
    return error_set(error, inner.code, "%.200s: %.270s", context, inner.text);
}

int connection_fail(struct xenmemctl *connection, struct xenmemctl_error *error,
                    enum xenmemctl_code code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set_text(&connection->error, code, format, args);
    va_end(args);
    if (error)
        *error = connection->error;
    return -1;
}

void *memory_more(void *bytes, size_t size)
{
    void *more = realloc(bytes, size);

    invariant(more);
    return more;
}
