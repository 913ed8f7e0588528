/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/script.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "core/decide.h"
#include "daemon/reservations/reservations.h"
#include "hv/sim/vm.h"

#define MINIMUM_IF_NOT_SAID (INT64_C(256) * 1024)
#define MAX_ARGUMENTS       12

void script_fini(struct script *script)
{
    free(script->vms);
    free(script->commands);
    free(script->expectations);
    *script = (struct script){0};
}

/* Room for one more than n. */
static void *grow(void *array, size_t n, size_t size)
{
    if ((n & (n + 1)) == 0) { /* it was full: 0, 1, 3, 7 … */
        array = realloc(array, (2 * n + 1) * size);
        invariant(array);
    }
    return array;
}

void script_reach(struct script *script, int64_t ms)
{
    if (ms > script->end_ms)
        script->end_ms = ms;
}

/* --- settings -------------------------------------------------------------------------------- */

void script_add_vm(struct script *script, const char *name)
{
    struct script_vm *vm;

    script->vms = grow(script->vms, script->n_vms, sizeof(*script->vms));
    vm = &script->vms[script->n_vms++];
    *vm = (struct script_vm){0};
    snprintf(vm->name, sizeof(vm->name), "%s", name);
}

struct setting_partial *script_find_vm(struct script *script, const char *name)
{
    for (size_t i = 0; i < script->n_vms; i++)
        if (strcmp(script->vms[i].name, name) == 0)
            return &script->vms[i].said;
    script_add_vm(script, name);
    return &script->vms[script->n_vms - 1].said;
}

bool script_knows_vm_key(const char *key)
{
    return setting_find(vm_setting_defs, VM_KEY_COUNT, key) >= 0;
}

bool script_knows_host_key(const char *key)
{
    return setting_find(host_setting_defs, HOST_KEY_COUNT, key) >= 0;
}

static int take_setting(const struct setting_def *defs, size_t n_defs, struct setting_partial *said,
                        const char *key, const char *value, struct err *err)
{
    int index = setting_find(defs, n_defs, key);
    int64_t number;

    if (index < 0)
        return err_set(err, ERR_INVALID, "'%.40s' is no setting", key);
    if (setting_parse(&defs[index], value, &number, err))
        return -1;
    setting_put(said, (unsigned)index, number);
    return 0;
}

int script_take_vm_key(struct script *script, const char *key, const char *value, struct err *err)
{
    return take_setting(vm_setting_defs, VM_KEY_COUNT, &script->vms[script->n_vms - 1].said, key,
                        value, err);
}

int script_take_host_key(struct script *script, const char *key, const char *value, struct err *err)
{
    return take_setting(host_setting_defs, HOST_KEY_COUNT, &script->host, key, value, err);
}

int script_complete_vm(struct script *script, size_t index, const struct sim_vm *vm,
                       struct err *err)
{
    const struct vm_natural natural = {.target = vm->memory, .static_max = vm->maxmem};
    struct setting_partial *said = &script->vms[index].said;
    const struct setting_partial *layers[] = {said};
    struct vm_settings settings;
    struct kib least = kib(MINIMUM_IF_NOT_SAID);

    if (!setting_has(said, VM_KEY_MODE))
        setting_put(said, VM_KEY_MODE, VM_MODE_DYNAMIC);
    if (!setting_has(said, VM_KEY_MINIMUM) && !setting_has(said, VM_KEY_STARTUP))
        setting_put(said, VM_KEY_MINIMUM, kib_min(least, vm->memory).v);
    return vm_settings_resolve(layers, 1, natural, &settings, err);
}

/* --- commands -------------------------------------------------------------------------------- */

static const struct {
    const char *word, *usage;
    enum script_deed deed;
    int fewest, most; /* arguments */
} commands[] = {
    {"set", "set VM|host KEY=VALUE...", SCRIPT_SET, 2, MAX_ARGUMENTS},
    {"clear-override", "clear-override VM", SCRIPT_CLEAR, 1, 1},
    {"reserve", "reserve VM SIZE [priority=N] [wait=TIME] [ttl=TIME]", SCRIPT_RESERVE, 2, 5},
    {"release", "release VM", SCRIPT_RELEASE, 1, 1},
    {"daemon", "daemon kill|start", SCRIPT_KILL, 1, 1},
};
#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

static int find_command(const char *word)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].word, word) == 0)
            return (int)i;
    return -1;
}

bool script_knows_command(const char *word)
{
    return find_command(word) >= 0;
}

