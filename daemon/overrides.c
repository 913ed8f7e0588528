/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/overrides.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "core/decide.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/events.h"
#include "daemon/registry.h"
#include "hv/hv.h"

static void journal(struct daemon *daemon, const struct domain *domain, const char *what,
                    const struct err *err)
{
    struct event event = {.kind = EVENT_ACTION,
                          .vm = domain->vm ? domain->vm->name : NULL,
                          .domid = domain->now.ref.domid,
                          .uid = -1,
                          .reason = reason_name(REASON_OVERRIDE)};

    snprintf(event.detail, sizeof(event.detail), "failed %s error=\"%s\"", what, err->text);
    events_raise(daemon->events, &event);
}

/* --- our own copy ---------------------------------------------------------------------------- */

static void adopt(struct daemon *daemon, struct domain *domain)
{
    struct err err;

    if (hv_adopt_target(daemon->hv, &domain->now.ref, &err) == 0) {
        domain->now.has_own_target = true;
        domain->now.own_target = domain->now.target;
        return;
    }
    if (err.code == ERR_NOT_FOUND || err.code == ERR_BUSY || domain->failure_told)
        return;
    domain->failure_told = true;
    journal(daemon, domain, "adopt-target", &err);
}

void overrides_adopt_new(struct daemon *daemon, const struct decision *decision)
{
    struct registry *registry = daemon->registry;

    for (size_t i = 0; i < registry->n_domains; i++)
        if (decision->work[i].role != ROLE_NONE && !registry->domains[i].now.has_own_target)
            adopt(daemon, &registry->domains[i]);
}

/* --- taking back ----------------------------------------------------------------------------- */

static int clear(struct daemon *daemon, struct domain *domain, struct err *err)
{
    if (engine_status(daemon->engine)->settings.action == HOST_ACTION_OBSERVE)
        return err_set(err, ERR_FAILED, "xenmemd only observes (action = observe in [host])");
    if (domain->vm->frozen)
        return err_set(err, ERR_BUSY, "it is frozen: `xenmemctl thaw %s` first", domain->vm->name);
    if (hv_adopt_target(daemon->hv, &domain->now.ref, err))
        return -1;
    domain->overridden = false;
    domain->now.own_target = domain->now.target;
    return 0;
}

static bool is_meant(const struct domain *domain, const char *vm)
{
    return domain->overridden && domain->vm && domain->vm->settings.mode != VM_MODE_IGNORED &&
           (!vm || strcmp(domain->vm->name, vm) == 0);
}

size_t overrides_clear(struct daemon *daemon, const char *vm, overrides_kept_fn *kept, void *arg)
{
    struct registry *registry = daemon->registry;
    size_t cleared = 0;
    struct err err;

    for (size_t i = 0; i < registry->n_domains; i++) {
        struct domain *domain = &registry->domains[i];

        if (!is_meant(domain, vm))
            continue;
        if (clear(daemon, domain, &err) == 0) {
            cleared++;
            continue;
        }
        journal(daemon, domain, "clear-override", &err);
        if (kept)
            kept(arg, domain->vm->name, &err);
    }
    return cleared;
}
