/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/progress.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH 40

struct progress progress_begin(int n_parts)
{
    return (struct progress){.n_parts = n_parts, .is_shown = isatty(STDERR_FILENO)};
}

void progress_show(void *context, double done)
{
    const struct progress *progress = context;
    double all = (progress->part + done) / progress->n_parts;
    int filled = (int)(all * BAR_WIDTH);

    if (progress->is_shown)
        fprintf(stderr, "\r[%.*s%*s] %3d%%", filled, "########################################",
                BAR_WIDTH - filled, "", (int)(all * 100));
}

void progress_end(const struct progress *progress)
{
    if (progress->is_shown)
        fprintf(stderr, "\r%*s\r", BAR_WIDTH + 8, "");
}
