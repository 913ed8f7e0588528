/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/settings/policies.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/memory.h"
#include "daemon/methods/trial.h"
#include "daemon/registry.h"
#include "daemon/settings/layers.h"
#include "daemon/settings/policy.h"
#include "proto/proto.h"
#include "proto/records.h"

#define WARNINGS_MAX 20

struct layer *policies_find(struct layers *layers, const char *name)
{
    for (size_t i = layers_count(layers); i-- > 0;) {
        struct layer *layer = layers_at(layers, i);

        if (layer_kind_of(layer) == LAYER_POLICY && strcmp(layer_name(layer), name) == 0)
            return layer;
    }
    return NULL;
}

static struct layer *newest_policy(struct layers *layers)
{
    for (size_t i = layers_count(layers); i-- > 0;)
        if (layer_kind_of(layers_at(layers, i)) == LAYER_POLICY)
            return layers_at(layers, i);
    return NULL;
}

bool policies_in_force(struct layers *layers, const struct policy *policy, int64_t for_ms)
{
    const struct layer *layer = policies_find(layers, policy->name);

    return layer && for_ms == 0 && layer_expires_ms(layer) == 0 && layer == newest_policy(layers) &&
           layer_equals(layer, policy->layer);
}

/* --- how it would be ------------------------------------------------------------------------- */

/* Puts the policy's layer on top and hides the one that it replaces (NULL: none), or puts things
 * back. */
static void put_on(struct daemon *daemon, struct layer *layer, struct layer *replaced)
{
    if (replaced)
        layer_hide(replaced, true);
    if (layer)
        invariant(layers_take(daemon->layers, layer));
}

static void take_off(struct daemon *daemon, struct layer *layer, struct layer *replaced)
{
    if (layer)
        invariant(layers_give_back(daemon->layers) == layer);
    if (replaced)
        layer_hide(replaced, false);
}

static int check_vms(struct daemon *daemon, const struct layer *layer, struct err *err)
{
    for (const struct vm_entry *vm = daemon->registry->vms; vm; vm = vm->hh.next) {
        struct vm_settings outcome;

        if (layer_says(layer, vm->name) &&
            registry_resolve_one(vm, vm->name, daemon->layers, NULL, &outcome, err))
            return err_wrap(err, "%s", vm->name);
    }
    return 0;
}

int policies_check(struct daemon *daemon, const struct policy *policy, struct err *err)
{
    struct layer *replaced = policies_find(daemon->layers, policy->name);
    int rc;

    if (layers_count(daemon->layers) == LAYERS_MAX)
        return err_set(err, ERR_BUSY,
                       "%d layers of settings are in force already: wait until one ends",
                       LAYERS_MAX);
    put_on(daemon, policy->layer, replaced);
    rc = check_vms(daemon, policy->layer, err);
    take_off(daemon, policy->layer, replaced);
    return rc ? err_wrap(err, "policy %s", policy->name) : 0;
}

static void warn(struct foresight *out, char *text)
{
    if (out->n_warnings == WARNINGS_MAX) {
        free(text);
        return;
    }
    out->warnings = memory_grow(out->warnings, out->n_warnings + 1, sizeof(*out->warnings));
    out->warnings[out->n_warnings++] = text;
}

static void add_setting(struct foresight *out, const char *vm, const struct setting_def *def,
                        int64_t from, int64_t to)
{
    struct foreseen_setting *setting;

    if (from == to)
        return;
    out->settings = memory_grow(out->settings, out->n_settings + 1, sizeof(*out->settings));
    setting = &out->settings[out->n_settings++];
    setting->vm = vm ? memory_copy_text(vm) : NULL;
    setting->def = def;
    setting->from = from;
    setting->to = to;
}

static void compare_vm(struct foresight *out, const char *name, const struct vm_settings *from,
                       const struct vm_settings *to)
{
    int64_t before[VM_KEY_COUNT], after[VM_KEY_COUNT];

    vm_settings_values(from, before);
    vm_settings_values(to, after);
    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        add_setting(out, name, &vm_setting_defs[key], before[key], after[key]);
}

static void compare_host(struct foresight *out, const struct host_settings *from,
                         const struct host_settings *to)
{
    int64_t before[HOST_KEY_COUNT], after[HOST_KEY_COUNT];

    host_settings_values(from, before);
    host_settings_values(to, after);
    for (unsigned key = 0; key < HOST_KEY_COUNT; key++)
        add_setting(out, NULL, &host_setting_defs[key], before[key], after[key]);
}

static void compare_settings(struct daemon *daemon, const struct host_settings *host_before,
                             struct foresight *out)
{
    const struct setting_partial *said[LAYERS_MAX];
    struct host_settings host;
    struct err err;

