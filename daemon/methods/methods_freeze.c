/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"
#include "base/units.h"
#include "daemon/daemon.h"
#include "daemon/freezes.h"
#include "daemon/methods/methods.h"
#include "daemon/registry.h"
#include "proto/proto.h"

void method_vm_freeze(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"name", PROTO_TEXT, true}, {"for", PROTO_TEXT, false}, {NULL, PROTO_TEXT, false}};
    struct vm_entry *vm;
    const char *text;
    int64_t for_ms = 0;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    text = proto_request_text(request, "for", NULL);
    if (text && duration_parse(text, &for_ms, &err)) {
        err_wrap(&err, "for");
        call_fail(call, &err);
        return;
    }
    vm = method_named_vm(daemon, call, request);
    if (vm)
        freezes_set(daemon->freezes, call, vm, for_ms);
}

void method_vm_thaw(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {{"name", PROTO_TEXT, true},
                                                {NULL, PROTO_TEXT, false}};
    struct vm_entry *vm;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    vm = method_named_vm(daemon, call, request);
    if (vm && !vm->frozen) {
        err_set(&err, ERR_INVALID, "%s is not frozen", vm->name);
        call_fail(call, &err);
    } else if (vm) {
        freezes_clear(daemon->freezes, call, vm);
    }
}
