/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "daemon/layers.h"
#include "daemon/memory.h"

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

/* The domain of the last view that is the same as ref; *at goes up through the list, once for all
 * calls. */
static const struct domain *last_of(const struct domain *domains, size_t count, size_t *at,
                                    const struct hv_ref *ref)
{
    while (*at < count && domains[*at].now.ref.domid < ref->domid)
        (*at)++;
    return *at < count && same_domain(&domains[*at].now.ref, ref) ? &domains[*at] : NULL;
}

static bool may_be_a_vm(const struct hv_domain *now)
{
    return !now->dom0 && !now->stub && now->name[0] != '\0';
}

/* A reboot builds the new domain while the old one is still dying: the name goes to the one that
 * lives. */
static bool takes_the_name(const struct hv_domain *now, const struct vm_entry *vm)
{
    return !vm->domain || vm->domain->now.state == VM_DYING ||
           (vm->domain->now.state == VM_SHUTDOWN && now->state != VM_DYING);
}

/* The memory that a domain was built with is its natural startup; what it grows to is its maximum.
 */
static void learn_nature(struct vm_entry *vm, const struct hv_domain *now)
{
    bool first = !vm->seen || memcmp(vm->uuid, now->ref.uuid, sizeof(vm->uuid)) != 0;
    struct vm_natural before = vm->natural;

    if (now->target.v > 0 && (first || vm->natural.target.v == 0))
        vm->natural.target = now->target;
    if (now->static_max.v > 0)
        vm->natural.static_max = now->static_max;
    vm->unsaved |= first || before.target.v != vm->natural.target.v ||
                   before.static_max.v != vm->natural.static_max.v;
    vm->seen = true;
    memcpy(vm->uuid, now->ref.uuid, sizeof(vm->uuid));
}

static void bind_name(struct registry *registry, const struct layers *layers, struct domain *domain)
{
    struct vm_entry *vm;
    struct vm_natural before;

    domain->vm = NULL;
    if (!may_be_a_vm(&domain->now))
        return;
    vm = registry_get(registry, layers, domain->now.name);
    if (!takes_the_name(&domain->now, vm))
        return;
    if (vm->domain)
        vm->domain->vm = NULL;
    vm->domain = domain;
    domain->vm = vm;
    before = vm->natural;
    learn_nature(vm, &domain->now);
    if (before.target.v != vm->natural.target.v || before.static_max.v != vm->natural.static_max.v)
        resolve(vm, layers);
}

/* The operator's hand: the target is not the one that we wrote last. */
static bool is_overridden(const struct hv_domain *now)
{
    return now->has_own_target && now->own_target.v != now->target.v;
}

static void tell_differences(const struct domain *before, size_t n_before,
                             struct registry *registry, const struct registry_watcher *watcher)
{
    size_t at = 0;

    for (size_t i = 0; i < registry->n_domains; i++) {
        struct domain *domain = &registry->domains[i];
        const struct domain *last = last_of(before, n_before, &at, &domain->now.ref);

        if (!domain->vm || (last && last->vm == domain->vm))
            continue;
        if (last && last->vm && strcmp(last->now.name, domain->now.name) != 0)
            watcher->renamed(watcher->arg, last->now.name, domain->vm);
        else
            watcher->appeared(watcher->arg, domain->vm);
    }
    at = 0;
    for (size_t i = 0; i < n_before; i++) {
        size_t found = 0;

        if (!before[i].vm)
            continue;
        while (at < registry->n_domains &&
               registry->domains[at].now.ref.domid < before[i].now.ref.domid)
            at++;
        found = at;
        if (found == registry->n_domains ||
            !same_domain(&registry->domains[found].now.ref, &before[i].now.ref))
            watcher->gone(watcher->arg, before[i].vm, &before[i]);
    }
}

void registry_update(struct registry *registry, const struct layers *layers,
                     const struct hv_view *view, const struct registry_watcher *watcher)
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
        const struct domain *last = last_of(before, n_before, &at, &view->domains[i].ref);

        if (last)
            *domain = *last;
        domain->now = view->domains[i];
        domain->overridden = is_overridden(&domain->now);
        bind_name(registry, layers, domain);
    }
    tell_differences(before, n_before, registry, watcher);
    free(before);
}
