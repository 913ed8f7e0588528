/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/err.h"
#include "daemon/build.h"
#include "daemon/daemon.h"
#include "daemon/memory.h"
#include "daemon/methods/describe.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/set_request.h"
#include "daemon/registry.h"
#include "daemon/settings/changes.h"
#include "proto/proto.h"

static const struct proto_param name_params[] = {{"name", PROTO_TEXT, true},
                                                 {NULL, PROTO_TEXT, false}};

struct vm_entry *method_named_vm(struct daemon *daemon, struct call *call,
                                 const struct proto_request *request)
{
    const char *name = proto_request_text(request, "name", "");
    struct vm_entry *vm = registry_find(daemon->registry, name);
    struct err err;

    if (vm)
        return vm;
    err_set(&err, ERR_NOT_FOUND, "there is no VM named '%s'; `xenmemctl list` has their names",
            name);
    call_fail(call, &err);
    return NULL;
}

void method_vm_list(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    const struct vm_entry **order;
    struct proto_writer *answer;
    size_t count;

    if (!method_accept(call, request, method_no_params) || call_answer_again(call, SHARED_VM_LIST))
        return;
    order = describe_order(daemon, &count);
    answer = call_answer_begin(call);
    proto_array_begin(answer, NULL);
    for (size_t i = 0; i < count; i++) {
        char uuid[DESCRIBE_UUID];
        struct proto_vm vm;

        describe_vm(daemon, order[i], &order[i]->settings, uuid, &vm);
        proto_put_vm(answer, NULL, &vm, false);
    }
    proto_array_end(answer);
    call_answer_end_shared(call, SHARED_VM_LIST);
    free(order);
}

void method_vm_get(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    struct proto_origin origins[VM_KEY_COUNT];
    const struct vm_entry *vm;
    struct proto_vm record;
    char uuid[DESCRIBE_UUID];

    if (!method_accept(call, request, name_params))
        return;
    vm = method_named_vm(daemon, call, request);
    if (!vm)
        return;
    describe_vm(daemon, vm, &vm->settings, uuid, &record);
    describe_origins(daemon, origins, &record);
    proto_put_vm(call_answer_begin(call), NULL, &record, true);
    call_answer_end(call);
}

/* What was decided before its settings were these says nothing of them. */
static void leave_out_decision(struct proto_vm *record)
{
    record->reason = record->reason_text = NULL;
    record->wanted_kib = record->goal_kib = record->lowest_kib = PROTO_UNKNOWN;
}

static void answer_set(struct daemon *daemon, struct call *call, const struct set_request *set,
                       bool is_done)
{
    struct proto_writer *answer = call_answer_begin(call);
    struct proto_origin origins[VM_KEY_COUNT];
    char uuid[DESCRIBE_UUID];
    struct proto_vm record;

    describe_vm(daemon, &set->vm, &set->outcome, uuid, &record);
    leave_out_decision(&record);
    if (is_done)
        describe_origins(daemon, origins, &record);
    proto_object_begin(answer, NULL);
    proto_put_vm(answer, "vm", &record, true);
    proto_array_begin(answer, "warnings");
    for (size_t i = 0; i < set->n_warnings; i++)
        proto_put_text(answer, NULL, set->warnings[i]);
    proto_array_end(answer);
    proto_object_end(answer);
    call_answer_end(call);
}

/* A `set` on its way to the disk. */
struct setting_call {
    struct daemon *daemon;
    struct call *call;
    struct set_request set;
};

static void on_set(void *arg, int rc, const struct err *err)
{
    struct setting_call *setting = arg;

    if (rc) {
        call_fail(setting->call, err);
    } else {
        set_request_refresh(&setting->set, setting->daemon);
        answer_set(setting->daemon, setting->call, &setting->set, true);
    }
    free(setting);
}

