/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const char *const modes[] = {"ignored", "static", "dynamic", NULL};
static const char *const surpluses[] = {"keep", "hold", "share", NULL};
static const char *const actions[] = {"balance", "observe", NULL};

const struct setting_def vm_setting_defs[VM_KEY_COUNT] = {
    [VM_KEY_STARTUP] = {"startup", "startup_kib", SETTING_SIZE, 1, KIB_LIMIT, SETTING_UNSET, NULL,
                        "memory from power-on until its guest speaks"},
    [VM_KEY_MINIMUM] = {"minimum", "minimum_kib", SETTING_SIZE, 1, KIB_LIMIT, SETTING_UNSET, NULL,
                        "never shrunk below this"},
    [VM_KEY_MAXIMUM] = {"maximum", "maximum_kib", SETTING_SIZE, 1, KIB_LIMIT, SETTING_UNSET, NULL,
                        "never grown above this"},
    [VM_KEY_BUFFER] = {"buffer", "buffer_percent", SETTING_PERCENT, 5, 2000, 20, NULL,
                       "percent of demand kept spare"},
    [VM_KEY_PRIORITY] = {"priority", "priority", SETTING_INTEGER, 0, 100, 50, NULL,
                         "who receives first when memory is scarce, 100 the most important"},
    [VM_KEY_MODE] = {"mode", "mode", SETTING_CHOICE, 0, VM_MODE_DYNAMIC, VM_MODE_IGNORED, modes,
                     "dynamic, static (always startup) or ignored (never touched)"},
    [VM_KEY_TRUST] = {"trust", "trust", SETTING_BOOLEAN, 0, 1, 0, NULL,
                      "may a floor that the guest reports bind?"},
};

const struct setting_def host_setting_defs[HOST_KEY_COUNT] = {
    [HOST_KEY_RESERVE] = {"reserve", "reserve_kib", SETTING_SIZE, 0, KIB_LIMIT, 64 * 1024, NULL,
                          "never given to guests"},
    [HOST_KEY_HEADROOM] = {"headroom", "headroom_kib", SETTING_SIZE, 0, KIB_LIMIT, 0, NULL,
                           "kept free for the next start, as far as VMs have memory to spare"},
    [HOST_KEY_SURPLUS] = {"surplus", "surplus", SETTING_CHOICE, 0, SURPLUS_SHARE, SURPLUS_KEEP,
                          surpluses,
                          "what becomes of memory that nobody needs: keep, hold or share"},
    [HOST_KEY_ACTION] = {"action", "action", SETTING_CHOICE, 0, HOST_ACTION_OBSERVE,
                         HOST_ACTION_BALANCE, actions,
                         "balance, or observe: decide and log, but write nothing"},
    [HOST_KEY_BLIND] = {"blind", "blind", SETTING_BOOLEAN, 0, 1, 0, NULL,
                        "may guests without fresh need be shrunk for a start of higher priority?"},
    [HOST_KEY_DEMAND_HALF_LIFE] =
        {"demand-half-life", "demand_half_life_ms", SETTING_DURATION, 0, 86400000, 1200000, NULL,
         "after a fall of need, half of the difference is gone after this"},
    [HOST_KEY_DEMAND_LEAD] = {"demand-lead", "demand_lead_percent", SETTING_PERCENT, 0, 25, 2, NULL,
                              "percent of need by which a rise is taken to go on, at most"},
};

int setting_find(const struct setting_def *defs, size_t n_defs, const char *name)
{
    for (size_t i = 0; i < n_defs; i++)
        if (strcmp(defs[i].name, name) == 0 || strcmp(defs[i].wire_name, name) == 0)
            return (int)i;
    return -1;
}

static int parse_choice(const char *const *choices, const char *text, int64_t *out, struct err *err)
{
    char all[128] = "";

    for (size_t i = 0; choices[i]; i++) {
        size_t length = strlen(all);

        if (strcmp(choices[i], text) == 0) {
            *out = (int64_t)i;
            return 0;
        }
        snprintf(all + length, sizeof(all) - length, "%s%s", i > 0 ? ", " : "", choices[i]);
    }
    return err_set(err, ERR_INVALID, "'%.40s' is none of %s", text, all);
}

