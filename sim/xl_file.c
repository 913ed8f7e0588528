/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/xl_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* Cuts a line into key and value, without blanks and quotes; false where it is none of these. */
static bool cut_line(char *line, char **key, char **value)
{
    char *equals = strchr(line, '=');

    if (!equals)
        return false;
    *equals = '\0';
    *key = line + strspn(line, " \t");
    (*key)[strcspn(*key, " \t")] = '\0';
    *value = equals + 1 + strspn(equals + 1, " \t\"'");
    (*value)[strcspn(*value, "\"'#\r\n")] = '\0';
    for (size_t end = strlen(*value); end > 0 && (*value)[end - 1] == ' '; end--)
        (*value)[end - 1] = '\0';
    return true;
}

static void take_line(const char *key, const char *value, char name[XL_FILE_TEXT],
                      struct xl_file *out)
{
    bool is_size = strcmp(key, "memory") == 0 || strcmp(key, "maxmem") == 0;

    if (strcmp(key, "name") == 0)
        snprintf(name, XL_FILE_TEXT, "%s", value);
    else if ((is_size || strcmp(key, "type") == 0 || strcmp(key, "vcpus") == 0) &&
             out->n_words < XL_FILE_WORDS)
        snprintf(out->words[out->n_words++], XL_FILE_TEXT, "%s=%.100s%s", key, value,
                 is_size ? "m" : "");
}

int xl_file_read(const char *path, struct xl_file *out, struct err *err)
{
    FILE *file = fopen(path, "re");
    char line[1024], *key, *value;

    *out = (struct xl_file){.n_words = 1};
    if (!file)
        return err_set_errno(err, ERR_INVALID, errno, "%s", path);
    while (fgets(line, sizeof(line), file))
        if (cut_line(line, &key, &value))
            take_line(key, value, out->words[0], out);
    fclose(file);
    if (out->words[0][0] == '\0')
        return err_set(err, ERR_INVALID, "%s: there is no name in it", path);
    return 0;
}
