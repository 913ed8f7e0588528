/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines over time, drawn with characters: braille where the terminal has it and
 * colours, a mark of each line's own elsewhere. */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PLOT_NONE INT64_MIN /* no value there: a gap */

/* One line of the plot. */
struct plot_line {
    const char *name;
    const int64_t *values; /* KiB, one a sample */
    char mark;             /* where there is no braille */
    int colour;            /* of ANSI's eight, 1 to 7 */
};

/* Samples that lie at equal distances from begin_ms on; those that are missing are PLOT_NONE. */
struct plot {
    int64_t begin_ms, step_ms; /* wall clock */
    size_t n_values;
    const struct plot_line *lines;
    size_t n_lines;
};

/* How it is drawn. */
struct plot_style {
    size_t width, height; /* characters, axes and all; at least 20 and 5 */
    bool braille;         /* 2 by 4 dots a character; else one mark a character */
    bool colour;
};

/* Writes it, with the scale at the left, times below, and the lines' names above. */
void plot_put(const struct plot *plot, const struct plot_style *style, FILE *to);

#endif
