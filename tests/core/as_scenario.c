/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/core/as_scenario.h"

#include <stdio.h>

#define XEN_HEAP ((struct kib){INT64_C(128) * 1024})
#define PAGES(a) kib_max(kib_floor((a), KIB_PAGE), kib(KIB_PAGE))

static void print_size(const char *key, struct kib size)
{
    char text[UNITS_TEXT];

    printf("%s = %s\n", key, kib_format_exact(kib_clamp(size, kib(0), kib(KIB_LIMIT)), text));
}

/* What it holds when its balloon rests. */
static struct kib memory_of(const struct vm *vm)
{
    return PAGES(vm->target.v > 0 ? vm->target : vm->assigned);
}

static void print_host(const struct snapshot *snapshot)
{
    static const char *const surpluses[] = {"keep", "hold", "share"};
    struct kib dom0 = kib_mib(64);
    struct kib size = kib_add(XEN_HEAP, kib_max(snapshot->host.free, kib(0)));

    for (size_t i = 0; i < snapshot->n_vms; i++) {
        const struct vm *vm = &snapshot->vms[i];

        if (vm->dom0)
            dom0 = PAGES(vm->assigned);
        else
            size = kib_add(size, memory_of(vm));
    }
    printf("[host]\n");
    print_size("size", kib_add(size, dom0));
    print_size("dom0", dom0);
    print_size("xen-heap", XEN_HEAP);
    print_size("reserve", snapshot->settings.reserve);
    print_size("headroom", snapshot->settings.headroom);
    printf("surplus = %s\nblind = %s\n", surpluses[snapshot->settings.surplus],
           snapshot->settings.blind ? "yes" : "no");
}

static void print_guest(const struct vm *vm, const struct guest *guest)
{
    print_size("demand", vm->report.need);
    print_size("balloon-rate", kib_max(guest->rate, kib(KIB_PAGE)));
    printf("agent = %s\n", vm->fresh ? "xenmem" : "none");
    if (guest->kind == GUEST_STUCK)
        printf("stuck = always\n");
    else if (guest->kind == GUEST_FLOOR)
        print_size("floor", PAGES(guest->limit));
    else if (guest->kind == GUEST_CEILING)
        print_size("ceiling", PAGES(guest->limit));
    else if (guest->kind == GUEST_GREEDY)
        printf("deflate = yes\n");
}

static void print_settings(const struct vm_settings *settings)
{
    static const char *const modes[] = {"ignored", "static", "dynamic"};

    print_size("minimum", settings->minimum);
    print_size("startup", settings->startup);
    print_size("maximum", settings->maximum);
    printf("buffer = %d\npriority = %d\nmode = %s\ntrust = %s\n", (int)settings->buffer_percent,
           (int)settings->priority, modes[settings->mode], settings->trust ? "yes" : "no");
}

static void print_vm(const struct world *world, size_t i)
{
    const struct vm *vm = &world->paper.vms[i];

    printf("\n[vm vm%zu]\n", i);
    if (vm->state != VM_RUNNING && vm->state != VM_PAUSED)
        printf("# %s\n", vm_state_name(vm->state));
    print_size("memory", memory_of(vm));
    print_size("maxmem", kib_max(PAGES(vm->settings.maximum), memory_of(vm)));
    print_settings(&vm->settings);
    print_guest(vm, &world->guests[i]);
}

/* What the admin does to it. */
static void print_deeds(const struct vm *vm, size_t i, int64_t *at_s)
{
    char target[UNITS_TEXT];

    if (vm->dom0)
        return;
    if (vm->overridden)
        printf("\n[at %llds]\nmem-set = vm%zu %s\n", (long long)++*at_s, i,
               kib_format_exact(memory_of(vm), target));
    if (vm->state == VM_PAUSED)
        printf("\n[at %llds]\npause = vm%zu\n", (long long)++*at_s, i);
}

void as_scenario_print(const struct world *world)
{
    const struct snapshot *snapshot = &world->paper.snapshot;
    int64_t at_s = 0;

    print_host(snapshot);
    for (size_t i = 0; i < snapshot->n_vms; i++)
        if (!snapshot->vms[i].dom0)
            print_vm(world, i);
    for (size_t i = 0; i < snapshot->n_vms; i++)
        print_deeds(&snapshot->vms[i], i, &at_s);
}
