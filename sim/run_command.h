/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `xenmem-sim run`. */
#ifndef SIM_RUN_COMMAND_H
#define SIM_RUN_COMMAND_H

struct err;

/* 0; 1 where getopt has said what is wrong; or −1: ERR_FAILED where something that the scenario
 * expects did not come true. */
int run_command(int argc, char **argv, struct err *err);

#endif
