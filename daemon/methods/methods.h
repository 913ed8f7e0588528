/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients may ask for: the table is in methods.c, what each method does in the file of its
 * noun, methods_NOUN.c.
 */
#ifndef DAEMON_METHODS_METHODS_H
#define DAEMON_METHODS_METHODS_H

#include <stdbool.h>

#include "daemon/clients/server.h"
#include "proto/proto.h"

struct vm_entry;

/* True where the parameters are those of the table; else the call was answered. */
bool method_accept(struct call *call, const struct proto_request *request,
                   const struct proto_param *params);

/* For methods without parameters. */
extern const struct proto_param method_no_params[];

/* The VM that the parameter name names; NULL where there is none: then the call was answered. */
struct vm_entry *method_named_vm(struct daemon *daemon, struct call *call,
                                 const struct proto_request *request);

/* methods_host.c */
method_fn method_host_get;

/* methods_vm.c */
method_fn method_vm_list, method_vm_get, method_vm_set, method_vm_forget, method_vm_build;

/* methods_metrics.c */
method_fn method_metrics;

/* methods_doctor.c */
method_fn method_doctor;

/* methods_freeze.c */
method_fn method_vm_freeze, method_vm_thaw;

/* methods_policy.c */
method_fn method_policy_check, method_policy_apply, method_policy_revert, method_policy_list;

/* methods_hooks.c */
method_fn method_hooks_list, method_hooks_test;

/* methods_plan.c */
method_fn method_vm_explain, method_plan_get;

/* methods_balance.c */
method_fn method_balance;

/* methods_reservation.c */
method_fn method_reservation_create, method_reservation_list, method_reservation_release,
    method_reservation_hold;

/* methods_history.c */
method_fn method_history_get;

/* methods_db.c */
method_fn method_db_backup, method_settings_export, method_settings_import;

/* methods_events.c */
method_fn method_events;

#endif
