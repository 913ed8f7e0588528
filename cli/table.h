/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Columns for people: as wide as what is in them. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct column {
    const char *heading;
    bool right; /* numbers stand at the right */
};

struct table;

/* columns must live as long as the table. */
struct table *table_new(const struct column *columns, size_t n_columns);
void table_free(struct table *table);

/* The next cell, row by row. Copies text; NULL is "-", for what is not known. */
void table_add(struct table *table, const char *text);

/* Columns that it takes with gap blanks between its columns. */
size_t table_width(const struct table *table, size_t gap);

/*
 * Writes headings and rows, two blanks between columns; one where it would not fit into width
 * columns otherwise (0: no limit). Nothing is cut off: a name is worth more than a straight edge.
 */
void table_print(const struct table *table, size_t width, FILE *to);

#endif
