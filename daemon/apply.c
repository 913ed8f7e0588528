/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/apply.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/registry.h"
#include "hv/hv.h"

/* A domain that xl works on is tried again at every pass; so many times in a row are news. */
#define BUSY_TRIES 30

static struct domain *domain_of(struct daemon *daemon, const struct action *action)
{
    return &daemon->registry->domains[action->vm];
}

/* prefix says what became of it: "", "would-be ", "failed ". */
static void journal(struct daemon *daemon, const struct action *action, const char *prefix,
                    const struct err *err)
{
    const struct domain *domain = domain_of(daemon, action);
    struct event event = {.kind = EVENT_ACTION,
                          .vm = domain->vm ? domain->vm->name : NULL,
                          .domid = domain->now.ref.domid,
                          .uid = -1,
                          .reason = reason_name(action->reason)};

    snprintf(event.detail, sizeof(event.detail),
             "%s%s from_kib=%" PRId64 " to_kib=%" PRId64 " cap_kib=%" PRId64 "%s%s%s", prefix,
             action->kind == ACTION_TARGET ? "target" : "cap", action->from.v,
             action->kind == ACTION_TARGET ? action->target.v : action->cap.v, action->cap.v,
             err ? " error=\"" : "", err ? err->text : "", err ? "\"" : "");
    events_raise(daemon->events, &event);
}

static int write_one(struct daemon *daemon, const struct action *action, struct err *err)
{
    const struct hv_ref *ref = &domain_of(daemon, action)->now.ref;

    if (action->kind == ACTION_TARGET)
        return hv_set_target(daemon->hv, ref, action->target, action->cap, err);
    return hv_set_cap(daemon->hv, ref, action->cap, err);
}

/* Told once, not at every pass; a domain that went away meanwhile is no failure at all. */
static void note_failure(struct daemon *daemon, const struct action *action, const struct err *err)
{
    struct domain *domain = domain_of(daemon, action);

    log_debug("action-failed id=%" PRIu32 " error=\"%s\"", domain->now.ref.domid, err->text);
    if (err->code == ERR_NOT_FOUND)
        return;
    if (domain->failure_told || (err->code == ERR_BUSY && ++domain->busy_writes < BUSY_TRIES))
        return;
    domain->failure_told = true;
    journal(daemon, action, "failed ", err);
}

/* Keeps the account of what is promised. What failed half-way may be as high as either side. */
static void account(const struct action *action, bool is_done, struct vm *vm,
                    struct kib *uncommitted)
{
    struct kib before = model_counted(vm);

    vm->cap = is_done ? action->cap : kib_max(vm->cap, action->cap);
    vm->cap_unlimited = vm->cap_unlimited && !is_done;
    if (is_done && action->kind == ACTION_TARGET)
        vm->target = action->target;
    *uncommitted = kib_sub(*uncommitted, kib_sub(model_counted(vm), before));
}

static int apply_one(struct daemon *daemon, const struct action *action)
{
    struct err err;

    if (write_one(daemon, action, &err)) {
        note_failure(daemon, action, &err);
        return -1;
    }
    domain_of(daemon, action)->busy_writes = 0;
    domain_of(daemon, action)->failure_told = false;
    journal(daemon, action, "", NULL);
    return 0;
}

size_t apply_actions(struct daemon *daemon, const struct action *actions, size_t count,
                     struct vm *vms, struct kib *lowest)
{
    struct kib uncommitted = *lowest;
    size_t done = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_done = apply_one(daemon, &actions[i]) == 0;

        account(&actions[i], is_done, &vms[actions[i].vm], &uncommitted);
        *lowest = kib_min(*lowest, uncommitted);
        if (is_done)
            done++;
    }
    return done;
}

void apply_observe(struct daemon *daemon, const struct action *actions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct domain *domain = domain_of(daemon, &actions[i]);

        if (actions[i].kind != ACTION_TARGET || domain->observed.v == actions[i].target.v)
            continue;
        domain->observed = actions[i].target;
        journal(daemon, &actions[i], "would-be ", NULL);
    }
}
