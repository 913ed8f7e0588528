/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/methods/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/memory.h"
#include "daemon/registry.h"
#include "daemon/settings/layers.h"
#include "daemon/snapshot.h"
#include "hv/hv.h"

/* The names that operators type are those that they are shown. */
static const char *choice(const struct setting_def *def, int64_t value)
{
    return def->choices[value];
}

static void count_domains(const struct registry *registry, struct proto_host *out)
{
    for (size_t i = 0; i < registry->n_domains; i++) {
        const struct domain *domain = &registry->domains[i];

        if (domain->now.dom0 || domain->now.stub)
            continue;
        out->vms++;
        if (domain->vm && domain->vm->settings.mode != VM_MODE_IGNORED)
            out->managed++;
    }
}

void describe_host(const struct daemon *daemon, struct proto_node *nodes, struct proto_host *out)
{
    const struct engine_status *status = engine_status(daemon->engine);
    const struct hv_host *host = &status->host;
    struct kib left = kib_add(status->uncommitted, status->settings.reserve);

    *out = (struct proto_host){
        .backend = hv_kind(daemon->hv),
        .simulated = strcmp(hv_kind(daemon->hv), "xen") != 0,
        .total_kib = host->total.v,
        .free_kib = host->free.v,
        .reserve_kib = status->settings.reserve.v,
        .headroom_kib = status->settings.headroom.v,
        .reserved_kib = status->unbound.v,
        .claimed_kib = host->claimed.v,
        .promised_kib = kib_sub(kib_sub(host->free, status->unbound), left).v,
        .available_kib = kib_max(status->uncommitted, kib(0)).v,
        .dom0_kib = status->dom0.v,
        .assigned_kib = status->assigned.v,
        .demand_kib = status->demand.v,
        .shared_kib = host->shared.v,
        .action = choice(&host_setting_defs[HOST_KEY_ACTION], status->settings.action),
        .surplus = choice(&host_setting_defs[HOST_KEY_SURPLUS], status->settings.surplus),
        .settled = status->settled,
        .invariant_broken = status->invariant_broken,
        .nodes = nodes,
        .n_nodes = host->n_nodes,
    };
    for (size_t i = 0; i < host->n_nodes; i++)
        nodes[i] = (struct proto_node){host->nodes[i].total.v, host->nodes[i].free.v};
    count_domains(daemon->registry, out);
}

