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

struct kib model_commitment(const struct vm *vm, struct kib cap)
{
    struct kib most = kib_max(kib_add(vm->assigned, vm->claim), kib_max(vm->assigned, vm->bound));

    return vm->cap_unlimited ? most : kib_max(most, cap);
}

struct kib model_headroom(const struct vm *vm)
{
    return kib_sub(model_commitment(vm, vm->cap), vm->assigned);
}

struct kib model_cap(const struct vm *vm, struct kib target)
{
    return kib_add(target, kib_add(vm->offset, CAP_SLACK));
}

struct kib model_rest(const struct vm *vm, struct kib target)
{
    struct kib most = kib_max(model_cap(vm, target), vm->bound);

    return vm->claim.v > 0 ? kib_max(most, kib_add(vm->assigned, vm->claim)) : most;
}

struct kib model_uncommitted(const struct snapshot *snapshot)
{
    struct kib left = kib_sub(snapshot->host.free, snapshot->host.unbound);

    left = kib_sub(left, snapshot->settings.reserve);
    for (size_t i = 0; i < snapshot->n_vms; i++)
        left = kib_sub(left, model_headroom(&snapshot->vms[i]));
    return left;
}
