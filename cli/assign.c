/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/assign.h"

#include <stdbool.h>
#include <string.h>

#include "cli/cli.h"
#include "libctl/xenmemctl.h"

#define KEY_ROOM 64

/* Copies what is left of '=' into key. False where there is no '=', or nothing before it. */
static bool read_key(const char *word, char *key, size_t room)
{
    size_t length = strcspn(word, "=");

    if (length == 0 || length >= room || word[length] != '=')
        return false;
    memcpy(key, word, length);
    key[length] = '\0';
    return true;
}

int assign_check(struct cli *cli, const char *const *words, size_t n_words)
{
    char key[KEY_ROOM], other[KEY_ROOM];

    for (size_t i = 0; i < n_words; i++) {
        if (!read_key(words[i], key, sizeof(key)))
            return cli_complain(cli, EXIT_USAGE, "'%s' is not KEY=VALUE, such as minimum=512m",
                                words[i]);
        for (size_t j = 0; j < i; j++)
            if (read_key(words[j], other, sizeof(other)) && strcmp(key, other) == 0)
                return cli_complain(cli, EXIT_USAGE, "%s is given twice", key);
    }
    return EXIT_DONE;
}

void assign_put(struct xenmemctl_request *request, const char *const *words, size_t n_words)
{
    char key[KEY_ROOM];

    xenmemctl_request_object_begin(request, "settings");
    for (size_t i = 0; i < n_words; i++)
        if (read_key(words[i], key, sizeof(key)))
            xenmemctl_request_text(request, key, strchr(words[i], '=') + 1);
    xenmemctl_request_object_end(request);
}