/* 0 is no duration, but some settings are off with it; their range tells which. */
static int parse_span(const char *text, int64_t *out_ms, struct err *err)
{
    if (strcmp(text, "0") != 0 && strcmp(text, "0s") != 0)
        return duration_parse(text, out_ms, err);
    *out_ms = 0;
    return 0;
}

static int parse_value(const struct setting_def *def, const char *text, int64_t *out,
                       struct err *err)
{
    static const char *const booleans[] = {"no", "yes", NULL};
    struct kib size;

    switch (def->type) {
    case SETTING_SIZE:
        if (kib_parse(text, &size, err))
            return -1;
        *out = size.v;
        return 0;
    case SETTING_DURATION:
        return parse_span(text, out, err);
    case SETTING_CHOICE:
        return parse_choice(def->choices, text, out, err);
    case SETTING_BOOLEAN:
        return parse_choice(booleans, text, out, err);
    case SETTING_INTEGER:
    case SETTING_PERCENT:
        return integer_parse(text, def->low, def->high, out, err);
    }
    return -1;
}

int setting_parse(const struct setting_def *def, const char *text, int64_t *out, struct err *err)
{
    int64_t value;

    if (parse_value(def, text, &value, err))
        return err_wrap(err, "%s", def->name);
    if (setting_check(def, value, err))
        return -1;
    *out = value;
    return 0;
}

int setting_check(const struct setting_def *def, int64_t value, struct err *err)
{
    char text[64], low[64], high[64];

    if (value >= def->low && value <= def->high)
        return 0;
    return err_set(err, ERR_INVALID, "%s: %s is outside %s to %s", def->name,
                   setting_format(def, value, text, sizeof(text)),
                   setting_format(def, def->low, low, sizeof(low)),
                   setting_format(def, def->high, high, sizeof(high)));
}

const char *setting_format(const struct setting_def *def, int64_t value, char *buf, size_t room)
{
    char text[UNITS_TEXT];

    switch (def->type) {
    case SETTING_SIZE:
        snprintf(buf, room, "%s", kib_format_exact(kib(value), text));
        break;
    case SETTING_DURATION:
        snprintf(buf, room, "%s", duration_format(value, text));
        break;
    case SETTING_CHOICE:
        if (value >= def->low && value <= def->high) {
            snprintf(buf, room, "%s", def->choices[value]);
            break;
        }
        snprintf(buf, room, "%lld", (long long)value);
        break;
    case SETTING_BOOLEAN:
        snprintf(buf, room, "%s", value ? "yes" : "no");
        break;
    case SETTING_INTEGER:
    case SETTING_PERCENT:
        snprintf(buf, room, "%lld", (long long)value);
        break;
    }
    return buf;
}

void setting_put(struct setting_partial *partial, unsigned key, int64_t value)
{
    partial->has |= 1u << key;
    partial->value[key] = value;
}

bool setting_has(const struct setting_partial *partial, unsigned key)
{
    return partial->has >> key & 1;
}

static int64_t effective(const struct setting_partial *const *layers, size_t n_layers, unsigned key,
                         int64_t fallback)
{
    for (size_t i = 0; i < n_layers; i++)
        if (setting_has(layers[i], key))
            return layers[i]->value[key];
    return fallback;
}

/* Amounts that nobody gave follow from the domain, then from one another. */
static void derive_sizes(struct vm_natural natural, struct vm_settings *out)
{
    if (out->maximum.v == SETTING_UNSET)
        out->maximum = natural.static_max.v > 0 ? natural.static_max : kib(SETTING_UNSET);
    if (out->startup.v == SETTING_UNSET && natural.target.v > 0)
        out->startup = kib_max(natural.target, out->minimum);
    if (out->startup.v == SETTING_UNSET)
        out->startup = out->maximum.v != SETTING_UNSET ? out->maximum : out->minimum;
    if (out->startup.v == SETTING_UNSET)
        out->startup = kib(0);
    if (out->maximum.v == SETTING_UNSET)
        out->maximum = out->startup;
    if (out->minimum.v == SETTING_UNSET)
        out->minimum = kib_min(out->startup, out->maximum);
}

