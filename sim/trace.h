/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traces of real machines as CSV: a line of column names, of which timestamp_s and used_kib are
 * needed and vm is optional, then a sample a line. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "hv/sim/demand.h"

struct err;

/*
 * Reads the samples of that VM (of all lines where there is no column vm) into a curve of steps
 * that begins at 0. 0, or −1 ERR_INVALID with "FILE:LINE: what, why": a missing column, a sample
 * that is no number, time that does not go forward, no sample of that VM.
 */
int trace_read(const char *file, const char *vm, struct curve *out, struct err *err);

#endif
