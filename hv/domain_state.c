/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/domain_state.h"

#include <string.h>

enum vm_state domain_state(const struct domain_facts *facts)
{
    if (facts->dying)
        return VM_DYING;
    if (facts->shutdown)
        return VM_SHUTDOWN;
    /* xenstored forgets a domain before the hypervisor does: paused, but it did run. */
    if (!facts->introduced)
        return facts->ran ? VM_DYING : VM_BUILDING;
    if (facts->paused && !facts->ran)
        return VM_BUILDING;
    if (facts->saving)
        return VM_SAVING;
    if (facts->paused)
        return VM_PAUSED;
    if (!facts->pv && (facts->pod_debt || !facts->rested))
        return VM_BOOTING;
    return VM_RUNNING;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

bool domain_name_migrates(const char *name)
{
    return ends_with(name, "--incoming") || ends_with(name, "--migratedaway");
}
