/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/plot.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/invariant.h"
#include "base/units.h"

#define SCALE_WIDTH 10 /* columns at the left */

/* The field that is drawn on. */
struct canvas {
    size_t columns, rows; /* characters */
    size_t across, down;  /* dots a character */
    unsigned char *dots;  /* braille's bits, or 1, a character */
    signed char *lines;   /* the line drawn last there; −1 none */
    int64_t top_kib;      /* value at the upper edge */
};

/* Braille's bit of a dot: columns are counted 1 2 3 7 and 4 5 6 8. */
static unsigned char dot_of(const struct canvas *canvas, size_t x, size_t y)
{
    static const unsigned char bits[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

    return canvas->across == 1 ? 1 : bits[y % 4][x % 2];
}

static void set_dot(struct canvas *canvas, size_t x, size_t y, size_t line)
{
    size_t at = y / canvas->down * canvas->columns + x / canvas->across;

    canvas->dots[at] |= dot_of(canvas, x, y);
    canvas->lines[at] = (signed char)line;
}

/* The mean of the samples that fall onto column x of dots; PLOT_NONE where there are none. */
static int64_t value_at(const struct plot *plot, size_t line, size_t x, size_t width)
{
    size_t first = x * plot->n_values / width, end = (x + 1) * plot->n_values / width;
    int64_t sum = 0, count = 0;

    for (size_t i = first; i < (end > first ? end : first + 1); i++) {
        int64_t value = plot->lines[line].values[i];

        if (value == PLOT_NONE)
            continue;
        sum += value;
        count++;
    }
    return count > 0 ? sum / count : PLOT_NONE;
}

static void draw_line(struct canvas *canvas, const struct plot *plot, size_t line)
{
    size_t width = canvas->columns * canvas->across, height = canvas->rows * canvas->down;
    size_t before = 0;
    bool follows = false;

    for (size_t x = 0; x < width; x++) {
        int64_t value = value_at(plot, line, x, width);
        size_t y, from, to;

        if (value == PLOT_NONE) {
            follows = false;
            continue;
        }
        value = value < 0 ? 0 : value;
        y = height - 1 - (size_t)((double)value * (double)(height - 1) / (double)canvas->top_kib);
        /* What lies between two neighbours is drawn too: a line has no holes. */
        from = follows && before < y ? before + 1 : y;
        to = follows && before > y ? before - 1 : y;
        for (size_t at = from; at <= to; at++)
            set_dot(canvas, x, at, line);
        before = y;
        follows = true;
    }
}

/* The largest value, and so much more that the scale's numbers are short. */
static int64_t top_of(const struct plot *plot)
{
    int64_t most = 1024, step = 1024;

    for (size_t line = 0; line < plot->n_lines; line++)
        for (size_t i = 0; i < plot->n_values; i++)
            if (plot->lines[line].values[i] > most)
                most = plot->lines[line].values[i];
    while (step * 16 < most)
        step *= 2;
    return (most + step - 1) / step * step;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static void put_cell(const struct canvas *canvas, const struct plot *plot,
                     const struct plot_style *style, size_t at, FILE *to)
{
    int line = canvas->lines[at];
    unsigned char dots = canvas->dots[at];

    if (line < 0) {
        fputc(' ', to);
        return;
    }
    if (style->colour)
        fprintf(to, "\033[3%dm", plot->lines[line].colour);
    if (style->braille)
        fprintf(to, "\xe2%c%c", 0xa0 | dots >> 6, 0x80 | (dots & 0x3f));
    else
        fputc(plot->lines[line].mark, to);
    if (style->colour)
        fputs("\033[0m", to);
}

static void put_names(const struct plot *plot, const struct plot_style *style, FILE *to)
{
    fprintf(to, "%*s", SCALE_WIDTH, "");
    for (size_t i = 0; i < plot->n_lines; i++) {
        fputs(i > 0 ? "  " : " ", to);
        if (style->colour)
            fprintf(to, "\033[3%dm", plot->lines[i].colour);
        if (style->braille)
            fputs("⠤⠤", to);
        else
            fprintf(to, "%c%c", plot->lines[i].mark, plot->lines[i].mark);
        fputs(style->colour ? "\033[0m " : " ", to);
        fputs(plot->lines[i].name, to);
    }
    fputc('\n', to);
}

static void put_rows(const struct canvas *canvas, const struct plot *plot,
                     const struct plot_style *style, FILE *to)
{
    char text[UNITS_TEXT];

    for (size_t row = 0; row < canvas->rows; row++) {
        size_t last = canvas->columns;
        bool labelled = row == 0 || row + 1 == canvas->rows || row == canvas->rows / 2;
        double share = (double)(canvas->rows - 1 - row) / (double)(canvas->rows - 1);

        fprintf(to, "%*s ", SCALE_WIDTH - 1,
                labelled ? kib_format(kib((int64_t)((double)canvas->top_kib * share)), text) : "");
        fputs(style->braille ? "│" : "|", to);
        while (last > 0 && canvas->lines[row * canvas->columns + last - 1] < 0)
            last--;
        for (size_t column = 0; column < last; column++)
            put_cell(canvas, plot, style, row * canvas->columns + column, to);
        fputc('\n', to);
    }
}

static void format_time(int64_t ms, int64_t span_ms, char *text, size_t room)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;

    if (!localtime_r(&seconds, &local) ||
        strftime(text, room, span_ms > INT64_C(2) * 86400000 ? "%m-%d" : "%H:%M", &local) == 0)
        text[0] = '\0';
}

static void put_times(const struct canvas *canvas, const struct plot *plot,
                      const struct plot_style *style, FILE *to)
{
    int64_t span_ms = (int64_t)plot->n_values * plot->step_ms;
    size_t labels = canvas->columns / 12 + 1, done = 0;
    char text[16];

    fprintf(to, "%*s%s", SCALE_WIDTH, "", style->braille ? "└" : "+");
    for (size_t i = 0; i < canvas->columns; i++)
        fputs(style->braille ? "─" : "-", to);
    fprintf(to, "\n%*s", SCALE_WIDTH + 1, "");
    for (size_t i = 0; i < labels; i++) {
        size_t at = labels > 1 ? i * (canvas->columns - 5) / (labels - 1) : 0;

        if (at < done)
            continue;
        format_time(plot->begin_ms +
                        (int64_t)((double)span_ms * (double)at / (double)canvas->columns),
                    span_ms, text, sizeof(text));
        fprintf(to, "%*s%s", (int)(at - done), "", text);
        done = at + strlen(text);
    }
    fputc('\n', to);
}

void plot_put(const struct plot *plot, const struct plot_style *style, FILE *to)
{
    struct canvas canvas = {.columns = style->width - SCALE_WIDTH - 1,
                            .rows = style->height - 3,
                            .across = style->braille ? 2 : 1,
                            .down = style->braille ? 4 : 1,
                            .top_kib = top_of(plot)};
    size_t cells;

    invariant(style->width >= 20 && style->height >= 5 && plot->n_values > 0);
    cells = canvas.columns * canvas.rows;
    canvas.dots = calloc(cells, 1);
    canvas.lines = malloc(cells);
    invariant(canvas.dots && canvas.lines);
    memset(canvas.lines, -1, cells);
    for (size_t i = 0; i < plot->n_lines; i++)
        draw_line(&canvas, plot, i);
    put_names(plot, style, to);
    put_rows(&canvas, plot, style, to);
    put_times(&canvas, plot, style, to);
    free(canvas.dots);
    free(canvas.lines);
}
