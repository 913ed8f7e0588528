/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A replay as one page of HTML that needs nothing but itself: its figures and plots in SVG. */
#ifndef SIM_REPLAY_PAGE_H
#define SIM_REPLAY_PAGE_H

#include "sim/replay.h"

struct replay_page {
    const char *file;              /* where it goes */
    const char *title;             /* what was replayed; any text */
    const char *about;             /* one sentence about the world in which */
    const struct samples *samples; /* for the names of VMs */
    const struct replay_result *results;
    int n_results; /* one or more, of the same VMs */
};

/* Writes the page beside its file, then puts it in its place. 0, or −1 and the file as it was. */
int replay_write_page(const struct replay_page *page, struct err *err);

#endif
