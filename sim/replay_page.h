/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A replay as one page of HTML that needs nothing but itself: its figures and plots in SVG. */
#ifndef SIM_REPLAY_PAGE_H
#define SIM_REPLAY_PAGE_H

#include "sim/replay.h"

/* Writes the page beside file, then puts it in its place. 0, or −1 and the file as it was. */
int replay_write_page(const char *file, const struct samples *samples,
                      const struct replay_options *options, const struct replay_result results[],
                      int n, struct err *err);

#endif
