/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/model.h"

const char *vm_state_name(enum vm_state state)
{
    static const char *const names[VM_STATE_COUNT] = {
        [VM_OFF] = "off",         [VM_BUILDING] = "building",
        [VM_BOOTING] = "booting", [VM_RUNNING] = "running",
        [VM_PAUSED] = "paused",   [VM_FROZEN] = "frozen",
        [VM_SAVING] = "saving",   [VM_SHUTDOWN] = "shutdown",
        [VM_DYING] = "dying",     [VM_UNRESPONSIVE] = "unresponsive",
    };

    return names[state];
}

struct kib model_headroom(const struct vm *vm)
{
    struct kib headroom = kib_max(kib(0), vm->claim);

    if (!vm->cap_unlimited)
        headroom = kib_max(headroom, kib_sub(vm->cap, vm->assigned));
    return kib_max(headroom, kib_sub(vm->bound, vm->assigned));
}

struct kib model_uncommitted(const struct snapshot *snapshot)
{
    struct kib left = kib_sub(snapshot->host.free, snapshot->host.unbound);

    left = kib_sub(left, snapshot->settings.reserve);
    for (size_t i = 0; i < snapshot->n_vms; i++)
        left = kib_sub(left, model_headroom(&snapshot->vms[i]));
    return left;
}
