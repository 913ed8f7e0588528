/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands to a simulated host that runs: its xl, and its end. */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include <stddef.h>

struct err;

/*
 * Has the host of that file carry out a command of the simulated xl, waits for its end as xl does,
 * and prints what it says. 0 and xl's exit code, or −1: ERR_UNREACHABLE where that host does not
 * run.
 */
int control_xl(const char *file, size_t n_words, char *const words[], int *exit_code,
               struct err *err);

/* Ends the host of that file, and waits until it is gone. 0, or −1. */
int control_stop(const char *file, struct err *err);

#endif
