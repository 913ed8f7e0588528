/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/settings/section.h"

#include <string.h>

#include "base/err.h"
#include "core/settings.h"

#define VM "vm "

const char *section_pattern(const char *section)
{
    if (strncmp(section, VM, strlen(VM)) != 0)
        return NULL;
    section += strlen(VM);
    return section + strspn(section, " \t");
}

static int take(struct setting_partial *said, const struct setting_def *defs, size_t n_defs,
                const char *section, const char *key, const char *text, struct err *err)
{
    int found = setting_find(defs, n_defs, key);
    int64_t value;

    /* The wire's names are for programs: they would make a key that has two names. */
    if (found < 0 || strcmp(defs[found].name, key) != 0)
        return err_set(err, ERR_INVALID,
                       "unknown key '%s' in [%s]; xenmemd.conf(5) has their names", key, section);
    if (setting_parse(&defs[found], text, &value, err))
        return -1;
    setting_put(said, (unsigned)found, value);
    return 0;
}

int section_take_host(struct setting_partial *said, const char *key, const char *text,
                      struct err *err)
{
    return take(said, host_setting_defs, HOST_KEY_COUNT, "host", key, text, err);
}

int section_take_vm(struct setting_partial *said, const char *section, const char *key,
                    const char *text, struct err *err)
{
    const struct setting_partial *only = said;
    struct vm_settings outcome;

    if (take(said, vm_setting_defs, VM_KEY_COUNT, section, key, text, err))
        return -1;
    return vm_settings_resolve(&only, 1, (struct vm_natural){0}, &outcome, err);
}
