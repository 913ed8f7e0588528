/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What files and processes of this host say that goes wrong with xenmem. Knows nothing of xenmemd.
 */
#ifndef CLI_DOCTOR_FILES_H
#define CLI_DOCTOR_FILES_H

#include <stdbool.h>

/* Whether the kernel calls its clock synchronised: a fact of the world, from who calls. */
enum clock_state { CLOCK_STATE_UNKNOWN, CLOCK_STATE_SYNCHRONISED, CLOCK_STATE_ALONE };

/* One thing that was found. Strings are borrowed for the call. */
struct file_finding {
    const char *check; /* "autoballoon", …: stable, for scripts */
    bool wrong;        /* else risky */
    const char *text, *advice;
};

typedef void file_finding_fn(void *arg, const struct file_finding *finding);

/* Looks at the files below root ("" for this host) and calls tell for each thing that is found. */
void doctor_files_look(const char *root, enum clock_state clock, file_finding_fn *tell, void *arg);

#endif