    host_settings_resolve(said, layers_of_host(daemon->layers, said), &host);
    compare_host(out, host_before, &host);
    for (const struct vm_entry *vm = daemon->registry->vms; vm; vm = vm->hh.next) {
        struct vm_settings outcome;

        if (registry_resolve_one(vm, vm->name, daemon->layers, NULL, &outcome, &err)) {
            err_wrap(&err, "%s", vm->name);
            warn(out, memory_copy_text(err.text));
        }
        compare_vm(out, vm->name, &vm->settings, &outcome);
    }
}

/* Who looks at what would be decided. */
struct looking {
    const struct registry *registry;
    struct foresight *out;
};

static void add_target(struct foresight *out, const struct domain *domain, struct kib goal)
{
    struct foreseen_target *target;

    if (!domain->vm || domain->now.target.v == goal.v || goal.v <= 0)
        return;
    out->targets = memory_grow(out->targets, out->n_targets + 1, sizeof(*out->targets));
    target = &out->targets[out->n_targets++];
    *target =
        (struct foreseen_target){memory_copy_text(domain->vm->name), domain->now.target, goal};
}

static void add_targets(void *arg, const struct snapshot *snapshot, const struct decision *decision)
{
    const struct looking *looking = arg;

    for (size_t i = 0; i < snapshot->n_vms; i++)
        if (decision->work[i].role >= ROLE_FIXED)
            add_target(looking->out, &looking->registry->domains[i], decision->verdicts[i].goal);
}

static void foresee(struct daemon *daemon, struct layer *layer, struct layer *replaced,
                    struct foresight *out)
{
    const struct setting_partial *said[LAYERS_MAX];
    const struct trial trial = {0};
    struct looking looking = {daemon->registry, out};
    struct host_settings host;

    host_settings_resolve(said, layers_of_host(daemon->layers, said), &host);
    put_on(daemon, layer, replaced);
    compare_settings(daemon, &host, out);
    registry_resolve(daemon->registry, daemon->layers);
    trial_decide(daemon, &trial, add_targets, &looking);
    take_off(daemon, layer, replaced);
    registry_resolve(daemon->registry, daemon->layers);
}

/* Warns of a pattern that fits nobody. */
struct matching {
    const struct registry *registry;
    struct foresight *out;
};

static void warn_unmatched(void *arg, const char *pattern, const struct setting_partial *said)
{
    const struct matching *matching = arg;
    char text[160];

    (void)said;
    for (const struct vm_entry *vm = matching->registry->vms; vm; vm = vm->hh.next)
        if (fnmatch(pattern, vm->name, 0) == 0)
            return;
    snprintf(text, sizeof(text), "[vm %s] fits no VM that was ever seen here", pattern);
    warn(matching->out, memory_copy_text(text));
}

void policies_foresee(struct daemon *daemon, struct policy *policy, struct foresight *out)
{
    struct matching matching = {daemon->registry, out};

    *out = (struct foresight){0};
    layer_each(policy->layer, warn_unmatched, &matching);
    foresee(daemon, policy->layer, policies_find(daemon->layers, policy->name), out);
}

void policies_foresee_revert(struct daemon *daemon, const char *name, struct foresight *out)
{
    *out = (struct foresight){0};
    foresee(daemon, NULL, policies_find(daemon->layers, name), out);
}

void foresight_fini(struct foresight *foresight)
{
    for (size_t i = 0; i < foresight->n_settings; i++)
        free(foresight->settings[i].vm);
    for (size_t i = 0; i < foresight->n_targets; i++)
        free(foresight->targets[i].vm);
    for (size_t i = 0; i < foresight->n_warnings; i++)
        free(foresight->warnings[i]);
    free(foresight->settings);
    free(foresight->targets);
    free(foresight->warnings);
}

void foresight_put(const struct foresight *foresight, struct proto_writer *writer)
{
    proto_array_begin(writer, "changes");
    for (size_t i = 0; i < foresight->n_settings; i++) {
        const struct foreseen_setting *setting = &foresight->settings[i];

        proto_object_begin(writer, NULL);
        proto_put_text(writer, "vm", setting->vm);
        proto_put_text(writer, "setting", setting->def->wire_name);
        proto_put_setting(writer, "from", setting->def, setting->from);
        proto_put_setting(writer, "to", setting->def, setting->to);
        proto_object_end(writer);
    }
    proto_array_end(writer);
    proto_array_begin(writer, "targets");
    for (size_t i = 0; i < foresight->n_targets; i++) {
        proto_object_begin(writer, NULL);
        proto_put_text(writer, "vm", foresight->targets[i].vm);
        proto_put_integer(writer, "from_kib", foresight->targets[i].from.v);
        proto_put_integer(writer, "to_kib", foresight->targets[i].to.v);
        proto_object_end(writer);
    }
    proto_array_end(writer);
    proto_array_begin(writer, "warnings");
    for (size_t i = 0; i < foresight->n_warnings; i++)
        proto_put_text(writer, NULL, foresight->warnings[i]);
    proto_array_end(writer);
}
