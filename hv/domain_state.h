/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells a domain's states apart. Pure, so that it can be tested without Xen. */
#ifndef HV_DOMAIN_STATE_H
#define HV_DOMAIN_STATE_H

#include <stdbool.h>

#include "core/model.h"

struct domain_facts {
    bool dying;      /* flag of the hypervisor; appears late */
    bool shutdown;   /* flag of the hypervisor */
    bool paused;     /* flag of the hypervisor, or of its toolstack */
    bool introduced; /* xenstored knows it: its memory is built */
    bool ran;        /* it has used CPU time */
    bool saving;     /* a save helper works on it, or its name says that it migrates */
    bool pv;         /* has no populate-on-demand */
    bool pod_debt;   /* populate-on-demand pages are left that have no memory behind them */
    bool rested;     /* assigned has come to rest near its target once (always true for PV) */
};

enum vm_state domain_state(const struct domain_facts *facts);

/* "web1--incoming", "web1--migratedaway": not a VM of its own yet, or not any more. */
bool domain_name_migrates(const char *name);

#endif
