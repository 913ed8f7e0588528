/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "cli/text.h"

struct table {
    const struct column *columns;
    size_t n_columns;
    char **cells; /* owned, and each of them */
    size_t n_cells, room;
};

struct table *table_new(const struct column *columns, size_t n_columns)
{
    struct table *table = calloc(1, sizeof(*table));

    invariant(table && n_columns > 0);
    table->columns = columns;
    table->n_columns = n_columns;
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->n_cells; i++)
        free(table->cells[i]);
    free(table->cells);
    free(table);
}

void table_add(struct table *table, const char *text)
{
    if (table->n_cells == table->room) {
        table->room = table->room > 0 ? 2 * table->room : 64;
        table->cells = realloc(table->cells, table->room * sizeof(*table->cells));
        invariant(table->cells);
    }
    table->cells[table->n_cells] = strdup(text ? text : "-");
    invariant(table->cells[table->n_cells]);
    table->n_cells++;
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t width = text_width(table->columns[column].heading);

    for (size_t i = column; i < table->n_cells; i += table->n_columns) {
        size_t cell = text_width(table->cells[i]);

        width = cell > width ? cell : width;
    }
    return width;
}

size_t table_width(const struct table *table, size_t gap)
{
    size_t width = gap * (table->n_columns - 1);

    for (size_t i = 0; i < table->n_columns; i++)
        width += column_width(table, i);
    return width;
}

static void put_blanks(size_t count, FILE *to)
{
    for (; count > 0; count--)
        fputc(' ', to);
}

/* Nothing is written behind the last cell. */
static void put_row(const struct table *table, const char *const *cells, const size_t *widths,
                    size_t gap, FILE *to)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        size_t blanks = widths[i] - text_width(cells[i]);

        put_blanks(i > 0 ? gap : 0, to);
        put_blanks(table->columns[i].right ? blanks : 0, to);
        text_put(to, cells[i]);
        put_blanks(table->columns[i].right || i + 1 == table->n_columns ? 0 : blanks, to);
    }
    fputc('\n', to);
}

void table_print(const struct table *table, size_t width, FILE *to)
{
    const char **headings = calloc(table->n_columns, sizeof(*headings));
    size_t *widths = calloc(table->n_columns, sizeof(*widths));
    size_t gap = width > 0 && table_width(table, 2) > width ? 1 : 2;

    invariant(headings && widths);
    for (size_t i = 0; i < table->n_columns; i++) {
        headings[i] = table->columns[i].heading;
        widths[i] = column_width(table, i);
    }
    put_row(table, headings, widths, gap, to);
    for (size_t i = 0; i + table->n_columns <= table->n_cells; i += table->n_columns)
        put_row(table, (const char *const *)table->cells + i, widths, gap, to);
    free(headings);
    free(widths);
}
