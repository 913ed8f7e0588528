/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "daemon/memory.h"
#include "daemon/settings/layers.h"
#include "hv/domain_state.h"

struct registry *registry_new(void)
{
    return memory_new(1, sizeof(struct registry));
}

static void vm_free(struct registry *registry, struct vm_entry *vm)
{
    HASH_DEL(registry->vms, vm);
    free(vm->name);
    free(vm);
}

void registry_free(struct registry *registry)
{
    struct vm_entry *vm, *next;

    if (!registry)
        return;
    HASH_ITER (hh, registry->vms, vm, next)
        vm_free(registry, vm);
    free(registry->domains);
    free(registry);
}

struct vm_entry *registry_find(const struct registry *registry, const char *name)
{
    struct vm_entry *vm;

    HASH_FIND_STR(registry->vms, name, vm);
    return vm;
}

int registry_resolve_one(const struct vm_entry *vm, const char *name, const struct layers *layers,
                         const struct setting_partial *extra, struct vm_settings *out,
                         struct err *err)
{
    const struct setting_partial *said[LAYERS_MAX + 1];
    struct vm_natural natural = vm ? vm->natural : (struct vm_natural){0};
    size_t count = 0;

    if (extra)
        said[count++] = extra;
    count += layers_of_vm(layers, name, said + count);
    return vm_settings_resolve(said, count, natural, out, err);
}

/* What contradicts itself was refused when it was set; a domain's static-max can still cut into it.
 */
static void resolve(struct vm_entry *vm, const struct layers *layers)
{
    (void)registry_resolve_one(vm, vm->name, layers, NULL, &vm->settings, NULL);
}

struct vm_entry *registry_get(struct registry *registry, const struct layers *layers,
                              const char *name)
{
    struct vm_entry *vm = registry_find(registry, name);

    if (vm)
        return vm;
    vm = memory_new(1, sizeof(*vm));
    vm->name = memory_copy_text(name);
    vm->order = registry->next_order++;
    HASH_ADD_KEYPTR(hh, registry->vms, vm->name, strlen(vm->name), vm);
    resolve(vm, layers);
    return vm;
}

void registry_drop(struct registry *registry, struct vm_entry *vm)
{
    invariant(!vm->domain);
    vm_free(registry, vm);
}

void registry_resolve(struct registry *registry, const struct layers *layers)
{
    struct vm_entry *vm, *next;

    HASH_ITER (hh, registry->vms, vm, next)
        resolve(vm, layers);
}

static bool same_domain(const struct hv_ref *a, const struct hv_ref *b)
{
    return a->domid == b->domid && memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0;
}

/* The domain of that list that is the same as ref, or NULL; *at goes up through the list, once for
 * all calls. */
static const struct domain *find_same(const struct domain *domains, size_t count, size_t *at,
                                      const struct hv_ref *ref)
{
    while (*at < count && domains[*at].now.ref.domid < ref->domid)
        (*at)++;
    return *at < count && same_domain(&domains[*at].now.ref, ref) ? &domains[*at] : NULL;
}

/* The name of a migration is not a VM's: it is one once the toolstack has given it its own. */
static bool may_be_a_vm(const struct hv_domain *now)
{
    return !now->dom0 && !now->stub && now->name[0] != '\0' && !domain_name_migrates(now->name);
}

/* A reboot builds the new domain while the old one is still dying: the name goes to the one that
 * lives. One that was dying when it was first seen has never been a VM to us. */
static bool takes_the_name(const struct registry *registry, const struct domain *domain,
                           const struct domain *last, const struct vm_entry *vm)
{
    if (domain->now.state == VM_DYING && registry->looked && !(last && last->vm == vm))
        return false;
    return !vm->domain || vm->domain->now.state == VM_DYING ||
           (vm->domain->now.state == VM_SHUTDOWN && domain->now.state != VM_DYING);
}

/* The entry that knows this uuid by another name. */
static struct vm_entry *find_former(const struct registry *registry, const struct vm_entry *vm,
                                    const uint8_t uuid[16])
{
    struct vm_entry *other, *next;

    HASH_ITER (hh, registry->vms, other, next)
        if (other != vm && other->seen && memcmp(other->uuid, uuid, sizeof(other->uuid)) == 0)
            return other;
    return NULL;
}

/* A domain of another uuid than the last of this name: what was known goes by the uuid, from the
 * name that it had before, if any. */
static void meet(const struct registry *registry, struct vm_entry *vm, const struct hv_domain *now)
{
    struct vm_entry *former = find_former(registry, vm, now->ref.uuid);

    vm->natural = former ? former->natural : (struct vm_natural){0};
    if (former) {
        memset(former->uuid, 0, sizeof(former->uuid));
        former->seen = false;
        former->unsaved = true;
    }
    vm->seen = vm->unsaved = true;
    memcpy(vm->uuid, now->ref.uuid, sizeof(vm->uuid));
}

/*
 * The memory that a domain was built with is its natural startup; what it can grow to is its
 * maximum. A reboot keeps the uuid, and rebuilds with what the balloon left: that is no news. Where
 * static-max is another one too, it was configured anew.
 */
