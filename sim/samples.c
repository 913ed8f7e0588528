/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/samples.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/csv.h"
#include "sim/lines.h"

#define MAX_COLUMNS 16
#define MAX_SECONDS INT64_C(1000000000000)
#define MAX_VMS     100000
#define MAX_SAMPLES (SIZE_MAX / 4 / sizeof(int64_t))

enum column { COLUMN_VM, COLUMN_TIME, COLUMN_SIZE, COLUMN_USED, COLUMN_COUNT };

static const char *const column_names[] = {"vm", "timestamp_s", "provisioned_kib", "used_kib"};

struct reader {
    struct samples samples;
    int column[COLUMN_COUNT]; /* where it is */
    int n_columns;
    size_t vm_room, used_room, n_used;
    size_t n_of_vm; /* samples of the present VM */
    int64_t first_s, last_s;
};

static int take_header(struct reader *reader, char *line, struct err *err)
{
    char *parts[MAX_COLUMNS];

    reader->n_columns = csv_split(line, parts, MAX_COLUMNS);
    for (int c = 0; c < COLUMN_COUNT; c++) {
        reader->column[c] = -1;
        for (int i = 0; i < reader->n_columns; i++)
            if (strcmp(parts[i], column_names[c]) == 0)
                reader->column[c] = i;
        if (reader->column[c] < 0)
            return err_set(err, ERR_INVALID, "there is no column %s", column_names[c]);
    }
    return 0;
}

static void *grown(void *old, size_t *room, size_t n, size_t size)
{
    size_t more = n < *room ? *room : *room * 2 + 64;
    void *at = n < *room ? old : realloc(old, more * size);

    if (at)
        *room = more;
    return at;
}

/* The VM before has as many samples as the first one. */
static int end_vm(const struct reader *reader, struct err *err)
{
    const struct samples *samples = &reader->samples;

    if (reader->n_of_vm == samples->n_times)
        return 0;
    return err_set(err, ERR_INVALID, "VM %s ends after %zu samples, the first one has %zu",
                   samples->vms[samples->n_vms - 1].name, reader->n_of_vm, samples->n_times);
}

static int begin_vm(struct reader *reader, const char *name, int64_t seconds, struct kib size,
                    struct err *err)
{
    struct samples *samples = &reader->samples;
    void *vms;

    if (samples->n_vms == 1)
        samples->n_times = reader->n_of_vm;
    if (samples->n_vms > 0 && end_vm(reader, err))
        return -1;
    if (strlen(name) == 0 || strlen(name) >= SAMPLES_NAME)
        return err_set(err, ERR_INVALID, "vm '%.80s' is no name of 1 to %d bytes", name,
                       SAMPLES_NAME - 1);
    for (size_t i = 0; i < samples->n_vms; i++)
        if (strcmp(samples->vms[i].name, name) == 0)
            return err_set(err, ERR_INVALID, "VM %s was there already: sort by VM, then time",
                           name);
    if (samples->n_vms > 0 && seconds != reader->first_s)
        return err_set(err, ERR_INVALID, "a gap: VM %s begins at %lld, the first one at %lld", name,
                       (long long)seconds, (long long)reader->first_s);
    vms = samples->n_vms < MAX_VMS
              ? grown(samples->vms, &reader->vm_room, samples->n_vms, sizeof(*samples->vms))
              : NULL;
    if (!vms)
        return err_set(err, ERR_FAILED, "there is no memory for more VMs");
    samples->vms = vms;
    samples->vms[samples->n_vms] = (struct sampled_vm){.provisioned = size};
    memcpy(samples->vms[samples->n_vms++].name, name, strlen(name) + 1);
    reader->n_of_vm = 0;
    reader->first_s = seconds;
    return 0;
}

/* Time goes on by what was between the first two samples. */
static int check_time(struct reader *reader, int64_t seconds, struct err *err)
{
    struct samples *samples = &reader->samples;
    int64_t due = reader->last_s + samples->interval_s;

    if (reader->n_of_vm == 0)
        return 0;
    if (seconds <= reader->last_s)
        return err_set(err, ERR_INVALID, "time goes backwards: %lld after %lld", (long long)seconds,
                       (long long)reader->last_s);
    if (samples->interval_s == 0)
        samples->interval_s = seconds - reader->last_s;
    else if (seconds != due)
        return err_set(err, ERR_INVALID, "a gap: %lld where %lld is due", (long long)seconds,
                       (long long)due);
    if (samples->n_vms > 1 && reader->n_of_vm >= samples->n_times)
        return err_set(err, ERR_INVALID, "more samples of VM %s than the %zu of the first one",
                       samples->vms[samples->n_vms - 1].name, samples->n_times);
    return 0;
}

