/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/csv.h"

#define MAX_COLUMNS 16
#define LINE_ROOM   512
#define MAX_SECONDS INT64_C(1000000000000)

struct trace {
    const char *file;
    int line;
    int time_column, need_column, vm_column; /* −1: there is none */
    int n_columns;
    int64_t first_s;
    struct curve *curve;
};

static int take_header(struct trace *trace, char *line, struct err *err)
{
    char *parts[MAX_COLUMNS];

    trace->time_column = trace->need_column = trace->vm_column = -1;
    trace->n_columns = csv_split(line, parts, MAX_COLUMNS);
    for (int i = 0; i < trace->n_columns; i++) {
        if (strcmp(parts[i], "timestamp_s") == 0)
            trace->time_column = i;
        else if (strcmp(parts[i], "used_kib") == 0)
            trace->need_column = i;
        else if (strcmp(parts[i], "vm") == 0)
            trace->vm_column = i;
    }
    if (trace->time_column < 0 || trace->need_column < 0)
        return err_set(err, ERR_INVALID, "no columns timestamp_s and used_kib");
    return 0;
}

static int take_sample(struct trace *trace, const char *vm, char *line, struct err *err)
{
    char *parts[MAX_COLUMNS];
    int64_t seconds, used;

    if (csv_split(line, parts, MAX_COLUMNS) != trace->n_columns)
        return err_set(err, ERR_INVALID, "not %d columns, as the first line has", trace->n_columns);
    if (trace->vm_column >= 0 && strcmp(parts[trace->vm_column], vm) != 0)
        return 0;
    if (integer_parse(parts[trace->time_column], 0, MAX_SECONDS, &seconds, err))
        return err_wrap(err, "timestamp_s");
    if (integer_parse(parts[trace->need_column], 0, KIB_LIMIT, &used, err))
        return err_wrap(err, "used_kib");
    if (trace->curve->n_points == 0)
        trace->first_s = seconds;
    return curve_add(trace->curve, (seconds - trace->first_s) * 1000, kib(used), err);
}

static int take_line(struct trace *trace, const char *vm, char *line, struct err *err)
{
    size_t length = strlen(line);

    trace->line++;
    if (length == LINE_ROOM - 1)
        return err_set(err, ERR_INVALID, "the line is longer than %d bytes", LINE_ROOM - 2);
    line[strcspn(line, "\r\n")] = '\0';
    return trace->line == 1 ? take_header(trace, line, err) : take_sample(trace, vm, line, err);
}

static int read_stream(struct trace *trace, FILE *stream, const char *vm, struct err *err)
{
    char line[LINE_ROOM];

    while (fgets(line, sizeof(line), stream))
        if (take_line(trace, vm, line, err))
            return err_wrap(err, "%s:%d", trace->file, trace->line);
    if (ferror(stream))
        return err_set_errno(err, ERR_FAILED, errno, "%s", trace->file);
    if (trace->curve->n_points == 0)
        return err_set(err, ERR_INVALID, "%s: no sample of %s", trace->file, vm);
    return 0;
}

int trace_read(const char *file, const char *vm, struct curve *out, struct err *err)
{
    struct curve curve = {.kind = CURVE_STEP};
    struct trace trace = {.file = file, .curve = &curve};
    FILE *stream = fopen(file, "re");
    int rc;

    if (!stream)
        return err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_INVALID, errno, "%s", file);
    rc = read_stream(&trace, stream, vm, err);
    fclose(stream);
    if (rc) {
        curve_fini(&curve);
        return -1;
    }
    *out = curve;
    return 0;
}
