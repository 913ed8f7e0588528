/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients may ask for: the table, and what each method does. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"
#include "daemon/changes.h"
#include "daemon/daemon.h"
#include "daemon/describe.h"
#include "daemon/engine.h"
#include "daemon/memory.h"
#include "daemon/registry.h"
#include "daemon/server.h"
#include "daemon/set_request.h"
#include "db/db.h"
#include "hv/hv.h"
#include "proto/proto.h"
#include "proto/records.h"

#define BALANCE_LIMIT_MS INT64_C(60000)
#define EVENTS_DEFAULT   1000
#define EVENTS_MAX       100000

static const struct proto_param no_params[] = {{NULL, PROTO_TEXT, false}};
static const struct proto_param name_params[] = {{"name", PROTO_TEXT, true},
                                                 {NULL, PROTO_TEXT, false}};

/* True where the parameters are those of the table; else the call was answered. */
static bool accept(struct call *call, const struct proto_request *request,
                   const struct proto_param *params)
{
    struct err err;

    if (proto_request_check(request, params, &err) == 0)
        return true;
    call_fail(call, &err);
    return false;
}

/* The VM that is asked for; where there is none, the call was answered. */
static const struct vm_entry *named_vm(struct daemon *daemon, struct call *call,
                                       const struct proto_request *request)
{
    const char *name = proto_request_text(request, "name", "");
    const struct vm_entry *vm = registry_find(daemon->registry, name);
    struct err err;

    if (vm)
        return vm;
    err_set(&err, ERR_NOT_FOUND, "there is no VM named '%s'; `xenmemctl list` has their names",
            name);
    call_fail(call, &err);
    return NULL;
}

/* --- look ------------------------------------------------------------------------------------ */

static void host_get(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    struct proto_node nodes[HV_MAX_NODES];
    struct proto_host host;

    if (!accept(call, request, no_params))
        return;
    describe_host(daemon, nodes, &host);
    proto_put_host(call_answer_begin(call), NULL, &host);
    call_answer_end(call);
}

static void vm_list(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    const struct vm_entry **order;
    struct proto_writer *answer;
    size_t count;

    if (!accept(call, request, no_params))
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
    call_answer_end(call);
    free(order);
}

static void vm_get(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    const struct vm_entry *vm;
    struct proto_vm record;
    char uuid[DESCRIBE_UUID];

    if (!accept(call, request, name_params))
        return;
    vm = named_vm(daemon, call, request);
    if (!vm)
        return;
    describe_vm(daemon, vm, &vm->settings, uuid, &record);
    proto_put_vm(call_answer_begin(call), NULL, &record, true);
    call_answer_end(call);
}

/* --- change ---------------------------------------------------------------------------------- */

static void answer_set(struct daemon *daemon, struct call *call, const struct set_request *set)
{
    struct proto_writer *answer = call_answer_begin(call);
    char uuid[DESCRIBE_UUID];
    struct proto_vm record;

    describe_vm(daemon, &set->vm, &set->outcome, uuid, &record);
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
        answer_set(setting->daemon, setting->call, &setting->set);
    }
    free(setting);
}

static void vm_set(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"name", PROTO_TEXT, true},      {"settings", PROTO_TEXTS, true},
        {"for", PROTO_TEXT, false},      {"dry_run", PROTO_BOOLEAN, false},
        {"force", PROTO_BOOLEAN, false}, {NULL, PROTO_TEXT, false},
    };
    struct setting_call *setting;
    struct err err;

    if (!accept(call, request, params))
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
        answer_set(daemon, call, &setting->set);
        free(setting);
        return;
    }
    changes_set(daemon->changes, setting->set.name, &setting->set.said, setting->set.for_ms,
                call_uid(call), on_set, setting);
}

