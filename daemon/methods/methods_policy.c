/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/err.h"
#include "base/units.h"
#include "daemon/daemon.h"
#include "daemon/memory.h"
#include "daemon/methods/methods.h"
#include "daemon/settings/changes.h"
#include "daemon/settings/layers.h"
#include "daemon/settings/policies.h"
#include "daemon/settings/policy.h"
#include "proto/proto.h"
#include "proto/records.h"

/* A policy that is being checked, applied or reverted. */
struct policy_call {
    struct call *call;
    char *name;
    char *description;
    bool changes;
    struct foresight foresight; /* as it was when it was asked for */
};

static struct policy_call *policy_call_new(struct call *call, const char *name,
                                           const char *description)
{
    struct policy_call *own = memory_new(1, sizeof(*own));

    own->call = call;
    own->name = memory_copy_text(name);
    own->description = memory_copy_text(description);
    return own;
}

static void policy_call_free(struct policy_call *own)
{
    foresight_fini(&own->foresight);
    free(own->name);
    free(own->description);
    free(own);
}

static void answer(struct policy_call *own, bool changed)
{
    struct proto_writer *writer = call_answer_begin(own->call);

    proto_object_begin(writer, NULL);
    proto_put_text(writer, "name", own->name);
    proto_put_text(writer, "description", own->description);
    proto_put_boolean(writer, "changed", changed);
    foresight_put(&own->foresight, writer);
    proto_object_end(writer);
    call_answer_end(own->call);
    policy_call_free(own);
}

static void on_changed(void *arg, int rc, const struct err *err)
{
    struct policy_call *own = arg;

    if (rc == 0) {
        answer(own, own->changes);
        return;
    }
    call_fail(own->call, err);
    policy_call_free(own);
}

/* The policy in the request's text, held to the rules; NULL where the call was answered. */
static struct policy *read_policy(struct daemon *daemon, struct call *call,
                                  const struct proto_request *request)
{
    struct policy *policy = NULL;
    struct err err;

    if (policy_read(proto_request_text(request, "file", "policy"),
                    proto_request_text(request, "text", ""), &policy, &err) == 0 &&
        policies_check(daemon, policy, &err) == 0)
        return policy;
    policy_free(policy);
    call_fail(call, &err);
    return NULL;
}

void method_policy_check(struct daemon *daemon, struct call *call,
                         const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"text", PROTO_TEXT, true}, {"file", PROTO_TEXT, false}, {NULL, PROTO_TEXT, false}};
    struct policy_call *own;
    struct policy *policy;

    if (!method_accept(call, request, params))
        return;
    policy = read_policy(daemon, call, request);
    if (!policy)
        return;
    own = policy_call_new(call, policy->name, policy->description);
    policies_foresee(daemon, policy, &own->foresight);
    policy_free(policy);
    answer(own, false);
}

void method_policy_apply(struct daemon *daemon, struct call *call,
                         const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"text", PROTO_TEXT, true},        {"file", PROTO_TEXT, false}, {"for", PROTO_TEXT, false},
        {"dry_run", PROTO_BOOLEAN, false}, {NULL, PROTO_TEXT, false},
    };
    const char *span;
    int64_t for_ms = 0;
    struct policy_call *own;
    struct policy *policy;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    span = proto_request_text(request, "for", NULL);
    if (span && duration_parse(span, &for_ms, &err)) {
        err_wrap(&err, "for");
        call_fail(call, &err);
        return;
    }
    policy = read_policy(daemon, call, request);
    if (!policy)
        return;
    own = policy_call_new(call, policy->name, policy->description);
    own->changes = !policies_in_force(daemon->layers, policy, for_ms);
    policies_foresee(daemon, policy, &own->foresight);
    if (!proto_request_boolean(request, "dry_run", false)) {
        changes_apply(daemon->changes, policy, for_ms, call_uid(call), on_changed, own);
        return;
    }
    policy_free(policy);
    answer(own, false);
}

void method_policy_revert(struct daemon *daemon, struct call *call,
                          const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"name", PROTO_TEXT, true}, {"dry_run", PROTO_BOOLEAN, false}, {NULL, PROTO_TEXT, false}};
    struct policy_call *own;
    const char *name;

    if (!method_accept(call, request, params))
        return;
    name = proto_request_text(request, "name", "");
    own = policy_call_new(call, name, "");
    own->changes = true;
    if (policies_find(daemon->layers, name)) {
        policies_foresee_revert(daemon, name, &own->foresight);
        if (proto_request_boolean(request, "dry_run", false)) {
            answer(own, false);
            return;
        }
    }
    changes_revert(daemon->changes, name, call_uid(call), on_changed, own);
}

static void put_said(struct proto_writer *writer, const struct setting_def *defs, unsigned n_defs,
                     const struct setting_partial *said)
{
    for (unsigned key = 0; key < n_defs; key++)
        if (setting_has(said, key))
            proto_put_setting(writer, defs[key].wire_name, &defs[key], said->value[key]);
}

static void put_match(void *arg, const char *match, const struct setting_partial *said)
{
    struct proto_writer *writer = arg;

    proto_object_begin(writer, NULL);
    proto_put_text(writer, "match", match);
    put_said(writer, vm_setting_defs, VM_KEY_COUNT, said);
    proto_object_end(writer);
}

static void put_layer(struct proto_writer *writer, const struct layer *layer)
{
    proto_object_begin(writer, NULL);
    proto_put_text(writer, "name", layer_name(layer));
    proto_put_integer(writer, "applied_ms", layer_created_ms(layer));
    if (layer_expires_ms(layer) > 0)
        proto_put_integer(writer, "expires_ms", layer_expires_ms(layer));
    else
        proto_put_null(writer, "expires_ms");
    proto_object_begin(writer, "host");
    put_said(writer, host_setting_defs, HOST_KEY_COUNT, layer_host_says(layer));
    proto_object_end(writer);
    proto_array_begin(writer, "vms");
    layer_each(layer, put_match, writer);
    proto_array_end(writer);
    proto_object_end(writer);
}

void method_policy_list(struct daemon *daemon, struct call *call,
                        const struct proto_request *request)
{
    struct proto_writer *writer;

    if (!method_accept(call, request, method_no_params))
        return;
    writer = call_answer_begin(call);
    proto_array_begin(writer, NULL);
    for (size_t i = 0; i < layers_count(daemon->layers); i++)
        if (layer_kind_of(layers_at(daemon->layers, i)) == LAYER_POLICY)
            put_layer(writer, layers_at(daemon->layers, i));
    proto_array_end(writer);
    call_answer_end(call);
}
