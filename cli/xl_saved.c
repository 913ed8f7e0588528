/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that xl saved: its configuration comes before its memory, as JSON that libxl wrote. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/xl_config.h"

#define HEAD_WORDS  4         /* byte order, two kinds of flags, length of what follows */
#define CONFIG_MOST (1 << 20) /* a configuration is some KiB */

/* The text behind "KEY": up to the end of its line; NULL where it is not there. */
static const char *find_value(const char *text, const char *key)
{
    char quoted[40];
    const char *found;

    snprintf(quoted, sizeof(quoted), "\"%s\":", key);
    found = strstr(text, quoted);
    return found ? found + strlen(quoted) + strspn(found + strlen(quoted), " ") : NULL;
}

static int64_t find_number(const char *text, const char *key, int64_t otherwise)
{
    const char *value = find_value(text, key);
    char *end;
    long long number;

    if (!value)
        return otherwise;
    number = strtoll(value, &end, 10);
    return end != value && number >= 0 && number <= KIB_LIMIT ? number : otherwise;
}

static void find_text(const char *text, const char *key, char *out, size_t room)
{
    const char *value = find_value(text, key);
    const char *end = value && *value == '"' ? strchr(value + 1, '"') : NULL;

    out[0] = '\0';
    if (end && (size_t)(end - value) <= room)
        snprintf(out, room, "%.*s", (int)(end - value - 1), value + 1);
}

static int64_t mib_up(int64_t amount)
{
    return (amount + 1023) / 1024;
}

static int take(const char *text, const char *path, struct xl_config *out, struct err *err)
{
    find_text(text, "name", out->name, sizeof(out->name));
    find_text(text, "type", out->type, sizeof(out->type));
    if (out->type[0] == '\0')
        strcpy(out->type, "hvm"); /* the one that takes most */
    out->memory_mib = mib_up(find_number(text, "target_memkb", 0));
    out->maxmem_mib = mib_up(find_number(text, "max_memkb", out->memory_mib * 1024));
    out->vcpus = find_number(text, "max_vcpus", 1);
    out->videoram_mib = mib_up(find_number(text, "video_memkb", 0));
    out->shadow_mib = mib_up(find_number(text, "shadow_memkb", -1024));
    out->is_saved = true;
    if (out->name[0] == '\0' || out->memory_mib == 0 || out->maxmem_mib < out->memory_mib)
        return err_set(err, ERR_INVALID,
                       "%s: a saved guest whose configuration is not understood here: use "
                       "`xenmemctl reserve` and `xl restore`",
                       path);
    return 0;
}

int xl_saved_read(FILE *file, const char *path, struct xl_config *out, struct err *err)
{
    uint32_t head[HEAD_WORDS];
    size_t length;
    char *text;
    int rc;

    if (fread(head, sizeof(head), 1, file) != 1 || head[3] == 0 || head[3] > CONFIG_MOST)
        return err_set(err, ERR_INVALID, "%s: begins like a saved guest, and is none", path);
    text = calloc(1, (size_t)head[3] + 1);
    if (!text)
        return err_set(err, ERR_FAILED, "no memory for the configuration in %s", path);
    length = fread(text, 1, head[3], file);
    /* Its own length comes first; no text is found across a NUL. */
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    rc = take(text, path, out, err);
    free(text);
    return rc;
}
