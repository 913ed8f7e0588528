/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xenmem-sim replay TRACE: its options, a trace in, tables, JSON or a page out. */
#ifndef SIM_REPLAY_COMMAND_H
#define SIM_REPLAY_COMMAND_H

#include <stdbool.h>

struct err;

/* argv[0] is the command's name. 0; 1 where getopt has complained; or −1. What it prints it prints
 * at the end: nothing where something went wrong. */
int replay_command(int argc, char **argv, struct err *err);

/* "table" or "json", of --format. 0 or −1 ERR_INVALID. */
int replay_parse_format(const char *text, bool *is_json, struct err *err);

#endif
