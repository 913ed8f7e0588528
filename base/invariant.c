/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/invariant.h"

#include <stdio.h>
#include <stdlib.h>

void invariant_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "invariant failed: %s (%s:%d)\n", what, file, line);
    abort();
}
