/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "conf/conf.h"
#include "hv/sim/toolstack.h"
#include "hv/sim/world.h"
#include "hv/sim/xl.h"
#include "sim/script.h"
#include "sim/trace.h"

#define MAX_VMS 10000

enum start_kind { START_RUNNING, START_OFF, START_LATER };

/* A VM of the file, until the whole of it is read. */
struct planned_vm {
    struct sim_vm vm;
    int line; /* of its section */
    enum start_kind start;
    int64_t start_ms;
};

/* A command of the file. */
struct planned_command {
    int64_t due_ms, every_ms;
    char text[2 * CONF_LINE_MAX];
    int line;
};

enum section { SECTION_NONE, SECTION_HOST, SECTION_VM, SECTION_AT, SECTION_EVERY, SECTION_EXPECT };

struct scenario {
    const char *file;
    struct world_host host;
    struct planned_vm *vms;
    size_t n_vms;
    struct planned_command *commands;
    size_t n_commands;
    struct script script; /* what it has for a daemon */
    enum section section; /* that we are in */
    int64_t time_ms;      /* of SECTION_AT, SECTION_EVERY and SECTION_EXPECT */
};

/* --- [host] --- */

enum host_kind { HOST_SIZE, HOST_RATE, HOST_TIME, HOST_NODES, HOST_SEED, HOST_CAP };

static const struct scenario_host_key {
    const char *name;
    enum host_kind kind;
    size_t offset;
} host_keys[] = {
    {"size", HOST_SIZE, offsetof(struct world_host, size)},
    {"xen-heap", HOST_SIZE, offsetof(struct world_host, heap)},
    {"dom0", HOST_SIZE, offsetof(struct world_host, dom0)},
    {"dom0-cap", HOST_CAP, offsetof(struct world_host, dom0_cap)},
    {"shared", HOST_SIZE, offsetof(struct world_host, shared)},
    {"low-memory", HOST_SIZE, offsetof(struct world_host, low_memory)},
    {"build-rate", HOST_RATE, offsetof(struct world_host, build_rate)},
    {"teardown-rate", HOST_RATE, offsetof(struct world_host, teardown_rate)},
    {"save-rate", HOST_RATE, offsetof(struct world_host, save_rate)},
    {"nodes", HOST_NODES, offsetof(struct world_host, nodes)},
    {"step", HOST_TIME, offsetof(struct world_host, step_ms)},
    {"seed", HOST_SEED, offsetof(struct world_host, seed)},
};

static int parse_rate(const char *value, struct kib *out, struct err *err)
{
    if (kib_parse(value, out, err))
        return -1;
    if (out->v < KIB_PAGE)
        return err_set(err, ERR_INVALID, "'%.40s' a second is less than a page", value);
    return 0;
}

static int parse_step(const char *value, int64_t *out, struct err *err)
{
    if (duration_parse(value, out, err))
        return -1;
    if (*out < 10 || *out > 60000)
        return err_set(err, ERR_INVALID, "'%.40s' is not within 10ms to 60s", value);
    return 0;
}

static int set_host_value(struct world_host *host, const struct scenario_host_key *key,
                          const char *value, struct err *err)
{
    void *place = (char *)host + key->offset;
    int64_t seed;

    switch (key->kind) {
    case HOST_SIZE:
        return kib_parse(value, place, err);
    case HOST_RATE:
        return parse_rate(value, place, err);
    case HOST_TIME:
        return parse_step(value, place, err);
    case HOST_NODES:
        return integer_parse(value, 1, HV_MAX_NODES, place, err);
    case HOST_SEED:
        if (integer_parse(value, 0, INT64_MAX, &seed, err))
            return -1;
        host->seed = (uint64_t)seed;
        return 0;
    default:
        host->dom0_unlimited = strcmp(value, "unlimited") == 0;
        return host->dom0_unlimited ? 0 : kib_parse(value, place, err);
    }
}

