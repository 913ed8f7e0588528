/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was decided and why, and what would be: vm.explain and plan.get. */
#include <stdlib.h>

#include "base/err.h"
#include "core/explain.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/memory.h"
#include "daemon/methods/methods.h"
#include "daemon/methods/set_request.h"
#include "daemon/methods/trial.h"
#include "daemon/registry.h"
#include "proto/proto.h"

/* Steps on their way out, numbered from 1. */
struct telling {
    struct proto_writer *writer;
    int64_t step;
};

static void tell(struct telling *telling, const char *vm, const struct explain_step *step)
{
    proto_object_begin(telling->writer, NULL);
    proto_put_integer(telling->writer, "step", ++telling->step);
    proto_put_text(telling->writer, "vm", vm);
    proto_put_text(telling->writer, "code", step->code);
    proto_put_text(telling->writer, "text", step->text);
    proto_object_begin(telling->writer, "figures");
    for (size_t i = 0; i < step->n_figures; i++)
        proto_put_integer(telling->writer, step->figures[i].name, step->figures[i].value);
    proto_object_end(telling->writer);
    proto_object_end(telling->writer);
}

/* --- vm.explain ------------------------------------------------------------------------------ */

static size_t explain(const struct daemon *daemon, const struct vm_entry *vm,
                      struct explain_step steps[EXPLAIN_VM_STEPS])
{
    const struct snapshot *snapshot;
    const struct decision *decision;

    if (!vm->domain) {
        explain_off(&steps[0]);
        return 1;
    }
    engine_last(daemon->engine, &snapshot, &decision);
    return explain_vm(snapshot, decision, &vm->domain->track,
                      (size_t)(vm->domain - daemon->registry->domains), steps);
}

void method_vm_explain(struct daemon *daemon, struct call *call,
                       const struct proto_request *request)
{
    static const struct proto_param params[] = {{"name", PROTO_TEXT, true},
                                                {NULL, PROTO_TEXT, false}};
    struct explain_step steps[EXPLAIN_VM_STEPS];
    struct telling telling = {0};
    const struct vm_entry *vm;
    size_t count;

    if (!method_accept(call, request, params))
        return;
    vm = method_named_vm(daemon, call, request);
    if (!vm)
        return;
    count = explain(daemon, vm, steps);
    telling.writer = call_answer_begin(call);
    proto_object_begin(telling.writer, NULL);
    proto_put_text(telling.writer, "name", vm->name);
    proto_array_begin(telling.writer, "steps");
    for (size_t i = 0; i < count; i++)
        tell(&telling, vm->name, &steps[i]);
    proto_array_end(telling.writer);
    proto_object_end(telling.writer);
    call_answer_end(call);
}

/* --- plan.get -------------------------------------------------------------------------------- */

/* What is asked, and the answer in the making. */
struct plan_call {
    struct daemon *daemon;
    struct set_request set; /* what is tried; nothing said: nothing is */
    struct want start;      /* of size 0: none */
    bool is_feasible;       /* the start is */
    struct trial trial;
    struct telling telling;
};

static int read_start(struct plan_call *plan, const struct proto_request *request, struct err *err)
{
    const struct setting_def *def = &vm_setting_defs[VM_KEY_PRIORITY];
    const char *size = proto_request_text(request, "start", NULL);
    int64_t priority = proto_request_integer(request, "priority", def->fallback);

    if (setting_check(def, priority, err))
        return -1;
    plan->start.priority = (int32_t)priority;
    if (!size)
        return 0;
    if (kib_parse(size, &plan->start.size, err))
        return err_wrap(err, "start");
    if (plan->start.size.v == 0)
        return err_set(err, ERR_INVALID, "start: a start of nothing needs no plan");
    return 0;
}

static int read_settings(struct plan_call *plan, const struct proto_request *request,
                         struct err *err)
{
    if (!proto_request_text(request, "name", NULL))
        return 0;
    if (set_request_read(&plan->set, plan->daemon, request, err))
        return -1;
    plan->trial.domain = plan->set.vm.domain;
    plan->trial.settings = plan->set.outcome;
    return 0;
}

static const char *name_of(const struct plan_call *plan, size_t index)
{
    return plan->daemon->registry->domains[index].now.name;
}

