/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of a run, on standard output. */
#ifndef SIM_RUN_OUTPUT_H
#define SIM_RUN_OUTPUT_H

#include "sim/run.h"

/* 0, or −1 where standard output cannot be written. */
int run_print_table(const struct run *run, struct err *err);
int run_print_json(const struct run *run, struct err *err);

/* A line on standard error for each expectation that was not met. */
void run_print_misses(const char *file, const struct run *run);

#endif
