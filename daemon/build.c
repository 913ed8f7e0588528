/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/build.h"

#include "base/err.h"
#include "core/settings.h"
#include "daemon/daemon.h"
#include "daemon/registry.h"
#include "daemon/settings/layers.h"

/* What the newest layer that has the key says. */
static struct kib newest(const struct setting_partial *const *said, size_t count, unsigned key,
                         struct kib otherwise)
{
    for (size_t i = 0; i < count; i++)
        if (setting_has(said[i], key))
            return kib(said[i]->value[key]);
    return otherwise;
}

void build_apply_settings(const struct layers *layers, const char *name, struct build *build)
{
    const struct vm_natural configured = {build->memory, build->maxmem};
    const struct setting_partial *said[LAYERS_MAX];
    size_t count = layers_of_vm(layers, name, said);
    struct vm_settings settings;

    (void)vm_settings_resolve(said, count, configured, &settings, NULL);
    if (settings.mode == VM_MODE_IGNORED)
        return;
    build->memory = newest(said, count, VM_KEY_STARTUP, configured.target);
    build->maxmem = newest(said, count, VM_KEY_MAXIMUM, configured.static_max);
    if (build->maxmem.v == 0) /* nobody says: it cannot grow */
        build->maxmem = build->memory;
    build->memory = kib_min(build->memory, build->maxmem);
}

int build_of_known(const struct daemon *daemon, const char *name, struct build *out,
                   struct err *err)
{
    const struct vm_entry *vm = registry_find(daemon->registry, name);

    *out =
        vm ? build_usual(vm->natural.target, vm->natural.static_max) : build_usual(kib(0), kib(0));
    build_apply_settings(daemon->layers, name, out);
    if (out->memory.v > 0)
        return 0;
    return err_set(err, vm ? ERR_INVALID : ERR_NOT_FOUND,
                   "nothing says what '%s' starts with: give a size, or `xenmemctl set %s "
                   "mode=dynamic startup=SIZE maximum=SIZE`",
                   name, name);
}