static void tell_settings(struct plan_call *plan)
{
    int64_t from[VM_KEY_COUNT], to[VM_KEY_COUNT];

    if (plan->set.said.has == 0)
        return;
    vm_settings_values(&plan->set.vm.settings, from);
    vm_settings_values(&plan->set.outcome, to);
    for (unsigned key = 0; key < VM_KEY_COUNT; key++) {
        const struct setting_def *def = &vm_setting_defs[key];
        char before[UNITS_TEXT], after[UNITS_TEXT];
        struct explain_step step;

        if (from[key] == to[key])
            continue;
        explain_setting(def->name, setting_format(def, from[key], before, sizeof(before)),
                        setting_format(def, to[key], after, sizeof(after)), &step);
        tell(&plan->telling, plan->set.name, &step);
    }
}

/* Before anything moves: is there room for it, and if not, who holds it? What may not start is not
 * squeezed for. */
static void judge_start(void *arg, const struct snapshot *snapshot, const struct decision *decision)
{
    struct plan_call *plan = arg;
    struct admission found = admit(snapshot, decision, plan->start.priority);
    struct explain_step step;

    explain_host(snapshot, decision, &step);
    tell(&plan->telling, NULL, &step);
    tell_settings(plan);
    if (plan->start.size.v == 0)
        return;
    plan->is_feasible = explain_start(&found, plan->start.size, plan->start.priority, &step);
    tell(&plan->telling, NULL, &step);
    for (size_t i = 0; i < snapshot->n_vms && !plan->is_feasible; i++) {
        explain_holder(snapshot, decision, i, plan->start.priority, &step);
        tell(&plan->telling, name_of(plan, i), &step);
    }
}

static void tell_decision(void *arg, const struct snapshot *snapshot,
                          const struct decision *decision)
{
    struct plan_call *plan = arg;
    int64_t before = plan->telling.step;
    bool *acts = memory_new(snapshot->n_vms + 1, sizeof(*acts));
    struct explain_step step;

    for (size_t i = 0; i < decision->n_actions; i++) {
        const struct action *action = &decision->actions[i];

        acts[action->vm] = true;
        explain_action(action, decision->verdicts[action->vm].goal, &step);
        tell(&plan->telling, name_of(plan, action->vm), &step);
    }
    for (size_t i = 0; i < snapshot->n_vms; i++)
        if (!acts[i] && explain_wait(snapshot, decision, i, &step))
            tell(&plan->telling, name_of(plan, i), &step);
    free(acts);
    if (plan->telling.step > before)
        return;
    explain_rest(&step);
    tell(&plan->telling, NULL, &step);
}

static void answer(struct plan_call *plan, struct call *call)
{
    struct proto_writer *writer = call_answer_begin(call);

    plan->telling.writer = writer;
    proto_object_begin(writer, NULL);
    proto_array_begin(writer, "steps");
    trial_decide(plan->daemon, &plan->trial, judge_start, plan);
    if (plan->is_feasible)
        plan->trial.start = plan->start;
    trial_decide(plan->daemon, &plan->trial, tell_decision, plan);
    proto_array_end(writer);
    if (plan->start.size.v > 0)
        proto_put_boolean(writer, "feasible", plan->is_feasible);
    else
        proto_put_null(writer, "feasible");
    proto_array_begin(writer, "warnings");
    for (size_t i = 0; i < plan->set.n_warnings; i++)
        proto_put_text(writer, NULL, plan->set.warnings[i]);
    proto_array_end(writer);
    proto_object_end(writer);
    call_answer_end(call);
}

void method_plan_get(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"name", PROTO_TEXT, false},        {"settings", PROTO_TEXTS, false},
        {"force", PROTO_BOOLEAN, false},    {"start", PROTO_TEXT, false},
        {"priority", PROTO_INTEGER, false}, {NULL, PROTO_TEXT, false},
    };
    struct plan_call plan = {.daemon = daemon};
    struct err err;

    if (!method_accept(call, request, params))
        return;
    if (read_start(&plan, request, &err) || read_settings(&plan, request, &err))
        call_fail(call, &err);
    else
        answer(&plan, call);
}
