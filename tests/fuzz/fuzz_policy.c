/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy's text: what is taken says nothing that settings may not say, and what is refused has
 * its place. */
#include "tests/fuzz/fuzz.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "core/settings.h"
#include "daemon/settings/layers.h"
#include "daemon/settings/policy.h"

const char fuzz_name[] = "policy";

static void check_said(const struct setting_partial *said, const struct setting_def *defs,
                       unsigned count)
{
    invariant(said->has >> count == 0);
    for (unsigned key = 0; key < count; key++)
        invariant(!setting_has(said, key) ||
                  setting_check(&defs[key], said->value[key], NULL) == 0);
}

static void check_pattern(void *arg, const char *match, const struct setting_partial *said)
{
    size_t *left = arg;
    struct vm_settings outcome;
    struct err err;

    invariant(*left > 0 && match[0] != '\0' && said->has != 0);
    (*left)--;
    check_said(said, vm_setting_defs, VM_KEY_COUNT);
    invariant(vm_settings_resolve(&said, 1, (struct vm_natural){0}, &outcome, &err) == 0);
    (void)fnmatch(match, "web1", 0);
}

static void check_policy(const struct policy *policy)
{
    size_t left = policy->n_patterns;

    invariant(policy->name[0] != '\0' && !strchr(policy->name, '/') && policy->name[0] != '.');
    invariant(strcmp(policy->name, layer_name(policy->layer)) == 0);
    invariant(policy->n_patterns <= POLICY_PATTERNS_MAX);
    check_said(layer_host_says(policy->layer), host_setting_defs, HOST_KEY_COUNT);
    layer_each(policy->layer, check_pattern, &left);
    invariant(left == 0 && layer_equals(policy->layer, policy->layer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy *policy;
    struct err err = {0};
    char *text = malloc(size + 1);

    invariant(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (policy_read("p", text, &policy, &err)) {
        invariant(err.code == ERR_INVALID && strncmp(err.text, "p:", 2) == 0);
    } else {
        check_policy(policy);
        policy_free(policy);
    }
    free(text);
    return 0;
}
