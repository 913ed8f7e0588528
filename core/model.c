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
    return kib_sub(model_counted(vm), vm->assigned);
}

struct kib model_rest(const struct vm *vm, struct kib target)
{
    struct kib holds = kib_add(target, vm->offset);

    return kib_max(kib_add(holds, kib_max(CAP_SLACK, vm->claim)), vm->bound);
}

struct kib model_unpromised(const struct snapshot *snapshot)
{
    return kib_sub(kib_sub(snapshot->host.free, snapshot->host.unbound),
                   snapshot->settings.reserve);
}

struct kib model_uncommitted(const struct snapshot *snapshot)
{
    struct kib left = model_unpromised(snapshot);

    for (size_t i = 0; i < snapshot->n_vms; i++)
        left = kib_sub(left, model_headroom(&snapshot->vms[i]));
    return left;
}

struct kib model_wanted(const struct snapshot *snapshot)
{
    struct kib sum = kib(0);

    for (size_t i = 0; i < snapshot->n_wants; i++)
        sum = kib_add(sum, snapshot->wants[i].size);
    return sum;
}