static int take_pair(struct script_command *command, char *pair, struct err *err)
{
    char *equals = strchr(pair, '=');

    if (!equals)
        return err_set(err, ERR_INVALID, "'%.40s' is not KEY=VALUE", pair);
    *equals = '\0';
    if (strcmp(command->name, SCRIPT_HOST) == 0)
        return take_setting(host_setting_defs, HOST_KEY_COUNT, &command->said, pair, equals + 1,
                            err);
    return take_setting(vm_setting_defs, VM_KEY_COUNT, &command->said, pair, equals + 1, err);
}

static int take_wish(struct script_wish *wish, const char *word, struct err *err)
{
    int64_t priority;

    if (strncmp(word, "wait=", 5) == 0)
        return duration_parse(word + 5, &wish->wait_ms, err);
    if (strncmp(word, "ttl=", 4) == 0)
        return duration_parse(word + 4, &wish->ttl_ms, err);
    if (strncmp(word, "priority=", 9) != 0)
        return err_set(err, ERR_INVALID, "reserve has no '%.40s'", word);
    if (setting_parse(&vm_setting_defs[VM_KEY_PRIORITY], word + 9, &priority, err))
        return -1;
    wish->priority = (int32_t)priority;
    return 0;
}

static int fill_wish(struct script_wish *wish, int n, char *words[], struct err *err)
{
    wish->priority = RESERVATION_PRIORITY_OWN;
    if (kib_parse(words[1], &wish->size, err))
        return -1;
    for (int i = 2; i < n; i++)
        if (take_wish(wish, words[i], err))
            return -1;
    return 0;
}

static int fill_command(struct script_command *command, int n, char *words[], struct err *err)
{
    if (command->deed == SCRIPT_KILL) {
        if (strcmp(words[0], "start") == 0)
            command->deed = SCRIPT_START;
        else if (strcmp(words[0], "kill") != 0)
            return err_set(err, ERR_INVALID, "daemon: '%.40s' is neither kill nor start", words[0]);
        return 0;
    }
    snprintf(command->name, sizeof(command->name), "%s", words[0]);
    if (command->deed == SCRIPT_RESERVE)
        return fill_wish(&command->wish, n, words, err);
    for (int i = 1; i < n; i++)
        if (take_pair(command, words[i], err))
            return -1;
    return 0;
}

int script_take_command(struct script *script, const char *word, const char *arguments,
                        int64_t due_ms, int64_t every_ms, int line, struct err *err)
{
    int index = find_command(word);
    struct script_command command = {
        .due_ms = due_ms, .every_ms = every_ms, .line = line, .deed = commands[index].deed};
    char *words[MAX_ARGUMENTS + 1], *rest;
    char text[512];
    int n = 0;

    snprintf(text, sizeof(text), "%s", arguments);
    for (char *at = strtok_r(text, " \t", &rest); at && n <= MAX_ARGUMENTS;
         at = strtok_r(NULL, " \t", &rest))
        words[n++] = at;
    if (n < commands[index].fewest || n > commands[index].most)
        return err_set(err, ERR_INVALID, "usage: %s", commands[index].usage);
    if (fill_command(&command, n, words, err))
        return -1;
    script->commands = grow(script->commands, script->n_commands, sizeof(*script->commands));
    script->commands[script->n_commands++] = command;
    return 0;
}

/* --- expectations ---------------------------------------------------------------------------- */

enum figure_kind { KIND_SIZE, KIND_COUNT, KIND_STATE, KIND_STATUS, KIND_RESERVATION };

static const struct {
    const char *name;
    enum figure_kind kind;
    bool of_vm, of_host;
} figures[FIGURE_COUNT] = {
    [FIGURE_ASSIGNED] = {"assigned", KIND_SIZE, true, true},
    [FIGURE_TARGET] = {"target", KIND_SIZE, true, false},
    [FIGURE_CAP] = {"cap", KIND_SIZE, true, false},
    [FIGURE_DEMAND] = {"demand", KIND_SIZE, true, true},
    [FIGURE_STATE] = {"state", KIND_STATE, true, false},
    [FIGURE_STATUS] = {"status", KIND_STATUS, true, false},
    [FIGURE_RESERVATION] = {"reservation", KIND_RESERVATION, true, false},
    [FIGURE_CHANGES] = {"changes", KIND_COUNT, true, true},
    [FIGURE_FREE] = {"free", KIND_SIZE, false, true},
    [FIGURE_RESERVED] = {"reserved", KIND_SIZE, false, true},
    [FIGURE_UNCOMMITTED] = {"uncommitted", KIND_SIZE, false, true},
    [FIGURE_CRASHES] = {"crashes", KIND_COUNT, false, true},
    [FIGURE_OOM_KILLS] = {"oom-kills", KIND_COUNT, false, true},
    [FIGURE_BROKEN] = {"broken", KIND_COUNT, false, true},
};

