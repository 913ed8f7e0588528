/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "daemon/metrics/metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/invariant.h"
#include "daemon/clients/server.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/loop.h"
#include "daemon/methods/describe.h"
#include "daemon/metrics/lag.h"
#include "daemon/registry.h"
#include "db/db.h"
#include "hv/hv.h"

/* How a number that we keep is told: in base units, and as a ratio instead of percent. */
enum unit { UNIT_KIB, UNIT_PERCENT, UNIT_MS, UNIT_COUNT };

static void put_value(FILE *to, enum unit unit, int64_t value)
{
    switch (unit) {
    case UNIT_KIB:
        fprintf(to, " %" PRId64 "\n", value * 1024);
        break;
    case UNIT_PERCENT:
        fprintf(to, " %s%" PRId64 ".%02d\n", value < 0 ? "-" : "",
                (value < 0 ? -value : value) / 100, (int)((value < 0 ? -value : value) % 100));
        break;
    case UNIT_MS:
        fprintf(to, " %" PRId64 ".%03d\n", value / 1000, (int)(value % 1000));
        break;
    case UNIT_COUNT:
        fprintf(to, " %" PRId64 "\n", value);
        break;
    }
}

static void put_head(FILE *to, const char *name, const char *type, enum unit unit, const char *help)
{
    static const char *const units[] = {"bytes", "ratio", "seconds", NULL};

    fprintf(to, "# TYPE xenmem_%s %s\n", name, type);
    if (units[unit])
        fprintf(to, "# UNIT xenmem_%s %s\n", name, units[unit]);
    fprintf(to, "# HELP xenmem_%s %s\n", name, help);
}

/* --- the host -------------------------------------------------------------------------------- */

static void put_one(FILE *to, const char *name, enum unit unit, int64_t value, const char *help)
{
    if (value == PROTO_UNKNOWN)
        return;
    put_head(to, name, "gauge", unit, help);
    fprintf(to, "xenmem_%s", name);
    put_value(to, unit, value);
}

static void put_counter(FILE *to, const char *name, int64_t value, const char *help)
{
    put_head(to, name, "counter", UNIT_COUNT, help);
    fprintf(to, "xenmem_%s_total %" PRId64 "\n", name, value);
}

/* What all managed VMs together want, against what they have; and the mean of their pressures. */
static void put_pressure(FILE *to, const struct registry *registry)
{
    int64_t wanted = 0, assigned = 0, sum = 0, count = 0;

    for (size_t i = 0; i < registry->n_domains; i++) {
        const struct domain *domain = &registry->domains[i];

        if (!domain->vm || domain->vm->settings.mode == VM_MODE_IGNORED ||
            domain->verdict.pressure < 0 || domain->now.assigned.v == 0)
            continue;
        wanted += domain->verdict.wanted.v;
        assigned += domain->now.assigned.v;
        sum += domain->verdict.pressure;
        count++;
    }
    if (count == 0)
        return;
    put_one(to, "host_average_pressure_ratio", UNIT_PERCENT, sum / count,
            "Mean pressure of the managed VMs whose need is known; should be at most 0.8.");
    put_one(to, "host_current_pressure_ratio", UNIT_PERCENT, wanted * 100 / assigned,
            "What these VMs want together, by what they have.");
}

static void put_host(FILE *to, const struct daemon *daemon)
{
    struct proto_node nodes[HV_MAX_NODES];
    struct proto_host host;

    describe_host(daemon, nodes, &host);
    put_one(to, "host_physical_memory_bytes", UNIT_KIB, host.total_kib, "Memory that Xen manages.");
    put_one(to, "host_free_memory_bytes", UNIT_KIB, host.free_kib, "Free pages.");
    put_one(to, "host_available_memory_bytes", UNIT_KIB, host.available_kib,
            "What a start would get now without moving anyone.");
    put_one(to, "host_reserve_bytes", UNIT_KIB, host.reserve_kib, "Never given to VMs.");
    put_one(to, "host_headroom_bytes", UNIT_KIB, host.headroom_kib,
            "Kept free for the next start.");
    put_one(to, "host_reserved_bytes", UNIT_KIB, host.reserved_kib,
            "Reservations of VMs to start.");
    put_one(to, "host_claimed_bytes", UNIT_KIB, host.claimed_kib, "Outstanding claims in Xen.");
    put_one(to, "host_promised_bytes", UNIT_KIB, host.promised_kib,
            "What domains may still take up to their caps.");
    put_one(to, "host_dom0_memory_bytes", UNIT_KIB, host.dom0_kib, "What dom0 holds.");
    put_one(to, "host_assigned_memory_bytes", UNIT_KIB, host.assigned_kib,
            "What managed VMs have.");
    put_one(to, "host_demand_bytes", UNIT_KIB, host.demand_kib, "What managed VMs need.");
    put_one(to, "host_shared_memory_bytes", UNIT_KIB, host.shared_kib, "Saved by page sharing.");
    put_pressure(to, daemon->registry);
    put_one(to, "host_vms", UNIT_COUNT, host.vms, "Running VMs.");
    put_one(to, "host_managed_vms", UNIT_COUNT, host.managed, "Running VMs that are managed.");
    put_one(to, "host_settled", UNIT_COUNT, host.settled, "1: nothing is on its way.");
    put_one(to, "host_invariant_broken", UNIT_COUNT, host.invariant_broken,
            "1: more memory is promised than there is.");
    put_one(to, "host_simulated", UNIT_COUNT, host.simulated, "1: the host is a simulated one.");
}

