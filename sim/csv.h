/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of comma-separated values, as in traces: without quotes. */
#ifndef SIM_CSV_H
#define SIM_CSV_H

/* Cuts the line at its commas, in place. Returns how many parts there are; 0 where they are more
 * than most. */
int csv_split(char *line, char *parts[], int most);

#endif
