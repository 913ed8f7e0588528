/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The xenstore of the Xen within a test (fake_xen.h); its calls fail as all others do. */
#ifndef TESTS_HV_FAKE_XENSTORE_H
#define TESTS_HV_FAKE_XENSTORE_H

#include <stddef.h>
#include <stdint.h>

/* Empty, and nobody has a connection. */
void fake_xenstore_begin(void);

/* Connections that are open. */
size_t fake_xenstore_held(void);

/* The number at a path; −1 where there is no value. */
int64_t fake_xenstore_number(const char *path);

#endif
