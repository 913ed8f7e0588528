/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds a fuzz target the files of its corpus: what was once found stays mended. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX (1 << 20)

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MAX);
    uint8_t *exact;
    size_t size;

    if (!file || !data) {
        perror(path);
        return false;
    }
    size = fread(data, 1, INPUT_MAX, file);
    fclose(file);
    /* Of exactly that size, so that a sanitizer sees a read behind the end. */
    exact = realloc(data, size > 0 ? size : 1);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return true;
}

int main(void)
{
    const char *source = getenv("XENMEM_SRC");
    char path[PATH_MAX];
    struct dirent *entry;
    size_t length, files = 0;
    DIR *folder;

    length = (size_t)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", source ? source : ".",
                              fuzz_name);
    folder = length < sizeof(path) ? opendir(path) : NULL;
    if (!folder) {
        fprintf(stderr, "%s: cannot be read; is XENMEM_SRC the top of the source tree?\n", path);
        return 1;
    }
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path + length, sizeof(path) - length, "/%s", entry->d_name);
        if (!replay_file(path))
            return 1;
        files++;
    }
    closedir(folder);
    printf("%s: %zu files of the corpus replayed\n", fuzz_name, files);
    return files > 0 ? 0 : 1;
}
