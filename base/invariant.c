/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/invariant.h"

#include <stdio.h>
#include <stdlib.h>

void invariant_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "invariant failed: %s (%s:%d)\n", what, file, line);
    abort();
}