/* --- VMs ------------------------------------------------------------------------------------- */

/* Label values end at a quote; what is not printable would not survive other programs. */
static void put_label(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            fprintf(to, "\\%c", *text);
        else if ((unsigned char)*text < 0x20 || *text == 0x7f)
            fputc('?', to);
        else
            fputc(*text, to);
    }
}

/* One VM, with what is told of it. */
struct told {
    const struct vm_entry *vm;
    struct proto_vm record;
};

typedef int64_t told_fn(const struct told *told);

#define TELL(NAME, EXPRESSION)                                                                     \
    static int64_t NAME(const struct told *told)                                                   \
    {                                                                                              \
        return EXPRESSION;                                                                         \
    }

#define METER (told->vm->meter)

TELL(tell_assigned, told->record.assigned_kib)
TELL(tell_demand, told->record.demand_kib)
TELL(tell_target, told->record.target_kib)
TELL(tell_cap, told->record.cap_kib)
TELL(tell_minimum, told->record.minimum_kib)
TELL(tell_startup, told->record.startup_kib)
TELL(tell_maximum, told->record.maximum_kib)
TELL(tell_pressure, told->record.pressure)
TELL(tell_pressure_min, METER.pressures > 0 ? METER.pressure_min : PROTO_UNKNOWN)
TELL(tell_pressure_max, METER.pressures > 0 ? METER.pressure_max : PROTO_UNKNOWN)
TELL(tell_pressure_mean, METER.pressures > 0 ? METER.pressure_sum / METER.pressures : PROTO_UNKNOWN)
TELL(tell_priority, told->record.priority)
TELL(tell_overridden, told->record.overridden)
TELL(tell_swap, told->record.swap_used_kib)
TELL(tell_age, told->record.report_age_ms)
TELL(tell_added, METER.added.v)
TELL(tell_removed, METER.removed.v)
TELL(tell_additions, METER.additions)
TELL(tell_removals, METER.removals)
TELL(tell_oom_kills, told->record.oom_kills)

static int64_t tell_visible(const struct told *told)
{
    const struct domain *domain = told->vm->domain;

    return domain && domain->now.report.total.v > 0 ? domain->now.report.total.v : PROTO_UNKNOWN;
}

static const struct {
    const char *name;
    bool counts;
    enum unit unit;
    told_fn *tell;
    const char *help;
} vm_metrics[] = {
    {"vm_physical_memory_bytes", false, UNIT_KIB, tell_assigned, "What the VM has."},
    {"vm_guest_visible_memory_bytes", false, UNIT_KIB, tell_visible, "What its kernel sees."},
    {"vm_demand_bytes", false, UNIT_KIB, tell_demand, "What it needs, without its buffer."},
    {"vm_target_bytes", false, UNIT_KIB, tell_target, "Target of its balloon."},
    {"vm_cap_bytes", false, UNIT_KIB, tell_cap, "Its hard limit in Xen."},
    {"vm_minimum_bytes", false, UNIT_KIB, tell_minimum, "Setting: never shrunk below."},
    {"vm_startup_bytes", false, UNIT_KIB, tell_startup, "Setting: memory from power-on."},
    {"vm_maximum_bytes", false, UNIT_KIB, tell_maximum, "Setting: never grown above."},
    {"vm_swap_used_bytes", false, UNIT_KIB, tell_swap, "Swap in use, as the guest says."},
    {"vm_current_pressure_ratio", false, UNIT_PERCENT, tell_pressure,
     "What it wants by what it has; above 1 it is short."},
    {"vm_minimum_pressure_ratio", false, UNIT_PERCENT, tell_pressure_min,
     "Lowest pressure since the daemon started."},
    {"vm_maximum_pressure_ratio", false, UNIT_PERCENT, tell_pressure_max,
     "Highest pressure since the daemon started."},
    {"vm_average_pressure_ratio", false, UNIT_PERCENT, tell_pressure_mean,
     "Mean pressure since the daemon started."},
    {"vm_priority", false, UNIT_COUNT, tell_priority, "Setting: 0 to 100."},
    {"vm_overridden", false, UNIT_COUNT, tell_overridden, "1: its target was set by hand."},
    {"vm_report_age_seconds", false, UNIT_MS, tell_age, "Age of the guest's last report."},
    {"vm_added_memory_bytes", true, UNIT_KIB, tell_added, "Memory added while it ran."},
    {"vm_removed_memory_bytes", true, UNIT_KIB, tell_removed, "Memory removed while it ran."},
    {"vm_add_operations", true, UNIT_COUNT, tell_additions, "How often its target was raised."},
    {"vm_remove_operations", true, UNIT_COUNT, tell_removals, "How often its target was lowered."},
    {"vm_oom_kills", true, UNIT_COUNT, tell_oom_kills, "OOM kills, as the guest says."},
};