static int add_sample(struct reader *reader, int64_t used, struct err *err)
{
    void *all = reader->n_used < MAX_SAMPLES ? grown(reader->samples.used_kib, &reader->used_room,
                                                     reader->n_used, sizeof(used))
                                             : NULL;

    if (!all)
        return err_set(err, ERR_FAILED, "there is no memory for more samples");
    reader->samples.used_kib = all;
    reader->samples.used_kib[reader->n_used++] = used;
    reader->n_of_vm++;
    return 0;
}

static int take_sample(struct reader *reader, char *line, struct err *err)
{
    struct samples *samples = &reader->samples;
    char *parts[MAX_COLUMNS];
    const struct sampled_vm *vm = samples->n_vms > 0 ? &samples->vms[samples->n_vms - 1] : NULL;
    int64_t seconds, size, used;

    if (csv_split(line, parts, MAX_COLUMNS) != reader->n_columns)
        return err_set(err, ERR_INVALID, "not %d columns, as the first line has",
                       reader->n_columns);
    if (integer_parse(parts[reader->column[COLUMN_TIME]], 0, MAX_SECONDS, &seconds, err))
        return err_wrap(err, "timestamp_s");
    if (integer_parse(parts[reader->column[COLUMN_SIZE]], 1, KIB_LIMIT, &size, err))
        return err_wrap(err, "provisioned_kib");
    if (integer_parse(parts[reader->column[COLUMN_USED]], 0, KIB_LIMIT, &used, err))
        return err_wrap(err, "used_kib");
    if (!vm || strcmp(vm->name, parts[reader->column[COLUMN_VM]]) != 0) {
        if (begin_vm(reader, parts[reader->column[COLUMN_VM]], seconds, kib(size), err))
            return -1;
    } else if (size != vm->provisioned.v) {
        return err_set(err, ERR_INVALID, "provisioned_kib of VM %s was %lld and is %lld", vm->name,
                       (long long)vm->provisioned.v, (long long)size);
    }
    if (check_time(reader, seconds, err))
        return -1;
    reader->last_s = seconds;
    return add_sample(reader, used, err);
}

static int take_end(struct reader *reader, struct err *err)
{
    struct samples *samples = &reader->samples;

    if (reader->n_columns == 0)
        return err_set(err, ERR_INVALID, "there is no line of column names");
    if (samples->n_vms == 0)
        return err_set(err, ERR_INVALID, "there are no samples");
    if (samples->n_vms == 1)
        samples->n_times = reader->n_of_vm;
    if (end_vm(reader, err))
        return -1;
    if (samples->n_times < 2)
        return err_set(err, ERR_INVALID, "there is but one sample of a VM");
    return 0;
}

static int read_lines(struct reader *reader, const char *file, struct lines *lines, struct err *err)
{
    char *line;
    int rc;

    while ((rc = lines_next(lines, &line, err)) > 0) {
        rc = lines_number(lines) == 1 ? take_header(reader, line, err)
                                      : take_sample(reader, line, err);
        if (rc)
            return err_wrap(err, "%s:%lld", file, (long long)lines_number(lines));
    }
    if (rc == 0 && take_end(reader, err))
        return err_wrap(err, "%s:%lld", file, (long long)lines_number(lines));
    return rc;
}

int samples_read(const char *file, struct samples *out, struct err *err)
{
    struct reader reader = {0};
    struct lines *lines;
    int rc;

    if (lines_open(file, &lines, err))
        return -1;
    rc = read_lines(&reader, file, lines, err);
    lines_free(lines);
    if (rc) {
        samples_fini(&reader.samples);
        return -1;
    }
    *out = reader.samples;
    return 0;
}

void samples_fini(struct samples *samples)
{
    free(samples->vms);
    free(samples->used_kib);
    *samples = (struct samples){0};
}
