/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/records.h"

#include "core/settings.h"
#include "proto/proto.h"

static void put_amount(struct proto_writer *writer, const char *key, int64_t value)
{
    if (value == PROTO_UNKNOWN)
        proto_put_null(writer, key);
    else
        proto_put_integer(writer, key, value);
}

void proto_put_setting(struct proto_writer *writer, const char *key, const struct setting_def *def,
                       int64_t value)
{
    if (def->type == SETTING_CHOICE)
        proto_put_text(writer, key, def->choices[value]);
    else if (def->type == SETTING_BOOLEAN)
        proto_put_boolean(writer, key, value != 0);
    else
        proto_put_integer(writer, key, value);
}

static void put_nodes(struct proto_writer *writer, const struct proto_host *host)
{
    proto_array_begin(writer, "nodes");
    for (size_t i = 0; i < host->n_nodes; i++) {
        proto_object_begin(writer, NULL);
        proto_put_integer(writer, "total_kib", host->nodes[i].total_kib);
        proto_put_integer(writer, "free_kib", host->nodes[i].free_kib);
        proto_object_end(writer);
    }
    proto_array_end(writer);
}

void proto_put_host(struct proto_writer *writer, const char *key, const struct proto_host *host)
{
    proto_object_begin(writer, key);
    proto_put_text(writer, "backend", host->backend);
    proto_put_boolean(writer, "simulated", host->simulated);
    put_amount(writer, "total_kib", host->total_kib);
    put_amount(writer, "free_kib", host->free_kib);
    put_amount(writer, "reserve_kib", host->reserve_kib);
    put_amount(writer, "headroom_kib", host->headroom_kib);
    put_amount(writer, "reserved_kib", host->reserved_kib);
    put_amount(writer, "claimed_kib", host->claimed_kib);
    put_amount(writer, "promised_kib", host->promised_kib);
    put_amount(writer, "available_kib", host->available_kib);
    put_amount(writer, "dom0_kib", host->dom0_kib);
    put_amount(writer, "assigned_kib", host->assigned_kib);
    put_amount(writer, "demand_kib", host->demand_kib);
    put_amount(writer, "shared_kib", host->shared_kib);
    proto_put_integer(writer, "vms", host->vms);
    proto_put_integer(writer, "managed", host->managed);
    proto_put_text(writer, "action", host->action);
    proto_put_text(writer, "surplus", host->surplus);
    proto_put_boolean(writer, "settled", host->settled);
    proto_put_boolean(writer, "invariant_broken", host->invariant_broken);
    put_nodes(writer, host);
    proto_object_end(writer);
}

static void put_origins(struct proto_writer *writer, const struct proto_vm *vm)
{
    if (!vm->origins) {
        proto_put_null(writer, "origins");
        return;
    }
    proto_object_begin(writer, "origins");
    for (size_t i = 0; i < vm->n_origins; i++) {
        const struct proto_origin *origin = &vm->origins[i];

        proto_object_begin(writer, origin->setting);
        proto_put_text(writer, "layer", origin->layer);
        proto_put_text(writer, "policy", origin->policy);
        put_amount(writer, "expires_ms", origin->expires_ms);
        proto_object_end(writer);
    }
    proto_object_end(writer);
}

static void put_details(struct proto_writer *writer, const struct proto_vm *vm)
{
    proto_put_text(writer, "uuid", vm->uuid);
    proto_put_text(writer, "reason_text", vm->reason_text);
    put_amount(writer, "need_kib", vm->need_kib);
    put_amount(writer, "wanted_kib", vm->wanted_kib);
    put_amount(writer, "goal_kib", vm->goal_kib);
    put_amount(writer, "lowest_kib", vm->lowest_kib);
    put_amount(writer, "cap_kib", vm->cap_kib);
    put_amount(writer, "static_max_kib", vm->static_max_kib);
    put_amount(writer, "offset_kib", vm->offset_kib);
    proto_put_text(writer, "source", vm->source);
    proto_put_boolean(writer, "fresh", vm->fresh);
    put_amount(writer, "report_age_ms", vm->report_age_ms);
    put_amount(writer, "available_kib", vm->available_kib);
    put_amount(writer, "swap_used_kib", vm->swap_used_kib);
    put_amount(writer, "cache_kib", vm->cache_kib);
    put_amount(writer, "floor_kib", vm->floor_kib);
    put_amount(writer, "psi_some", vm->psi_some);
    put_amount(writer, "psi_full", vm->psi_full);
    put_amount(writer, "oom_kills", vm->oom_kills);
    proto_put_boolean(writer, "frozen", vm->frozen);
    put_amount(writer, "frozen_until_ms", vm->frozen_until_ms);
    put_origins(writer, vm);
}

void proto_put_vm(struct proto_writer *writer, const char *key, const struct proto_vm *vm,
                  bool whole)
{
    proto_object_begin(writer, key);
    proto_put_text(writer, "name", vm->name);
    put_amount(writer, "id", vm->id);
    proto_put_text(writer, "state", vm->state);
    put_amount(writer, "assigned_kib", vm->assigned_kib);
    put_amount(writer, "demand_kib", vm->demand_kib);
    put_amount(writer, "pressure", vm->pressure);
    proto_put_text(writer, "status", vm->status);
    put_amount(writer, "target_kib", vm->target_kib);
    proto_put_integer(writer, "minimum_kib", vm->minimum_kib);
    proto_put_integer(writer, "startup_kib", vm->startup_kib);
    proto_put_integer(writer, "maximum_kib", vm->maximum_kib);
    proto_put_integer(writer, "buffer_percent", vm->buffer_percent);
    proto_put_integer(writer, "priority", vm->priority);
    proto_put_text(writer, "mode", vm->mode);
    proto_put_boolean(writer, "trust", vm->trust);
    proto_put_boolean(writer, "overridden", vm->overridden);
    proto_put_text(writer, "reason", vm->reason);
    if (whole)
        put_details(writer, vm);
    proto_object_end(writer);
}

void proto_put_event(struct proto_writer *writer, const char *key, const struct proto_event *event)
{
    proto_object_begin(writer, key);
    proto_put_integer(writer, "id", event->id);
    proto_put_integer(writer, "time_ms", event->time_ms);
    proto_put_text(writer, "event", event->kind);
    proto_put_text(writer, "vm", event->vm);
    put_amount(writer, "domid", event->domid < 0 ? PROTO_UNKNOWN : event->domid);
    put_amount(writer, "uid", event->uid < 0 ? PROTO_UNKNOWN : event->uid);
    proto_put_text(writer, "reason", event->reason);
    proto_put_text(writer, "detail", event->detail);
    proto_object_end(writer);
}

void proto_history_begin(struct proto_writer *writer, const char *vm, int64_t step_ms)
{
    proto_object_begin(writer, NULL);
    proto_put_text(writer, "vm", vm);
    proto_put_integer(writer, "step_ms", step_ms);
    proto_array_begin(writer, "samples");
}

void proto_put_sample(struct proto_writer *writer, const struct proto_sample *sample)
{
    proto_object_begin(writer, NULL);
    proto_put_integer(writer, "time_ms", sample->time_ms);
    put_amount(writer, "assigned_kib", sample->assigned_kib);
    put_amount(writer, "demand_kib", sample->demand_kib);
    put_amount(writer, "target_kib", sample->target_kib);
    put_amount(writer, "pressure", sample->pressure);
    put_amount(writer, "free_kib", sample->free_kib);
    proto_object_end(writer);
}

void proto_history_end(struct proto_writer *writer)
{
    proto_array_end(writer);
    proto_object_end(writer);
}
