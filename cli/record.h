/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects from the daemon as tables, CSV and JSON, from one table of their members. */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <stddef.h>

struct cli;
struct xenmemctl_value;

enum field_type {
    FIELD_TEXT,
    FIELD_NUMBER,
    FIELD_SIZE,       /* KiB */
    FIELD_PERCENT,    /* a whole number */
    FIELD_HUNDREDTHS, /* of a percent */
    FIELD_BOOLEAN,    /* "yes", "no" */
    FIELD_SPAN,       /* ms */
    FIELD_MOMENT,     /* ms since 1970 */
};

/* One member. */
struct field {
    const char *name;    /* in JSON and CSV */
    const char *heading; /* in tables; NULL: not in them */
    enum field_type type;
};

#define FIELD_TEXT_MAX 1024

/* The member of record as people read it, into buf (FIELD_TEXT_MAX bytes); "-" where it is not
 * known. Returns buf. */
const char *record_text(const struct xenmemctl_value *record, const struct field *field, char *buf);

/* Writes the value as JSON text and a newline. */
void record_put_json(struct cli *cli, const struct xenmemctl_value *value);

/* Writes one line of names, or one of values. */
void record_put_csv_names(struct cli *cli, const struct field *fields, size_t n_fields);
void record_put_csv(struct cli *cli, const struct xenmemctl_value *record,
                    const struct field *fields, size_t n_fields);

/* Writes an array's records as a table for people; what is no text stands at the right. At most 8
 * fields. */
void record_put_table(struct cli *cli, const struct xenmemctl_value *records,
                      const struct field *fields, size_t n_fields);

/* Name, and value for people, of each field that has a heading; a line each, indented. */
void record_put_group(struct cli *cli, const char *heading, const struct xenmemctl_value *record,
                      const struct field *fields, size_t n_fields);

/* A VM's members: those of `list`, and the rest of `show`. */
extern const struct field vm_fields[];
extern const size_t n_vm_list_fields; /* the first so many */
extern const size_t n_vm_fields;

#endif