static int take_host_key(struct scenario *scenario, const char *name, const char *value,
                         struct err *err)
{
    for (size_t i = 0; i < sizeof(host_keys) / sizeof(*host_keys); i++) {
        if (strcmp(host_keys[i].name, name) != 0)
            continue;
        if (set_host_value(&scenario->host, &host_keys[i], value, err))
            return err_wrap(err, "%s", name);
        return 0;
    }
    if (script_knows_host_key(name))
        return script_take_host_key(&scenario->script, name, value, err);
    return err_set(err, ERR_INVALID, "[host] has no key '%.40s'", name);
}

/* --- [vm NAME] --- */

static int begin_vm(struct scenario *scenario, const char *name, int line, struct err *err)
{
    struct planned_vm *vm;

    if (sim_vm_check_name(name, err))
        return -1;
    if (strcmp(name, "Domain-0") == 0)
        return err_set(err, ERR_INVALID, "Domain-0 is described in [host]");
    for (size_t i = 0; i < scenario->n_vms; i++)
        if (strcmp(scenario->vms[i].vm.name, name) == 0)
            return err_set(err, ERR_INVALID, "VM %s is there twice", name);
    if (scenario->n_vms == MAX_VMS)
        return err_set(err, ERR_INVALID, "more than %d VMs", MAX_VMS);
    scenario->vms = realloc(scenario->vms, (scenario->n_vms + 1) * sizeof(*scenario->vms));
    invariant(scenario->vms);
    vm = &scenario->vms[scenario->n_vms++];
    *vm = (struct planned_vm){.line = line};
    sim_vm_init(&vm->vm, name);
    script_add_vm(&scenario->script, name);
    return 0;
}

static int take_start(struct planned_vm *vm, const char *value, struct err *err)
{
    if (strcmp(value, "running") == 0)
        vm->start = START_RUNNING;
    else if (strcmp(value, "off") == 0)
        vm->start = START_OFF;
    else if (duration_parse(value, &vm->start_ms, NULL) == 0)
        vm->start = START_LATER;
    else
        return err_set(err, ERR_INVALID,
                       "start: '%.40s' is neither running, off, nor a time such as 10s", value);
    return 0;
}

/* "FILE [VM]": relative to the scenario's own folder. */
static int take_trace(const struct scenario *scenario, struct planned_vm *vm, const char *value,
                      struct err *err)
{
    const char *slash = strrchr(scenario->file, '/');
    size_t word = strcspn(value, " \t");
    const char *of = value + word + strspn(value + word, " \t");
    char path[4096];
    struct curve curve;

    if ((size_t)snprintf(path, sizeof(path), "%.*s%.*s",
                         slash && *value != '/' ? (int)(slash + 1 - scenario->file) : 0,
                         scenario->file, (int)word, value) >= sizeof(path))
        return err_set(err, ERR_INVALID, "trace: the file's path is too long");
    if (trace_read(path, *of ? of : vm->vm.name, &curve, err))
        return err_wrap(err, "trace");
    curve_fini(&vm->vm.demand);
    vm->vm.demand = curve;
    return 0;
}

static int take_vm_key(struct scenario *scenario, const char *key, const char *value,
                       struct err *err)
{
    struct planned_vm *vm = &scenario->vms[scenario->n_vms - 1];

    if (strcmp(key, "start") == 0)
        return take_start(vm, value, err);
    if (strcmp(key, "trace") == 0)
        return take_trace(scenario, vm, value, err);
    if (script_knows_vm_key(key))
        return script_take_vm_key(&scenario->script, key, value, err);
    return sim_vm_set(&vm->vm, key, value, err);
}

/* --- [at TIME], [every TIME] --- */

static void add_command(struct scenario *scenario, const char *text, int line)
{
    struct planned_command *command;

    scenario->commands =
        realloc(scenario->commands, (scenario->n_commands + 1) * sizeof(*scenario->commands));
    invariant(scenario->commands);
    command = &scenario->commands[scenario->n_commands++];
    *command = (struct planned_command){
        .due_ms = scenario->time_ms,
        .every_ms = scenario->section == SECTION_EVERY ? scenario->time_ms : 0,
        .line = line,
    };
    snprintf(command->text, sizeof(command->text), "%s", text);
}