static int find_figure(const char *name, bool of_host)
{
    for (int i = 0; i < FIGURE_COUNT; i++)
        if (strcmp(figures[i].name, name) == 0 && (of_host ? figures[i].of_host : figures[i].of_vm))
            return i;
    return -1;
}

static int parse_sign(const char *text, char *sign, struct err *err)
{
    if (strcmp(text, "<=") != 0 && strcmp(text, ">=") != 0 && strcmp(text, "=") != 0)
        return err_set(err, ERR_INVALID, "'%.10s' is none of <=, >=, =", text);
    *sign = text[0];
    return 0;
}

static int find_name(const char *text, int count, const char *name_of(int), int64_t *out,
                     struct err *err)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(name_of(i), text) != 0)
            continue;
        *out = i;
        return 0;
    }
    return err_set(err, ERR_INVALID, "there is no such state as '%.40s'", text);
}

static const char *state_name(int index)
{
    return vm_state_name((enum vm_state)index);
}

static const char *status_name(int index)
{
    return vm_status_name((enum vm_status)index);
}

/* "none" comes before the daemon's own names. */
static const char *reservation_name(int index)
{
    return index == 0 ? "none" : reservation_state_name((enum reservation_state)(index - 1));
}

static int parse_reservation(const char *text, int64_t *out, struct err *err)
{
    if (find_name(text, RESERVATION_BOUND + 2, reservation_name, out, err))
        return -1;
    *out += SCRIPT_NO_RESERVATION;
    return 0;
}

static int parse_value(enum script_figure figure, const char *text, int64_t *out, struct err *err)
{
    struct kib size;

    switch (figures[figure].kind) {
    case KIND_STATE:
        return find_name(text, VM_STATE_COUNT, state_name, out, err);
    case KIND_STATUS:
        return find_name(text, VM_STATUS_WARNING + 1, status_name, out, err);
    case KIND_RESERVATION:
        return parse_reservation(text, out, err);
    case KIND_COUNT:
        return integer_parse(text, 0, INT64_MAX, out, err);
    default:
        if (kib_parse(text, &size, err))
            return -1;
        *out = size.v;
        return 0;
    }
}

const char *script_format(enum script_figure figure, int64_t value, char buf[UNITS_TEXT])
{
    switch (figures[figure].kind) {
    case KIND_STATE:
        snprintf(buf, UNITS_TEXT, "%s", state_name((int)value));
        return buf;
    case KIND_STATUS:
        snprintf(buf, UNITS_TEXT, "%s", status_name((int)value));
        return buf;
    case KIND_RESERVATION:
        snprintf(buf, UNITS_TEXT, "%s", reservation_name((int)value - SCRIPT_NO_RESERVATION));
        return buf;
    case KIND_COUNT:
        snprintf(buf, UNITS_TEXT, "%" PRId64, value);
        return buf;
    default:
        return kib_format(kib(value), buf);
    }
}

/* Where it belongs in time, behind those of the same time. */
static void insert(struct script *script, const struct script_expectation *expectation)
{
    struct script_expectation *all =
        grow(script->expectations, script->n_expectations, sizeof(*script->expectations));
    size_t at = script->n_expectations++;

    for (; at > 0 && all[at - 1].at_ms > expectation->at_ms; at--)
        all[at] = all[at - 1];
    all[at] = *expectation;
    script->expectations = all;
}

int script_expect(struct script *script, const char *name, const char *text, int64_t at_ms,
                  int line, struct err *err)
{
    struct script_expectation expectation = {.at_ms = at_ms, .line = line};
    char figure[20], sign[4], value[40], beyond;
    int index;

    if (sscanf(text, " %19[^ \t<>=] %3[<>=] %39s %c", figure, sign, value, &beyond) != 3)
        return err_set(err, ERR_INVALID, "'%.60s' is not like 'assigned >= 1g'", text);
    index = find_figure(figure, strcmp(name, SCRIPT_HOST) == 0);
    if (index < 0)
        return err_set(err, ERR_INVALID, "%.40s has no figure '%s'", name, figure);
    expectation.figure = (enum script_figure)index;
    if (parse_sign(sign, &expectation.sign, err) ||
        parse_value(expectation.figure, value, &expectation.value, err))
        return -1;
    snprintf(expectation.name, sizeof(expectation.name), "%s", name);
    snprintf(expectation.text, sizeof(expectation.text), "%s %s %s", figure, sign, value);
    insert(script, &expectation);
    script_reach(script, at_ms);
    return 0;
}
