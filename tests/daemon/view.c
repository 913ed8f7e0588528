/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/daemon/view.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct registry *registry;
struct layers *layers;

static struct hv_domain domains[16];
static size_t n_domains;
static char heard[1024]; /* what the last update told: "appeared web1\n…" */

void view_make(void)
{
    registry = registry_new();
    layers = layers_new();
    n_domains = 0;
}

void view_unmake(void)
{
    registry_free(registry);
    layers_free(layers);
}

static void hear(const char *what, const char *name, const char *more)
{
    size_t length = strlen(heard);

    snprintf(heard + length, sizeof(heard) - length, "%s %s%s%s\n", what, name,
             more[0] != '\0' ? " " : "", more);
}

static void on_appeared(void *arg, struct vm_entry *vm)
{
    (void)arg;
    ck_assert_ptr_nonnull(vm->domain);
    hear("appeared", vm->name, "");
}

static void on_gone(void *arg, struct vm_entry *vm, const struct domain *last)
{
    char id[16];

    (void)arg;
    snprintf(id, sizeof(id), "%u", last->now.ref.domid);
    hear("gone", vm->name, id);
}

static void on_renamed(void *arg, const char *from, struct vm_entry *to)
{
    (void)arg;
    hear("renamed", from, to->name);
}

void look(const char *expected)
{
    static const struct registry_watcher watcher = {NULL, on_appeared, on_gone, on_renamed};
    const struct hv_view view = {.domains = domains, .n_domains = n_domains};

    heard[0] = '\0';
    registry_update(registry, layers, &view, 0, &watcher);
    ck_assert_str_eq(heard, expected);
    for (size_t i = 0; i < registry->n_domains; i++) {
        struct domain *domain = &registry->domains[i];

        ck_assert(!domain->vm || domain->vm->domain == domain);
    }
}

struct hv_domain *find(uint32_t domid)
{
    for (size_t i = 0; i < n_domains; i++)
        if (domains[i].ref.domid == domid)
            return &domains[i];
    ck_abort_msg("no domain %u", domid);
    return NULL;
}

struct hv_domain *build(uint32_t domid, uint8_t uuid, const char *name)
{
    size_t at = n_domains++;

    for (; at > 0 && domains[at - 1].ref.domid > domid; at--)
        domains[at] = domains[at - 1];
    domains[at] = (struct hv_domain){.ref = {.domid = domid, .uuid = {uuid}},
                                     .state = VM_RUNNING,
                                     .assigned = kib_gib(1),
                                     .target = kib_gib(1),
                                     .static_max = kib_gib(4)};
    snprintf(domains[at].name, sizeof(domains[at].name), "%s", name);
    return &domains[at];
}

void destroy(uint32_t domid)
{
    size_t at = (size_t)(find(domid) - domains);

    memmove(&domains[at], &domains[at + 1], (--n_domains - at) * sizeof(domains[0]));
}

void rename_to(uint32_t domid, const char *name)
{
    snprintf(find(domid)->name, sizeof(domains[0].name), "%s", name);
}

const struct vm_entry *vm(const char *name)
{
    const struct vm_entry *entry = registry_find(registry, name);

    ck_assert_msg(entry != NULL, "no %s", name);
    return entry;
}

int64_t id_of(const char *name)
{
    return vm(name)->domain ? (int64_t)vm(name)->domain->now.ref.domid : -1;
}