static void on_forgotten(void *arg, int rc, const struct err *err)
{
    struct call *call = arg;
    struct proto_writer *answer;

    if (rc) {
        call_fail(call, err);
        return;
    }
    answer = call_answer_begin(call);
    proto_object_begin(answer, NULL);
    proto_object_end(answer);
    call_answer_end(call);
}

static void vm_forget(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    if (accept(call, request, name_params))
        changes_forget(daemon->changes, proto_request_text(request, "name", ""), call_uid(call),
                       on_forgotten, call);
}

/* --- balance --------------------------------------------------------------------------------- */

struct balancing {
    struct call *call;
    int64_t cleared;
};

static void on_settled(void *arg, bool settled, int64_t actions)
{
    struct balancing *balancing = arg;
    struct proto_writer *answer = call_answer_begin(balancing->call);

    proto_object_begin(answer, NULL);
    proto_put_boolean(answer, "settled", settled);
    proto_put_integer(answer, "actions", actions);
    proto_put_integer(answer, "overrides_cleared", balancing->cleared);
    proto_object_end(answer);
    call_answer_end(balancing->call);
    free(balancing);
}

static void balance(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {{"clear_overrides", PROTO_BOOLEAN, false},
                                                {NULL, PROTO_TEXT, false}};
    struct balancing *balancing;

    if (!accept(call, request, params))
        return;
    balancing = memory_new(1, sizeof(*balancing));
    balancing->call = call;
    if (proto_request_boolean(request, "clear_overrides", false))
        balancing->cleared = (int64_t)engine_clear_overrides(daemon->engine, NULL, NULL);
    engine_when_settled(daemon->engine, BALANCE_LIMIT_MS, on_settled, balancing);
}

/* --- events ---------------------------------------------------------------------------------- */

static void on_events(void *arg, int rc, const struct err *err, const struct db_event *rows,
                      size_t count)
{
    struct call *call = arg;
    struct proto_writer *answer;

    if (rc) {
        call_fail(call, err);
        return;
    }
    answer = call_answer_begin(call);
    proto_array_begin(answer, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct proto_event record = {rows[i].id,     rows[i].time_ms, rows[i].kind,
                                           rows[i].vm,     rows[i].domid,   rows[i].uid,
                                           rows[i].reason, rows[i].detail};

        proto_put_event(answer, NULL, &record);
    }
    proto_array_end(answer);
    call_answer_end(call);
}

static void events(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {
        {"since_ms", PROTO_INTEGER, false}, {"after_id", PROTO_INTEGER, false},
        {"vm", PROTO_TEXT, false},          {"limit", PROTO_INTEGER, false},
        {"follow", PROTO_BOOLEAN, false},   {NULL, PROTO_TEXT, false},
    };
    struct db_filter filter;
    struct err err;

    if (!accept(call, request, params))
        return;
    filter = (struct db_filter){
        .since_ms = proto_request_integer(request, "since_ms", 0),
        .after_id = proto_request_integer(request, "after_id", 0),
        .vm = proto_request_text(request, "vm", NULL),
        .limit = proto_request_integer(request, "limit", EVENTS_DEFAULT),
    };
    if (filter.limit < 1 || filter.limit > EVENTS_MAX) {
        err_set(&err, ERR_INVALID, "limit: %" PRId64 " is outside 1 to %d", filter.limit,
                EVENTS_MAX);
        call_fail(call, &err);
        return;
    }
    if (proto_request_boolean(request, "follow", false))
        call_subscribe(call);
    if (db_query_events(daemon->db, &filter, on_events, call, &err))
        call_fail(call, &err);
}

const struct method methods[] = {
    {"host.get", ACCESS_READ, host_get},    {"vm.list", ACCESS_READ, vm_list},
    {"vm.get", ACCESS_READ, vm_get},        {"vm.set", ACCESS_ADMIN, vm_set},
    {"vm.forget", ACCESS_ADMIN, vm_forget}, {"balance", ACCESS_OPERATE, balance},
    {"events", ACCESS_READ, events},        {NULL, ACCESS_NONE, NULL},
};
