/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a scenario has for a daemon: the settings of VMs and host, what the operator does and when,
 * and what is expected to come of it. `xenmem-sim run` follows it; a daemon that serves the host of
 * the scenario from outside has its own configuration.
 */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/settings.h"
#include "hv/hv.h"

struct err;
struct sim_vm;

/* Stands for the host where a VM's name may stand. */
#define SCRIPT_HOST           "host"

#define SCRIPT_NO_RESERVATION (-1)

struct script_vm {
    char name[HV_NAME_MAX];
    struct setting_partial said;
};

enum script_deed {
    SCRIPT_SET,     /* settings of a VM or of the host */
    SCRIPT_CLEAR,   /* an override is taken back */
    SCRIPT_RESERVE, /* memory for a VM's start is asked for */
    SCRIPT_RELEASE, /* and given back */
    SCRIPT_KILL,    /* the daemon dies; the host goes on */
    SCRIPT_START,   /* and is started again */
};

/* What is asked for by SCRIPT_RESERVE. */
struct script_wish {
    struct kib size;
    int32_t priority; /* RESERVATION_PRIORITY_OWN: none is said */
    int64_t wait_ms;  /* 0: what is not feasible is refused at once */
    int64_t ttl_ms;   /* 0: for good */
};

struct script_command {
    int64_t due_ms;
    int64_t every_ms; /* and again after so long; 0: once */
    int line;
    enum script_deed deed;
    char name[HV_NAME_MAX];      /* of the VM; "" for KILL and START */
    struct setting_partial said; /* SET */
    struct script_wish wish;     /* RESERVE */
};

enum script_figure {
    /* of a VM */
    FIGURE_ASSIGNED,
    FIGURE_TARGET,
    FIGURE_CAP,
    FIGURE_DEMAND,
    FIGURE_STATE,
    FIGURE_STATUS,
    FIGURE_RESERVATION, /* made for it: SCRIPT_NO_RESERVATION, or an enum reservation_state */
    FIGURE_CHANGES,     /* of its target so far; of all targets where it is the host's */
    /* of the host */
    FIGURE_FREE,
    FIGURE_RESERVED,    /* granted, and not yet anybody's */
    FIGURE_UNCOMMITTED, /* what is left to promise */
    FIGURE_CRASHES,     /* of guests so far */
    FIGURE_OOM_KILLS,
    FIGURE_BROKEN, /* passes that saw more promised than there is */
    FIGURE_COUNT
};

struct script_expectation {
    int64_t at_ms;
    int line;
    char name[HV_NAME_MAX]; /* a VM, or SCRIPT_HOST */
    enum script_figure figure;
    char sign;     /* '<' at most, '>' at least, '=' */
    int64_t value; /* KiB, a number, or an enumerator */
    char text[80]; /* as it was written, for people */
};

struct script {
    struct setting_partial host;
    struct script_vm *vms;
    size_t n_vms;
    struct script_command *commands;
    size_t n_commands;
    struct script_expectation *expectations; /* ascending in time */
    size_t n_expectations;
    int64_t end_ms; /* when the last thing that happens once is due */
};

void script_fini(struct script *script);

/* Another VM; what is taken next is of it. */
void script_add_vm(struct script *script, const char *name);

/* What the script says of that VM; made if need be. */
struct setting_partial *script_find_vm(struct script *script, const char *name);

/* True where [vm NAME], or [host], has such a key for the daemon. */
bool script_knows_vm_key(const char *key);
bool script_knows_host_key(const char *key);

/* Takes such a key, of the VM that was added last. 0 or −1 ERR_INVALID. */
int script_take_vm_key(struct script *script, const char *key, const char *value, struct err *err);
int script_take_host_key(struct script *script, const char *key, const char *value,
                         struct err *err);

/* Whoever was given no settings is dynamic, and may be shrunk to 256 MiB. 0, or −1 ERR_INVALID
 * where the settings of the VM added as the index-th, complete by now, contradict each other. */
int script_complete_vm(struct script *script, size_t index, const struct sim_vm *vm,
                       struct err *err);

/* True where this is a command to the daemon, not to xl. */
bool script_knows_command(const char *word);

/* Plans one, with its arguments as text. 0 or −1 ERR_INVALID. */
int script_take_command(struct script *script, const char *word, const char *arguments,
                        int64_t due_ms, int64_t every_ms, int line, struct err *err);

/* Notes that something happens at that time. */
void script_reach(struct script *script, int64_t ms);

/* "assigned >= 1g", of name. 0 or −1 ERR_INVALID. */
int script_expect(struct script *script, const char *name, const char *text, int64_t at_ms,
                  int line, struct err *err);

/* Writes a figure's value for people. Returns buf. */
const char *script_format(enum script_figure figure, int64_t value, char buf[UNITS_TEXT]);

#endif
