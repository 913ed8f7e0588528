/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/csv.h"

#include <string.h>

int csv_split(char *line, char *parts[], int most)
{
    int n = 0;

    for (char *at = line; at; n++) {
        char *comma = strchr(at, ',');

        if (n == most)
            return 0;
        parts[n] = at;
        if (comma)
            *comma = '\0';
        at = comma ? comma + 1 : NULL;
    }
    return n;
}
