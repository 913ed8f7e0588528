/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/err.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[ERR_CODE_COUNT] = {
    [ERR_NONE] = "none",           [ERR_FAILED] = "failed",
    [ERR_INVALID] = "invalid",     [ERR_NO_MEMORY] = "no-memory",
    [ERR_NOT_FOUND] = "not-found", [ERR_UNREACHABLE] = "unreachable",
    [ERR_DENIED] = "denied",       [ERR_TIMEOUT] = "timeout",
    [ERR_BUSY] = "busy",           [ERR_UNSUPPORTED] = "unsupported",
};

/* Names of VMs and files come from outside; they must not break the line. */
static void keep_one_line(char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            *text = '?';
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;

    if (!err)
        return -1;
    err->code = code;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    keep_one_line(err->text);
    return -1;
}

int err_set_errno(struct err *err, enum err_code code, int errno_value, const char *format, ...)
{
    va_list args;
    char what[ERR_TEXT_MAX];

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return err_set(err, code, "%s: %s", what, strerror(errno_value));
}

int err_wrap(struct err *err, const char *format, ...)
{
    va_list args;
    struct err inner;
    char context[ERR_TEXT_MAX];

    if (!err)
        return -1;
    va_start(args, format);
    vsnprintf(context, sizeof(context), format, args);
    va_end(args);
    inner = *err;
    return err_set(err, inner.code, "%.200s: %.270s", context, inner.text);
}

int err_advise(struct err *err, const char *format, ...)
{
    va_list args;
    struct err inner;
    char advice[ERR_TEXT_MAX];

    if (!err)
        return -1;
    va_start(args, format);
    vsnprintf(advice, sizeof(advice), format, args);
    va_end(args);
    inner = *err;
    return err_set(err, inner.code, "%.310s; %.160s", inner.text, advice);
}

const char *err_code_name(enum err_code code)
{
    return code < ERR_CODE_COUNT ? names[code] : names[ERR_FAILED];
}

enum err_code err_code_by_name(const char *name)
{
    for (int code = 0; code < ERR_CODE_COUNT; code++)
        if (strcmp(names[code], name) == 0)
            return (enum err_code)code;
    return ERR_FAILED;
}