void method_vm_set(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"name", PROTO_TEXT, true},      {"settings", PROTO_TEXTS, true},
        {"for", PROTO_TEXT, false},      {"dry_run", PROTO_BOOLEAN, false},
        {"force", PROTO_BOOLEAN, false}, {NULL, PROTO_TEXT, false},
    };
    struct setting_call *setting;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    setting = memory_new(1, sizeof(*setting));
    setting->daemon = daemon;
    setting->call = call;
    if (set_request_read(&setting->set, daemon, request, &err)) {
        call_fail(call, &err);
        free(setting);
        return;
    }
    if (proto_request_boolean(request, "dry_run", false)) {
        answer_set(daemon, call, &setting->set, false);
        free(setting);
        return;
    }
    changes_set(daemon->changes, setting->set.name, &setting->set.said, setting->set.for_ms,
                call_uid(call), on_set, setting);
}

void method_vm_forget(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    if (method_accept(call, request, name_params))
        changes_forget(daemon->changes, proto_request_text(request, "name", ""), call_uid(call),
                       call_answer_done, call);
}

/* --- vm.build --------------------------------------------------------------------------------- */

static int read_type(const struct proto_request *request, enum build_type *out, struct err *err)
{
    static const char *const types[] = {
        [BUILD_PV] = "pv", [BUILD_PVH] = "pvh", [BUILD_HVM] = "hvm"};
    const char *text = proto_request_text(request, "type", types[*out]);

    for (enum build_type type = BUILD_PV; type <= BUILD_HVM; type++)
        if (strcmp(text, types[type]) == 0) {
            *out = type;
            return 0;
        }
    return err_set(err, ERR_INVALID, "type: '%s' is none of pv, pvh, hvm", text);
}

/* An amount that need not be said. */
static int read_part(const struct proto_request *request, const char *name, struct kib *out,
                     struct err *err)
{
    *out = kib(proto_request_integer(request, name, out->v));
    if (out->v > KIB_LIMIT)
        return err_set(err, ERR_INVALID, "%s: more than 1 PiB", name);
    return 0;
}

/* What the toolstack's configuration says, and what is usual where it says nothing. */
static int read_build(const struct proto_request *request, struct build *out, struct err *err)
{
    *out = build_usual(kib(proto_request_integer(request, "memory_kib", 0)),
                       kib(proto_request_integer(request, "maxmem_kib", 0)));
    if (out->memory.v < 0 || out->memory.v > out->maxmem.v || out->maxmem.v > KIB_LIMIT)
        return err_set(err, ERR_INVALID,
                       "memory_kib and maxmem_kib: 0 <= memory <= maxmem <= 1 PiB");
    out->vcpus = proto_request_integer(request, "vcpus", out->vcpus);
    if (out->vcpus < 1 || out->vcpus > BUILD_VCPUS_MOST)
        return err_set(err, ERR_INVALID, "vcpus: 1 to %d", BUILD_VCPUS_MOST);
    out->stub = proto_request_boolean(request, "stub", out->stub);
    out->passthrough = proto_request_boolean(request, "passthrough", out->passthrough);
    if (read_type(request, &out->type, err) || read_part(request, "video_kib", &out->video, err) ||
        read_part(request, "shadow_kib", &out->shadow, err))
        return -1;
    return 0;
}

void method_vm_build(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {{"name", PROTO_TEXT, true},
                                                {"memory_kib", PROTO_INTEGER, true},
                                                {"maxmem_kib", PROTO_INTEGER, true},
                                                {"type", PROTO_TEXT, false},
                                                {"vcpus", PROTO_INTEGER, false},
                                                {"video_kib", PROTO_INTEGER, false},
                                                {"shadow_kib", PROTO_INTEGER, false},
                                                {"stub", PROTO_BOOLEAN, false},
                                                {"passthrough", PROTO_BOOLEAN, false},
                                                {"restored", PROTO_BOOLEAN, false},
                                                {NULL, PROTO_TEXT, false}};
    struct proto_writer *answer;
    struct build build;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    if (read_build(request, &build, &err)) {
        call_fail(call, &err);
        return;
    }
    if (!proto_request_boolean(request, "restored", false))
        build_apply_settings(daemon->layers, proto_request_text(request, "name", ""), &build);
    answer = call_answer_begin(call);
    proto_object_begin(answer, NULL);
    proto_put_integer(answer, "startup_kib", build.memory.v);
    proto_put_integer(answer, "maximum_kib", build.maxmem.v);
    proto_put_integer(answer, "needs_kib", build_needs(&build).v);
    proto_object_end(answer);
    call_answer_end(call);
}