static void format_uuid(const uint8_t uuid[16], char out[DESCRIBE_UUID])
{
    char *at = out;

    for (int i = 0; i < 16; i++)
        at += sprintf(at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

static void describe_report(const struct hv_domain *now, int64_t age_ms, struct proto_vm *out)
{
    const struct guest_report *report = &now->report;

    out->source = need_source_name(report->source);
    out->report_age_ms = report->source == NEED_NONE ? PROTO_UNKNOWN : age_ms;
    if (report->source != NEED_AGENT)
        return;
    out->available_kib = report->available.v;
    out->swap_used_kib = report->swap_used.v;
    out->cache_kib = report->cache.v;
    out->floor_kib = report->floor.v;
    out->psi_some = report->psi_some;
    out->psi_full = report->psi_full;
    out->oom_kills = (int64_t)report->oom_kills;
}

/* A domain that was never decided about (it came since the last pass) has a zeroed verdict. */
static void describe_verdict(const struct verdict *verdict, struct proto_vm *out)
{
    out->state = vm_state_name(verdict->state);
    out->demand_kib = verdict->demand.v < 0 ? PROTO_UNKNOWN : verdict->demand.v;
    out->pressure = verdict->pressure < 0 ? PROTO_UNKNOWN : verdict->pressure;
    out->status = vm_status_name(verdict->status);
    out->reason = reason_name(verdict->reason);
    out->reason_text = reason_text(verdict->reason);
    out->need_kib = verdict->need.v < 0 ? PROTO_UNKNOWN : verdict->need.v;
    out->wanted_kib = verdict->demand.v < 0 ? PROTO_UNKNOWN : verdict->wanted.v;
    out->goal_kib = verdict->goal.v;
    out->lowest_kib = verdict->low.v;
}

static void describe_domain(const struct domain *domain, int64_t now_ms, char uuid[DESCRIBE_UUID],
                            struct proto_vm *out)
{
    const struct hv_domain *now = &domain->now;

    format_uuid(now->ref.uuid, uuid);
    out->uuid = uuid;
    out->id = now->ref.domid;
    out->assigned_kib = now->assigned.v;
    out->target_kib = now->target.v > 0 ? now->target.v : PROTO_UNKNOWN;
    out->overridden = domain->overridden;
    out->cap_kib = now->cap_unlimited ? PROTO_UNKNOWN : now->cap.v;
    out->static_max_kib = now->static_max.v > 0 ? now->static_max.v : PROTO_UNKNOWN;
    out->offset_kib = now->offset.v;
    describe_verdict(&domain->verdict, out);
    describe_report(now, now_ms - now->report_ms, out);
    out->fresh = snapshot_report_is_fresh(&now->report, now_ms - now->report_ms);
}

void describe_vm(const struct daemon *daemon, const struct vm_entry *vm,
                 const struct vm_settings *settings, char uuid[DESCRIBE_UUID], struct proto_vm *out)
{
    *out = (struct proto_vm){
        .name = vm->name,
        .id = PROTO_UNKNOWN,
        .state = vm_state_name(VM_OFF),
        .assigned_kib = PROTO_UNKNOWN,
        .demand_kib = PROTO_UNKNOWN,
        .pressure = PROTO_UNKNOWN,
        .status = vm_status_name(VM_STATUS_UNKNOWN),
        .target_kib = PROTO_UNKNOWN,
        .minimum_kib = settings->minimum.v,
        .startup_kib = settings->startup.v,
        .maximum_kib = settings->maximum.v,
        .buffer_percent = settings->buffer_percent,
        .priority = settings->priority,
        .mode = choice(&vm_setting_defs[VM_KEY_MODE], settings->mode),
        .trust = settings->trust,
        .need_kib = PROTO_UNKNOWN,
        .wanted_kib = PROTO_UNKNOWN,
        .goal_kib = PROTO_UNKNOWN,
        .lowest_kib = PROTO_UNKNOWN,
        .cap_kib = PROTO_UNKNOWN,
        .static_max_kib = PROTO_UNKNOWN,
        .offset_kib = PROTO_UNKNOWN,
        .source = need_source_name(NEED_NONE),
        .report_age_ms = PROTO_UNKNOWN,
        .available_kib = PROTO_UNKNOWN,
        .swap_used_kib = PROTO_UNKNOWN,
        .cache_kib = PROTO_UNKNOWN,
        .floor_kib = PROTO_UNKNOWN,
        .psi_some = PROTO_UNKNOWN,
        .psi_full = PROTO_UNKNOWN,
        .oom_kills = PROTO_UNKNOWN,
        .frozen = vm->frozen,
        .frozen_until_ms = vm->frozen_until_ms > 0 ? vm->frozen_until_ms : PROTO_UNKNOWN,
    };
    if (vm->domain)
        describe_domain(vm->domain, engine_status(daemon->engine)->now_ms, uuid, out);
}

void describe_origins(const struct daemon *daemon, struct proto_origin origins[VM_KEY_COUNT],
                      struct proto_vm *out)
{
    static const char *const kinds[] = {[LAYER_CONFIG] = "configuration",
                                        [LAYER_BASE] = "set",
                                        [LAYER_TIMED] = "timed",
                                        [LAYER_POLICY] = "policy"};

    for (unsigned key = 0; key < VM_KEY_COUNT; key++) {
        const struct layer *layer = layers_source(daemon->layers, out->name, key);
        bool is_policy = layer && layer_kind_of(layer) == LAYER_POLICY;
        int64_t expires_ms = layer ? layer_expires_ms(layer) : 0;

        origins[key] = (struct proto_origin){
            .setting = vm_setting_defs[key].wire_name,
            .layer = layer ? kinds[layer_kind_of(layer)] : "default",
            .policy = is_policy ? layer_name(layer) : NULL,
            .expires_ms = expires_ms > 0 ? expires_ms : PROTO_UNKNOWN,
        };
    }
    out->origins = origins;
    out->n_origins = VM_KEY_COUNT;
}

static int by_name(const void *a, const void *b)
{
    const struct vm_entry *const *left = a, *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

const struct vm_entry **describe_order(const struct daemon *daemon, size_t *count)
{
    size_t n = HASH_COUNT(daemon->registry->vms), i = 0;
    const struct vm_entry **order = memory_new(n, sizeof(*order));

    for (const struct vm_entry *vm = daemon->registry->vms; vm; vm = vm->hh.next)
        order[i++] = vm;
    qsort(order, n, sizeof(*order), by_name);
    *count = n;
    return order;
}
