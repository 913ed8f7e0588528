/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz targets: one program a decoder of bytes from outside. With --enable-fuzzer each is a
 * libFuzzer program; otherwise `make check` feeds each the files of its corpus (fuzz_replay.c).
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Its folder in tests/fuzz/corpus; each target defines it. */
extern const char fuzz_name[];

/* Decodes data, and aborts where what comes out breaks a promise. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
