/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A progress bar on standard error, where that is a terminal. */
#ifndef SIM_PROGRESS_H
#define SIM_PROGRESS_H

#include <stdbool.h>

struct progress {
    int n_parts, part; /* how many there are; which it is */
    bool is_shown;
};

/* For n_parts one after the other, the first of which begins now. */
struct progress progress_begin(int n_parts);

/* A replay_progress: what is done of this part, of 1. context: a struct progress. */
void progress_show(void *context, double done);

/* Takes the bar away. */
void progress_end(const struct progress *progress);

#endif
