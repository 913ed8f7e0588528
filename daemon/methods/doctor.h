/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong or risky on this host, as far as the daemon can see it. What only files of other
 * programs can tell is looked at by the command line, which runs on the same host and stalls
 * nobody.
 */
#ifndef DAEMON_METHODS_DOCTOR_H
#define DAEMON_METHODS_DOCTOR_H

struct daemon;

enum finding_level {
    FINDING_RISK,  /* it works, but not as well or as safely as it could */
    FINDING_WRONG, /* to be mended */
};

/* One thing that was found. Strings are borrowed for the call. */
struct finding {
    const char *check; /* "dom0-memory", …: stable, for scripts */
    enum finding_level level;
    const char *vm;     /* NULL: the host */
    const char *text;   /* what was found */
    const char *advice; /* what to do */
};

/* "risk", "wrong" */
const char *finding_level_name(enum finding_level level);

typedef void finding_fn(void *arg, const struct finding *finding);

/* Calls tell for each thing that is found, the host first, then VMs by name. */
void doctor_look(const struct daemon *daemon, finding_fn *tell, void *arg);

#endif