/* One command, for xl or for the daemon; or, in [expect at TIME], what is expected of key. */
static int take_part(struct scenario *scenario, const char *key, const char *part, int line,
                     struct err *err)
{
    char text[2 * CONF_LINE_MAX];

    if (scenario->section == SECTION_EXPECT)
        return script_expect(&scenario->script, key, part, scenario->time_ms, line, err);
    if (script_knows_command(key))
        return script_take_command(&scenario->script, key, part, scenario->time_ms,
                                   scenario->section == SECTION_EVERY ? scenario->time_ms : 0, line,
                                   err);
    snprintf(text, sizeof(text), "%s %s", key, part);
    if (sim_xl_check(text, err))
        return -1;
    add_command(scenario, text, line);
    return 0;
}

/* "mem-set = web1 512m, db1 2g": one for each part. */
static int take_parts(struct scenario *scenario, const char *key, const char *value, int line,
                      struct err *err)
{
    const char *part = value;

    if (scenario->section != SECTION_EVERY)
        script_reach(&scenario->script, scenario->time_ms);
    for (;;) {
        size_t length = strcspn(part, ",");
        char text[CONF_LINE_MAX + 1];

        snprintf(text, sizeof(text), "%.*s", (int)length, part);
        if (take_part(scenario, key, text, line, err))
            return -1;
        if (part[length] == '\0')
            return 0;
        part += length + 1;
    }
}

/* --- the file --- */

/* What stands behind "vm ", "at " or "every ". NULL where section does not begin so. */
static const char *behind(const char *section, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(section, word, length) != 0 || !isblank((unsigned char)section[length]))
        return NULL;
    return section + length + strspn(section + length, " \t");
}

static int begin_section(struct scenario *scenario, const char *section, int line, struct err *err)
{
    const char *rest;

    if (strcmp(section, "host") == 0) {
        scenario->section = SECTION_HOST;
        return 0;
    }
    if ((rest = behind(section, "vm"))) {
        scenario->section = SECTION_VM;
        return begin_vm(scenario, rest, line, err);
    }
    if ((rest = behind(section, "at"))) {
        scenario->section = SECTION_AT;
        return duration_parse(rest, &scenario->time_ms, err);
    }
    if ((rest = behind(section, "every"))) {
        scenario->section = SECTION_EVERY;
        return duration_parse(rest, &scenario->time_ms, err);
    }
    if ((rest = behind(section, "expect")) && (rest = behind(rest, "at"))) {
        scenario->section = SECTION_EXPECT;
        return duration_parse(rest, &scenario->time_ms, err);
    }
    return err_set(err, ERR_INVALID,
                   "[%s] is none of [host], [vm NAME], [at TIME], [every TIME], [expect at TIME]",
                   section);
}

static int take_line(void *arg, const char *section, const char *key, const char *value, int line,
                     struct err *err)
{
    struct scenario *scenario = arg;

    if (!key)
        return begin_section(scenario, section, line, err);
    switch (scenario->section) {
    case SECTION_HOST:
        return take_host_key(scenario, key, value, err);
    case SECTION_VM:
        return take_vm_key(scenario, key, value, err);
    case SECTION_AT:
    case SECTION_EVERY:
    case SECTION_EXPECT:
        return take_parts(scenario, key, value, line, err);
    default:
        return err_set(err, ERR_INVALID, "'%.40s' is in no section", key);
    }
}

