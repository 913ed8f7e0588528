/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/methods/methods.h"

#include "base/err.h"
#include "proto/proto.h"

const struct proto_param method_no_params[] = {{NULL, PROTO_TEXT, false}};

bool method_accept(struct call *call, const struct proto_request *request,
                   const struct proto_param *params)
{
    struct err err;

    if (proto_request_check(request, params, &err) == 0)
        return true;
    call_fail(call, &err);
    return false;
}

const struct method methods[] = {
    {"host.get", ACCESS_READ, method_host_get},
    {"vm.list", ACCESS_READ, method_vm_list},
    {"vm.get", ACCESS_READ, method_vm_get},
    {"vm.explain", ACCESS_READ, method_vm_explain},
    {"vm.set", ACCESS_ADMIN, method_vm_set},
    {"vm.forget", ACCESS_ADMIN, method_vm_forget},
    {"vm.build", ACCESS_READ, method_vm_build},
    {"vm.freeze", ACCESS_OPERATE, method_vm_freeze},
    {"vm.thaw", ACCESS_OPERATE, method_vm_thaw},
    {"plan.get", ACCESS_READ, method_plan_get},
    {"balance", ACCESS_OPERATE, method_balance},
    {"events", ACCESS_READ, method_events},
    {"metrics", ACCESS_READ, method_metrics},
    {"doctor", ACCESS_READ, method_doctor},
    {"policy.check", ACCESS_READ, method_policy_check},
    {"policy.apply", ACCESS_ADMIN, method_policy_apply},
    {"policy.revert", ACCESS_ADMIN, method_policy_revert},
    {"policy.list", ACCESS_READ, method_policy_list},
    {"hooks.list", ACCESS_READ, method_hooks_list},
    {"hooks.test", ACCESS_ADMIN, method_hooks_test},
    {"reservation.create", ACCESS_OPERATE, method_reservation_create},
    {"reservation.list", ACCESS_READ, method_reservation_list},
    {"reservation.release", ACCESS_OPERATE, method_reservation_release},
    {"reservation.hold", ACCESS_OPERATE, method_reservation_hold},
    {"history.get", ACCESS_READ, method_history_get},
    {"db.backup", ACCESS_ADMIN, method_db_backup},
    {"settings.export", ACCESS_READ, method_settings_export},
    {"settings.import", ACCESS_ADMIN, method_settings_import},
    {NULL, ACCESS_NONE, NULL},
};
