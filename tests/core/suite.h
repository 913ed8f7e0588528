/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main program that all tests of the core have. */
#ifndef TESTS_CORE_SUITE_H
#define TESTS_CORE_SUITE_H

#include <check.h>

/* Runs the NULL-terminated tests; returns the exit code. */
int suite_run(const char *name, const TTest *const *tests);

#endif