static int check_sizes(const struct vm_settings *asked, bool has_startup, struct err *err)
{
    char low[UNITS_TEXT], high[UNITS_TEXT];

    if (asked->minimum.v > asked->maximum.v)
        return err_set(err, ERR_INVALID, "minimum %s is above maximum %s",
                       kib_format_exact(asked->minimum, low),
                       kib_format_exact(asked->maximum, high));
    if (has_startup && asked->startup.v > asked->maximum.v)
        return err_set(err, ERR_INVALID, "startup %s is above maximum %s",
                       kib_format_exact(asked->startup, low),
                       kib_format_exact(asked->maximum, high));
    if (has_startup && asked->minimum.v > asked->startup.v)
        return err_set(err, ERR_INVALID, "minimum %s is above startup %s",
                       kib_format_exact(asked->minimum, low),
                       kib_format_exact(asked->startup, high));
    return 0;
}

/* A domain built with a static-max below the maximum that was set cuts into it: nobody's mistake,
 * and it ends with the domain. */
static void cut_sizes(struct vm_natural natural, struct vm_settings *out)
{
    if (natural.static_max.v > 0)
        out->maximum = kib_min(out->maximum, natural.static_max);
    out->startup = kib_min(out->startup, out->maximum);
    out->minimum = kib_min(out->minimum, out->startup);
}

int vm_settings_resolve(const struct setting_partial *const *layers, size_t n_layers,
                        struct vm_natural natural, struct vm_settings *out, struct err *err)
{
    int64_t value[VM_KEY_COUNT];
    int rc;

    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        value[key] = effective(layers, n_layers, key, vm_setting_defs[key].fallback);
    out->startup = kib(value[VM_KEY_STARTUP]);
    out->minimum = kib(value[VM_KEY_MINIMUM]);
    out->maximum = kib(value[VM_KEY_MAXIMUM]);
    out->buffer_percent = (int16_t)value[VM_KEY_BUFFER];
    out->priority = (int8_t)value[VM_KEY_PRIORITY];
    out->mode = (enum vm_mode)value[VM_KEY_MODE];
    out->trust = value[VM_KEY_TRUST] != 0;
    derive_sizes(natural, out);
    rc = check_sizes(out, value[VM_KEY_STARTUP] != SETTING_UNSET, err);
    cut_sizes(natural, out);
    return rc;
}

void host_settings_resolve(const struct setting_partial *const *layers, size_t n_layers,
                           struct host_settings *out)
{
    int64_t value[HOST_KEY_COUNT];

    for (unsigned key = 0; key < HOST_KEY_COUNT; key++)
        value[key] = effective(layers, n_layers, key, host_setting_defs[key].fallback);
    out->reserve = kib(value[HOST_KEY_RESERVE]);
    out->headroom = kib(value[HOST_KEY_HEADROOM]);
    out->surplus = (enum surplus)value[HOST_KEY_SURPLUS];
    out->action = (enum host_action)value[HOST_KEY_ACTION];
    out->blind = value[HOST_KEY_BLIND] != 0;
    out->demand_half_life_ms = value[HOST_KEY_DEMAND_HALF_LIFE];
    out->demand_lead_percent = (int32_t)value[HOST_KEY_DEMAND_LEAD];
}

void vm_settings_values(const struct vm_settings *settings, int64_t out[VM_KEY_COUNT])
{
    out[VM_KEY_STARTUP] = settings->startup.v;
    out[VM_KEY_MINIMUM] = settings->minimum.v;
    out[VM_KEY_MAXIMUM] = settings->maximum.v;
    out[VM_KEY_BUFFER] = settings->buffer_percent;
    out[VM_KEY_PRIORITY] = settings->priority;
    out[VM_KEY_MODE] = settings->mode;
    out[VM_KEY_TRUST] = settings->trust;
}

void host_settings_values(const struct host_settings *settings, int64_t out[HOST_KEY_COUNT])
{
    out[HOST_KEY_RESERVE] = settings->reserve.v;
    out[HOST_KEY_HEADROOM] = settings->headroom.v;
    out[HOST_KEY_SURPLUS] = settings->surplus;
    out[HOST_KEY_ACTION] = settings->action;
    out[HOST_KEY_BLIND] = settings->blind;
    out[HOST_KEY_DEMAND_HALF_LIFE] = settings->demand_half_life_ms;
    out[HOST_KEY_DEMAND_LEAD] = settings->demand_lead_percent;
}
