/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration file: what is told of it is clean, and what is refused has its place. */
#include "tests/fuzz/fuzz.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "conf/conf.h"

const char fuzz_name[] = "conf";

struct heard {
    int line; /* of the last call */
    bool in_section;
};

static void check_text(const char *text, size_t limit)
{
    invariant(strlen(text) <= limit);
    for (; *text; text++)
        invariant(!iscntrl((unsigned char)*text) || *text == '\t');
}

static int hear(void *arg, const char *section, const char *key, const char *value, int line,
                struct err *err)
{
    struct heard *heard = arg;

    invariant(line > heard->line);
    heard->line = line;
    check_text(section, CONF_SECTION_MAX);
    invariant(!key == !value);
    if (!key) {
        invariant(*section != '\0');
        heard->in_section = true;
        return 0;
    }
    invariant(*key != '\0' && (*section != '\0') == heard->in_section);
    check_text(key, CONF_LINE_MAX);
    check_text(value, CONF_LINE_MAX);
    return strcmp(key, "refuse") == 0 ? err_set(err, ERR_NOT_FOUND, "refused") : 0;
}

/* "PATH:LINE: …" of a line that was not told before. */
static void check_refusal(const struct err *err, const char *path, const struct heard *heard)
{
    size_t length = strlen(path);

    invariant(err->code == ERR_INVALID || err->code == ERR_NOT_FOUND);
    invariant(strncmp(err->text, path, length) == 0 && err->text[length] == ':');
    invariant(atoi(err->text + length + 1) >= heard->line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    struct heard heard = {0};
    struct err err = {0};
    char path[64];

    if (file < 0)
        file = memfd_create("conf", MFD_CLOEXEC);
    invariant(file >= 0 && ftruncate(file, 0) == 0);
    invariant(pwrite(file, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    if (conf_read(path, hear, &heard, &err))
        check_refusal(&err, path, &heard);
    return 0;
}
