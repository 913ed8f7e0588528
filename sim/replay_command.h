/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenmem-sim replay TRACE: its options, a trace in, tables, JSON or a page out. */
#ifndef SIM_REPLAY_COMMAND_H
#define SIM_REPLAY_COMMAND_H

struct err;

/* argv[0] is the command's name. 0; 1 where getopt has complained; or −1. What it prints it prints
 * at the end: nothing where something went wrong. */
int replay_command(int argc, char **argv, struct err *err);

#endif
