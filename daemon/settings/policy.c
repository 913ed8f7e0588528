/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/settings/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/conf.h"
#include "core/settings.h"
#include "daemon/memory.h"
#include "daemon/settings/layers.h"
#include "daemon/settings/section.h"

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* A policy that is being read. */
struct reading {
    struct policy *policy;
    struct setting_partial *vm; /* of the [vm PATTERN] that we are in; NULL: in another section */
    char section[CONF_SECTION_MAX + 1]; /* the last one, "" before the first */
};

static int take_own_key(struct policy *policy, const char *key, const char *value, struct err *err)
{
    if (strcmp(key, "description") == 0) {
        free(policy->description);
        policy->description = memory_copy_text(value);
        return 0;
    }
    if (strcmp(key, "name") != 0)
        return err_set(err, ERR_INVALID,
                       "unknown key '%s' in [policy]; there are name and description", key);
    if (value[0] == '\0' || strlen(value) > POLICY_NAME_MAX ||
        value[strspn(value, NAME_BYTES)] != '\0' || value[0] == '.' || value[0] == '-')
        return err_set(err, ERR_INVALID,
                       "name '%.60s' is not made of at most %d letters, digits, '.', '_' and '-'",
                       value, POLICY_NAME_MAX);
    strcpy(policy->name, value);
    return 0;
}

/* A pattern that says nothing would still keep later ones from its VMs, and leave no trace. */
static int check_section(const struct reading *reading, struct err *err)
{
    if (reading->vm && reading->vm->has == 0)
        return err_set(err, ERR_INVALID, "[%s] before it says nothing", reading->section);
    return 0;
}

static int begin_section(struct reading *reading, const char *section, struct err *err)
{
    struct policy *policy = reading->policy;
    const char *pattern;

    if (check_section(reading, err))
        return -1;
    reading->vm = NULL;
    strcpy(reading->section, section);
    if (strcmp(section, "policy") == 0 || strcmp(section, "host") == 0)
        return 0;
    pattern = section_pattern(section);
    if (!pattern || *pattern == '\0')
        return err_set(err, ERR_INVALID,
                       "unknown section [%s]; there are [policy], [host], [vm PATTERN]", section);
    if (policy->n_patterns == POLICY_PATTERNS_MAX)
        return err_set(err, ERR_INVALID, "more than %d [vm PATTERN] sections", POLICY_PATTERNS_MAX);
    if (layer_find_vm(policy->layer, pattern))
        return err_set(err, ERR_INVALID, "[vm %s] is there twice: put them together", pattern);
    policy->n_patterns++;
    reading->vm = layer_vm(policy->layer, pattern);
    return 0;
}

static int take_line(void *arg, const char *section, const char *key, const char *value, int line,
                     struct err *err)
{
    struct reading *reading = arg;

    (void)line;
    if (!key)
        return begin_section(reading, section, err);
    if (section[0] == '\0')
        return err_set(err, ERR_INVALID, "'%s' is before any section, such as [policy]", key);
    if (strcmp(section, "policy") == 0)
        return take_own_key(reading->policy, key, value, err);
    if (strcmp(section, "host") == 0)
        return section_take_host(layer_host(reading->policy->layer), key, value, err);
    return section_take_vm(reading->vm, section, key, value, err);
}

static int read_whole(struct reading *reading, const char *file, const char *text, struct err *err)
{
    struct policy *policy = reading->policy;

    if (strlen(text) > POLICY_TEXT_MAX)
        return err_set(err, ERR_INVALID, "%s: is longer than the %zu bytes of a policy", file,
                       POLICY_TEXT_MAX);
    if (conf_read_text(file, text, strlen(text), take_line, reading, err))
        return -1;
    if (check_section(reading, err))
        return err_wrap(err, "%s", file);
    if (policy->name[0] == '\0')
        return err_set(err, ERR_INVALID, "%s: has no name: write name = … under [policy]", file);
    if (policy->n_patterns == 0 && layer_host_says(policy->layer)->has == 0)
        return err_set(err, ERR_INVALID, "%s: says nothing of the host or of a VM", file);
    return 0;
}

int policy_read(const char *file, const char *text, struct policy **out, struct err *err)
{
    struct policy *policy = memory_new(1, sizeof(*policy));
    struct reading reading = {.policy = policy};

    policy->description = memory_copy_text("");
    policy->layer = layer_new(0, LAYER_POLICY, "", 0);
    if (read_whole(&reading, file, text, err)) {
        policy_free(policy);
        return -1;
    }
    layer_set_name(policy->layer, policy->name);
    *out = policy;
    return 0;
}

void policy_free(struct policy *policy)
{
    if (!policy)
        return;
    layer_free(policy->layer);
    free(policy->description);
    free(policy);
}