static void learn_nature(const struct registry *registry, struct vm_entry *vm,
                         const struct hv_domain *now, bool rebuilt)
{
    struct vm_natural before = vm->natural;

    if (!vm->seen || memcmp(vm->uuid, now->ref.uuid, sizeof(vm->uuid)) != 0)
        meet(registry, vm, now);
    else if (rebuilt && now->static_max.v > 0 && now->static_max.v != vm->natural.static_max.v)
        vm->natural.target = kib(0);
    if (now->target.v > 0 && vm->natural.target.v == 0)
        vm->natural.target = now->target;
    if (now->static_max.v > 0)
        vm->natural.static_max = now->static_max;
    vm->unsaved |=
        before.target.v != vm->natural.target.v || before.static_max.v != vm->natural.static_max.v;
}

/* Started anew, the daemon goes on believing what it did: else a need that fell a minute ago would
 * be forgotten, and memory moved for no other reason than that. */
static void recall_demand(const struct vm_entry *vm, struct domain *domain, int64_t now_ms)
{
    if (!vm->has_recalled || !vm->seen ||
        memcmp(vm->uuid, domain->now.ref.uuid, sizeof(vm->uuid)) != 0)
        return;
    domain->track.demand = domain->track.need = vm->recalled;
    domain->track.demand_ms = now_ms - vm->recalled_age_ms;
    domain->track.has_demand = true;
}

static void bind_name(struct registry *registry, const struct layers *layers, struct domain *domain,
                      const struct domain *last, int64_t now_ms)
{
    struct vm_entry *vm;
    struct vm_natural before;

    domain->vm = NULL;
    if (!may_be_a_vm(&domain->now))
        return;
    vm = registry_get(registry, layers, domain->now.name);
    if (!takes_the_name(registry, domain, last, vm))
        return;
    if (vm->domain)
        vm->domain->vm = NULL;
    vm->domain = domain;
    domain->vm = vm;
    before = vm->natural;
    if (!registry->looked)
        recall_demand(vm, domain, now_ms);
    learn_nature(registry, vm, &domain->now, registry->looked && !last);
    if (before.target.v != vm->natural.target.v || before.static_max.v != vm->natural.static_max.v)
        resolve(vm, layers);
}

/* The operator's hand: the target is not the one that we wrote last. */
static bool is_overridden(const struct hv_domain *now)
{
    return now->has_own_target && now->own_target.v != now->target.v;
}

/* Whose domain is not there any more, or lost the name to a younger one. */
static void tell_gone(const struct domain *before, size_t n_before, const struct registry *registry,
                      const struct registry_watcher *watcher)
{
    size_t at = 0;

    for (size_t i = 0; i < n_before; i++) {
        const struct domain *now =
            find_same(registry->domains, registry->n_domains, &at, &before[i].now.ref);

        if (before[i].vm && !(now && now->vm))
            watcher->gone(watcher->arg, before[i].vm, &before[i]);
    }
}

static void tell_come(const struct domain *before, size_t n_before, const struct registry *registry,
                      const struct registry_watcher *watcher)
{
    size_t at = 0;

    for (size_t i = 0; i < registry->n_domains; i++) {
        const struct domain *domain = &registry->domains[i];
        const struct domain *last = find_same(before, n_before, &at, &domain->now.ref);

        if (!domain->vm || (last && last->vm == domain->vm))
            continue;
        if (last && last->vm)
            watcher->renamed(watcher->arg, last->now.name, domain->vm);
        else
            watcher->appeared(watcher->arg, domain->vm);
    }
}

/* What is known of a domain goes on; what is seen of it is new. Its name is the first thing that
 * the toolstack takes away from one that is being destroyed. */
static void carry_on(struct domain *domain, const struct domain *last, const struct hv_domain *now)
{
    if (last)
        *domain = *last;
    domain->now = *now;
    if (last && now->name[0] == '\0')
        memcpy(domain->now.name, last->now.name, sizeof(domain->now.name));
    domain->overridden = is_overridden(now);
}

void registry_update(struct registry *registry, const struct layers *layers,
                     const struct hv_view *view, int64_t now_ms,
                     const struct registry_watcher *watcher)
{
    struct domain *before = registry->domains;
    size_t n_before = registry->n_domains;
    size_t at = 0;

    for (size_t i = 0; i < n_before; i++)
        if (before[i].vm)
            before[i].vm->domain = NULL;
    registry->domains = memory_new(view->n_domains, sizeof(*registry->domains));
    registry->n_domains = view->n_domains;
    for (size_t i = 0; i < view->n_domains; i++) {
        struct domain *domain = &registry->domains[i];
        const struct domain *last = find_same(before, n_before, &at, &view->domains[i].ref);

        carry_on(domain, last, &view->domains[i]);
        if (!last)
            domain->young = registry->looked;
        if (!last || last->now.assigned.v != domain->now.assigned.v ||
            last->now.dying != domain->now.dying)
            domain->moved_ms = now_ms;
        bind_name(registry, layers, domain, last, now_ms);
    }
    registry->looked = true;
    tell_gone(before, n_before, registry, watcher);
    tell_come(before, n_before, registry, watcher);
    free(before);
}
