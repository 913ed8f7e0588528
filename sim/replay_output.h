/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of a replay, on standard output. */
#ifndef SIM_REPLAY_OUTPUT_H
#define SIM_REPLAY_OUTPUT_H

#include "sim/replay.h"

/* The figures that are derived from what was counted. */
double replay_unmet_part(const struct replay_result *result);
double replay_unmet_gib_h(const struct replay_result *result);
double replay_moved_gib_per_hour(const struct replay_result *result);
double replay_changes_per_vm_hour(const struct replay_result *result);

/* 0, or −1 where standard output cannot be written. */
int replay_print_table(const struct samples *samples, const struct replay_options *options,
                       const struct replay_result results[], int n, struct err *err);
int replay_print_json(const struct replay_options *options, const struct replay_result results[],
                      int n, struct err *err);

/* The figures as members of a JSON object, without its braces. */
void replay_print_figures(const struct replay_result *result);

/* What was printed so far goes out. 0, or −1. */
int replay_flush(struct err *err);

#endif
