/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What many VMs needed over the same time: a trace with the columns vm, timestamp_s,
 * provisioned_kib and used_kib, sorted by VM, then time, as a rectangular grid. */
#ifndef SIM_SAMPLES_H
#define SIM_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

struct err;

#define SAMPLES_NAME 64

struct sampled_vm {
    char name[SAMPLES_NAME];
    struct kib provisioned;
};

struct samples {
    size_t n_vms;
    struct sampled_vm *vms;
    size_t n_times;     /* samples of each VM */
    int64_t interval_s; /* from one to the next */
    int64_t *used_kib;  /* those of one VM behind those of the VM before */
};

/*
 * Reads the file, packed by xz or not. 0, or −1 ERR_INVALID with "FILE:LINE: what, why": a missing
 * column, a value that is no number or too large, time that goes backwards, a gap, a VM that comes
 * twice, ends early or has another size than before, a file that was cut off.
 */
int samples_read(const char *file, struct samples *out, struct err *err);

void samples_fini(struct samples *samples);

#endif