static void put_vm_metric(FILE *to, size_t metric, const struct told *told, size_t count)
{
    const char *name = vm_metrics[metric].name;
    bool counts = vm_metrics[metric].counts;

    put_head(to, name, counts ? "counter" : "gauge", vm_metrics[metric].unit,
             vm_metrics[metric].help);
    for (size_t i = 0; i < count; i++) {
        int64_t value = vm_metrics[metric].tell(&told[i]);

        if (value == PROTO_UNKNOWN)
            continue;
        fprintf(to, "xenmem_%s%s{vm=\"", name, counts ? "_total" : "");
        put_label(to, told[i].vm->name);
        fputs("\"}", to);
        put_value(to, vm_metrics[metric].unit, value);
    }
}

/* Which of several states it is in: that one is there, and 1. */
static void put_states(FILE *to, const struct told *told, size_t count)
{
    put_head(to, "vm_info", "gauge", UNIT_COUNT, "State, memory status and mode of each VM.");
    for (size_t i = 0; i < count; i++) {
        fputs("xenmem_vm_info{vm=\"", to);
        put_label(to, told[i].vm->name);
        fprintf(to, "\",state=\"%s\",status=\"%s\",mode=\"%s\"} 1\n", told[i].record.state,
                told[i].record.status, told[i].record.mode);
    }
}

static void put_vms(FILE *to, const struct daemon *daemon)
{
    size_t count;
    const struct vm_entry **order = describe_order(daemon, &count);
    struct told *told = calloc(count + 1, sizeof(*told));
    char uuid[DESCRIBE_UUID];

    invariant(told);
    for (size_t i = 0; i < count; i++) {
        told[i].vm = order[i];
        describe_vm(daemon, order[i], &order[i]->settings, uuid, &told[i].record);
    }
    for (size_t i = 0; i < sizeof(vm_metrics) / sizeof(*vm_metrics); i++)
        put_vm_metric(to, i, told, count);
    put_states(to, told, count);
    free(told);
    free(order);
}

/* --- the daemon itself ----------------------------------------------------------------------- */

static void put_seconds(FILE *to, int64_t us)
{
    fprintf(to, "%" PRId64 ".%06d", us / 1000000, (int)(us % 1000000));
}

static void put_lag(FILE *to, const struct lag *lag)
{
    int64_t below = 0;

    put_head(to, "loop_lag_seconds", "histogram", UNIT_MS,
             "How late the daemon's loop comes to what is due.");
    for (size_t i = 0; i < LAG_BUCKETS; i++) {
        below += lag->counts[i];
        fputs("xenmem_loop_lag_seconds_bucket{le=\"", to);
        put_seconds(to, lag_bound_us(i));
        fprintf(to, "\"} %" PRId64 "\n", below);
    }
    fprintf(to, "xenmem_loop_lag_seconds_bucket{le=\"+Inf\"} %" PRId64 "\n", lag->count);
    fprintf(to, "xenmem_loop_lag_seconds_count %" PRId64 "\nxenmem_loop_lag_seconds_sum ",
            lag->count);
    put_seconds(to, lag->sum_us);
    fputc('\n', to);
}

static void put_daemon(FILE *to, const struct daemon *daemon)
{
    put_head(to, "build_info", "gauge", UNIT_COUNT, "Version and hypervisor of the daemon.");
    fprintf(to, "xenmem_build_info{version=\"%s\",backend=\"%s\"} 1\n", PACKAGE_VERSION,
            hv_kind(daemon->hv));
    put_counter(to, "passes", engine_status(daemon->engine)->passes, "Looks at the host.");
    put_counter(to, "actions", engine_status(daemon->engine)->actions,
                "Decisions that were carried out.");
    put_counter(to, "journal_dropped", db_dropped(daemon->db), "Journal rows that were lost.");
    put_one(to, "database_failing", UNIT_COUNT, db_is_failing(daemon->db, NULL),
            "1: the last write failed.");
    if (daemon->server)
        put_one(to, "clients", UNIT_COUNT, (int64_t)server_connections(daemon->server),
                "Connections to the socket.");
    if (daemon->loop)
        put_lag(to, loop_lag(daemon->loop));
}

char *metrics_text(const struct daemon *daemon)
{
    char *text = NULL;
    size_t length;
    FILE *to = open_memstream(&text, &length);

    invariant(to);
    put_daemon(to, daemon);
    put_host(to, daemon);
    put_vms(to, daemon);
    fputs("# EOF\n", to);
    invariant(fclose(to) == 0);
    return text;
}
