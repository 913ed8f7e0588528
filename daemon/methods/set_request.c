/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/methods/set_request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "proto/proto.h"

/* PV Linux cannot grow beyond this many times the memory that it was booted with. */
#define PV_GROWTH 10

__attribute__((format(printf, 2, 3))) static void warn(struct set_request *set, const char *format,
                                                       ...)
{
    va_list args;

    if (set->n_warnings == SET_WARNINGS_MAX)
        return;
    va_start(args, format);
    vsnprintf(set->warnings[set->n_warnings++], SET_WARNING_TEXT, format, args);
    va_end(args);
}

int set_request_check_name(const char *name, struct err *err)
{
    if (name[0] == '\0' || strlen(name) >= HV_NAME_MAX || strchr(name, '/'))
        return err_set(err, ERR_INVALID,
                       "'%.60s' cannot be the name of a VM: 1 to %d bytes, no slash", name,
                       HV_NAME_MAX - 1);
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return err_set(err, ERR_INVALID, "'%.60s' has a control character in it", name);
    if (strcmp(name, "Domain-0") == 0)
        return err_set(err, ERR_INVALID,
                       "Domain-0 is never ballooned: give it a fixed memory with dom0_mem=");
    return 0;
}

static int read_name(struct set_request *set, const struct daemon *daemon,
                     const struct proto_request *request, struct err *err)
{
    const char *name = proto_request_text(request, "name", "");

    if (set_request_check_name(name, err))
        return -1;
    if (strpbrk(name, "*?") && !registry_find(daemon->registry, name))
        return err_set(err, ERR_INVALID,
                       "'%.60s' is a pattern: a VM is set by its name; policies and the "
                       "configuration take patterns",
                       name);
    memcpy(set->name, name, strlen(name) + 1);
    return 0;
}

/* What reading the settings needs to fail with. */
struct reading {
    struct set_request *set;
    struct err *err;
};

static int read_setting(void *arg, const char *key, const char *value)
{
    struct reading *reading = arg;
    int found = setting_find(vm_setting_defs, VM_KEY_COUNT, key);
    int64_t number;

    if (found < 0)
        return err_set(reading->err, ERR_INVALID,
                       "unknown setting '%.40s'; there are startup, minimum, maximum, buffer, "
                       "priority, mode, trust",
                       key);
    if (setting_parse(&vm_setting_defs[found], value, &number, reading->err))
        return -1;
    setting_put(&reading->set->said, (unsigned)found, number);
    return 0;
}

static int read_settings(struct set_request *set, const struct proto_request *request,
                         struct err *err)
{
    struct reading reading = {set, err};
    const char *span = proto_request_text(request, "for", NULL);

    if (proto_request_each(request, "settings", read_setting, &reading))
        return -1;
    if (set->said.has == 0)
        return err_set(err, ERR_INVALID, "nothing to set: give at least one KEY=VALUE");
    if (span && duration_parse(span, &set->for_ms, err))
        return err_wrap(err, "for");
    return 0;
}

static int resolve(struct set_request *set, struct daemon *daemon, struct err *err)
{
    const struct vm_entry *vm = registry_find(daemon->registry, set->name);

    if (registry_resolve_one(vm, set->name, daemon->layers, &set->said, &set->outcome, err))
        return err_wrap(err, "%s", set->name);
    set->vm = vm ? *vm : (struct vm_entry){0};
    set->vm.name = set->name;
    return 0;
}

static int check_host(const struct set_request *set, const struct daemon *daemon, struct err *err)
{
    struct kib total = engine_status(daemon->engine)->host.total;
    struct kib startup = kib(set->said.value[VM_KEY_STARTUP]);
    char asked[UNITS_TEXT], there[UNITS_TEXT];

    if (!setting_has(&set->said, VM_KEY_STARTUP) || startup.v <= total.v)
        return 0;
    return err_set(err, ERR_INVALID,
                   "%s: startup %s is more than this host has (%s): it could never start here; "
                   "--force sets it all the same",
                   set->name, kib_format(startup, asked), kib_format(total, there));
}

static void add_warnings(struct set_request *set)
{
    const struct hv_domain *now = set->vm.domain ? &set->vm.domain->now : NULL;
    char one[UNITS_TEXT], other[UNITS_TEXT];

    if (set->outcome.mode == VM_MODE_IGNORED)
        warn(set, "its mode is ignored: nothing is done to it until mode=dynamic or mode=static");
    if (!set->vm.seen)
        warn(set, "no VM of that name was ever seen here; the settings wait for it");
    if (now && setting_has(&set->said, VM_KEY_MAXIMUM) && now->static_max.v > 0 &&
        set->said.value[VM_KEY_MAXIMUM] > now->static_max.v)
        warn(set,
             "maximum is above its maxmem of %s, and takes full effect only with a larger "
             "maxmem in its xl configuration",
             kib_format(now->static_max, one));
    if ((!now || now->pv) && set->outcome.maximum.v / PV_GROWTH > set->outcome.startup.v)
        warn(set, "maximum %s is more than ten times startup %s: PV Linux cannot grow so far",
             kib_format(set->outcome.maximum, one), kib_format(set->outcome.startup, other));
}

int set_request_read(struct set_request *set, struct daemon *daemon,
                     const struct proto_request *request, struct err *err)
{
    *set = (struct set_request){0};
    if (read_name(set, daemon, request, err) || read_settings(set, request, err) ||
        resolve(set, daemon, err))
        return -1;
    if (!proto_request_boolean(request, "force", false) && check_host(set, daemon, err))
        return -1;
    add_warnings(set);
    return 0;
}

/* Setting takes an override back, if that can be written. */
void set_request_refresh(struct set_request *set, struct daemon *daemon)
{
    const struct vm_entry *vm = registry_find(daemon->registry, set->name);

    if (!vm)
        return;
    set->vm = *vm;
    set->vm.name = set->name;
    set->outcome = vm->settings;
    if (vm->domain && vm->domain->overridden && vm->settings.mode != VM_MODE_IGNORED)
        warn(set,
             "its target stays as it was set by hand, for it cannot be taken back now (`xenmemctl "
             "events` says why): `balance --clear-overrides` does it later");
}