static int build_vm(struct scenario *scenario, size_t index, struct world *world, struct err *err)
{
    struct planned_vm *planned = &scenario->vms[index];
    char create[CONF_LINE_MAX + 1];
    const struct sim_vm *vm;
    struct err why;

    if (sim_vm_complete(&planned->vm, err) ||
        script_complete_vm(&scenario->script, index, &planned->vm, err))
        return err_wrap(err, "%s:%d", scenario->file, planned->line);
    vm = world_take_vm(world, &planned->vm);
    if (planned->start == START_RUNNING && toolstack_settle(world, vm, &why))
        return err_set(err, ERR_INVALID, "%s:%d: VM %s: %s", scenario->file, planned->line,
                       vm->name, why.text);
    if (planned->start == START_LATER) {
        snprintf(create, sizeof(create), "create %.60s", vm->name);
        world_plan(world, planned->start_ms, 0, create);
        script_reach(&scenario->script, planned->start_ms);
    }
    return 0;
}

static bool names_a_vm(const struct world *world, const char *command)
{
    const char *name = strchr(command, ' ') + 1;
    size_t length;
    char text[CONF_LINE_MAX + 1];

    name += strspn(name, " \t");
    length = strcspn(name, " \t");
    snprintf(text, sizeof(text), "%.*s", (int)length, name);
    return world_find_vm(world, text) != NULL;
}

static int check_name(const struct scenario *scenario, const struct world *world, const char *name,
                      int line, struct err *err)
{
    if (name[0] == '\0' || strcmp(name, SCRIPT_HOST) == 0 || world_find_vm(world, name))
        return 0;
    return err_set(err, ERR_INVALID, "%s:%d: '%.60s' is no VM of this file", scenario->file, line,
                   name);
}

/* Whom the script speaks of is there. */
static int check_script(const struct scenario *scenario, const struct world *world, struct err *err)
{
    const struct script *script = &scenario->script;

    for (size_t i = 0; i < script->n_commands; i++)
        if (check_name(scenario, world, script->commands[i].name, script->commands[i].line, err))
            return -1;
    for (size_t i = 0; i < script->n_expectations; i++)
        if (check_name(scenario, world, script->expectations[i].name, script->expectations[i].line,
                       err))
            return -1;
    return 0;
}

/* A new VM, or a new name, may be spoken of later: only create and rename bring one. */
static int plan_commands(const struct scenario *scenario, struct world *world, struct err *err)
{
    bool renames = false;

    for (size_t i = 0; i < scenario->n_commands; i++)
        renames |= strncmp(scenario->commands[i].text, "rename ", 7) == 0 ||
                   strncmp(scenario->commands[i].text, "create ", 7) == 0;
    for (size_t i = 0; i < scenario->n_commands; i++) {
        const struct planned_command *command = &scenario->commands[i];

        if (!renames && !names_a_vm(world, command->text))
            return err_set(err, ERR_INVALID, "%s:%d: '%.80s' is about no VM of this file",
                           scenario->file, command->line, command->text);
        world_plan(world, command->due_ms, command->every_ms, command->text);
    }
    return renames ? 0 : check_script(scenario, world, err);
}

static int build_world(struct scenario *scenario, struct world **out, struct err *err)
{
    struct world *world;

    if (world_new(&scenario->host, &world, err))
        return err_wrap(err, "%s", scenario->file);
    for (size_t i = 0; i < scenario->n_vms; i++) {
        if (build_vm(scenario, i, world, err)) {
            world_free(world);
            return -1;
        }
    }
    if (plan_commands(scenario, world, err)) {
        world_free(world);
        return -1;
    }
    *out = world;
    return 0;
}

int scenario_read(const char *file, struct world **out, struct script *script, struct err *err)
{
    struct scenario scenario = {.file = file};
    int rc;

    world_host_init(&scenario.host);
    rc = conf_read(file, take_line, &scenario, err);
    if (rc == 0)
        rc = build_world(&scenario, out, err);
    for (size_t i = 0; i < scenario.n_vms; i++)
        sim_vm_fini(&scenario.vms[i].vm);
    free(scenario.vms);
    free(scenario.commands);
    if (rc == 0 && script)
        *script = scenario.script;
    else
        script_fini(&scenario.script);
    return rc;
}
