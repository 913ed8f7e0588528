/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/metrics/meter.h"

#include <stdbool.h>
#include <string.h>

#include "daemon/registry.h"

static bool is_metered(const struct meter *meter, const struct hv_domain *now)
{
    return meter->assigned.v > 0 && meter->domid == now->ref.domid &&
           memcmp(meter->uuid, now->ref.uuid, sizeof(meter->uuid)) == 0;
}

static void count_changes(struct meter *meter, const struct hv_domain *now)
{
    meter->added = kib_add(meter->added, kib_excess(now->assigned, meter->assigned));
    meter->removed = kib_add(meter->removed, kib_excess(meter->assigned, now->assigned));
    meter->additions += now->target.v > meter->target.v;
    meter->removals += now->target.v < meter->target.v;
}

static void count_pressure(struct meter *meter, int32_t pressure)
{
    if (pressure < 0)
        return;
    if (meter->pressures == 0 || pressure < meter->pressure_min)
        meter->pressure_min = pressure;
    if (meter->pressures == 0 || pressure > meter->pressure_max)
        meter->pressure_max = pressure;
    meter->pressure_sum += pressure;
    meter->pressures++;
}

void meter_read(struct registry *registry)
{
    for (size_t i = 0; i < registry->n_domains; i++) {
        const struct domain *domain = &registry->domains[i];
        const struct hv_domain *now = &domain->now;
        struct meter *meter;

        if (!domain->vm)
            continue;
        meter = &domain->vm->meter;
        if (is_metered(meter, now))
            count_changes(meter, now);
        memcpy(meter->uuid, now->ref.uuid, sizeof(meter->uuid));
        meter->domid = now->ref.domid;
        meter->assigned = now->assigned;
        meter->target = now->target;
        count_pressure(meter, domain->verdict.pressure);
    }
}
