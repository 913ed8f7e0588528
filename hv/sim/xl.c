/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/sim/xl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/sim/fault.h"
#include "hv/sim/toolstack.h"
#include "hv/sim/world.h"

#define LINE_MAX_TEXT 1024
#define CRASHED       3
#define LIST_LINE     192

/* One command being carried out. */
struct call {
    struct world *world;
    struct sim_domain *domain; /* that it is about, where its first word names one */
    size_t n_words;            /* behind the command */
    const char *const *words;
    struct sim_xl_answer *answer;
};

static int fail(struct call *call, enum sim_xl_exit code)
{
    call->answer->exit_code = code;
    return -1;
}

static int no_such_domain(struct call *call, const char *name)
{
    err_set(&call->answer->err, ERR_NOT_FOUND, "%.60s is an invalid domain identifier (rc=-6)",
            name);
    return fail(call, SIM_XL_FAILED);
}

/* By name, or by number. */
static struct sim_domain *find(const struct world *world, const char *name)
{
    struct sim_domain *domain = world_find_name(world, name);
    int64_t domid;

    if (!domain && integer_parse(name, 0, UINT32_MAX, &domid, NULL) == 0)
        domain = world_find(world, (uint32_t)domid);
    return domain;
}

/* --- list --- */

static void format_state(const struct sim_domain *domain, char out[7])
{
    bool down = domain->phase == PHASE_DOWN;
    bool runs = domain->phase == PHASE_RUNNING && !domain->paused;

    snprintf(out, 7, "%c%c%c%c%c%c", runs && !domain->vm ? 'r' : '-',
             runs && domain->vm ? 'b' : '-', domain->paused ? 'p' : '-',
             down && domain->shutdown_reason != CRASHED ? 's' : '-',
             down && domain->shutdown_reason == CRASHED ? 'c' : '-', domain->dying ? 'd' : '-');
}

static int list(struct call *call)
{
    struct world *world = call->world;
    size_t room = (world->n_domains + 1) * LIST_LINE;
    char *out = malloc(room);
    size_t length;

    invariant(out);
    length = (size_t)snprintf(out, room, "%-40s %5s %5s %5s\t%s\t%s\n", "Name", "ID", "Mem",
                              "VCPUs", "State", "Time(s)");
    for (size_t i = 0; i < world->n_domains; i++) {
        const struct sim_domain *domain = world->domains[i];
        char state[7];

        format_state(domain, state);
        length += (size_t)snprintf(
            out + length, room - length,
            "%-40.120s %5" PRIu32 " %5" PRId64 " %5" PRId64 "     %s  %8.1f\n", domain->name,
            domain->ref.domid, kib_add(domain->tot, domain->claim).v / 1024,
            domain->vm ? domain->vm->vcpus : 1, state,
            (double)(world->now_ms - domain->begun_ms) / 10000.0);
    }
    call->answer->out = out;
    call->answer->out_length = length;
    return 0;
}

/* --- coming and going --- */

/* A new configuration from KEY=VALUE words, or the known one of that name. */
static int find_config(struct call *call, size_t first, const struct sim_vm **out)
{
    const char *name = call->words[0];
    struct err *err = &call->answer->err;
    const struct sim_vm *known = world_find_vm(call->world, name);
    struct sim_vm vm;

    if (first == call->n_words && known) {
        *out = known;
        return 0;
    }
    if (sim_vm_check_name(name, err))
        return -1;
    if (known)
        sim_vm_copy(known, &vm);
    else
        sim_vm_init(&vm, name);
    for (size_t i = first; i < call->n_words; i++) {
        const char *equals = strchr(call->words[i], '=');
        char key[40];

        if (!equals || equals - call->words[i] >= (int)sizeof(key)) {
            sim_vm_fini(&vm);
            return err_set(err, ERR_INVALID, "'%.60s' is not KEY=VALUE", call->words[i]);
        }
        snprintf(key, sizeof(key), "%.*s", (int)(equals - call->words[i]), call->words[i]);
        if (sim_vm_set(&vm, key, equals + 1, err)) {
            sim_vm_fini(&vm);
            return -1;
        }
    }
    if (sim_vm_complete(&vm, err)) {
        sim_vm_fini(&vm);
        return -1;
    }
    *out = world_take_vm(call->world, &vm);
    return 0;
}

static int create_as(struct call *call, enum sim_create how, size_t first)
{
    const struct sim_vm *vm;
    struct sim_domain *domain;

    if (world_find_name(call->world, call->words[0])) {
        err_set(&call->answer->err, ERR_INVALID, "Domain with name \"%.60s\" already exists.",
                call->words[0]);
        return fail(call, SIM_XL_NOT_BUILT);
    }
    if (find_config(call, first, &vm))
        return fail(call, SIM_XL_USAGE);
    if (toolstack_create(call->world, vm, how, &domain, &call->answer->err))
        return fail(call, SIM_XL_NOT_BUILT);
    call->answer->domid = domain->ref.domid;
    call->answer->wait = how == CREATE_PAUSED ? SIM_XL_WAIT_BUILT : SIM_XL_WAIT_RUNNING;
    return 0;
}

static int create(struct call *call)
{
    if (call->n_words > 1 && strcmp(call->words[1], "-p") == 0)
        return create_as(call, CREATE_PAUSED, 2);
    return create_as(call, CREATE_RUN, 1);
}

static int receive(struct call *call)
{
    return create_as(call, CREATE_RECEIVE, 1);
}

static int destroy(struct call *call)
{
    call->answer->domid = call->domain->ref.domid;
    call->answer->wait = SIM_XL_WAIT_GONE;
    toolstack_destroy(call->world, call->domain);
    return 0;
}

static int not_now(struct call *call, const char *why)
{
    err_set(&call->answer->err, ERR_FAILED, "%.60s %s", call->domain->name, why);
    return fail(call, SIM_XL_FAILED);
}

static int stop_guest(struct call *call, int32_t reason)
{
    if (call->domain->phase != PHASE_RUNNING)
        return not_now(call, "is not running");
    world_shut_down(call->world, call->domain, reason);
    return 0;
}

static int shut_down(struct call *call)
{
    return stop_guest(call, 0);
}

static int reboot(struct call *call)
{
    return stop_guest(call, 1);
}

static int crash(struct call *call)
{
    if (stop_guest(call, CRASHED))
        return -1;
    call->world->crashes++;
    return 0;
}

static int pause_domain(struct call *call)
{
    if (call->domain->phase != PHASE_RUNNING)
        return not_now(call, "is not running");
    call->domain->paused = true;
    return 0;
}

static int unpause(struct call *call)
{
    if (call->domain->phase != PHASE_RUNNING && call->domain->phase != PHASE_BUILT)
        return not_now(call, "is not built");
    toolstack_unpause(call->world, call->domain);
    return 0;
}

static int save_as(struct call *call, enum sim_job job, enum sim_xl_wait wait)
{
    if (call->domain->phase != PHASE_RUNNING || call->domain->job != JOB_NONE)
        return not_now(call, "cannot be saved now");
    toolstack_save(call->world, call->domain, job);
    call->answer->domid = call->domain->ref.domid;
    call->answer->wait = wait;
    return 0;
}

static int save(struct call *call)
{
    if (call->n_words == 1)
        return save_as(call, JOB_SAVE, SIM_XL_WAIT_GONE);
    if (strcmp(call->words[1], "-c") == 0)
        return save_as(call, JOB_CHECKPOINT, SIM_XL_WAIT_NONE);
    err_set(&call->answer->err, ERR_INVALID, "save NAME [-c]");
    return fail(call, SIM_XL_USAGE);
}

static int migrate(struct call *call)
{
    return save_as(call, JOB_MIGRATE, SIM_XL_WAIT_GONE);
}

static int rename_domain(struct call *call)
{
    const char *to = call->words[1];

    if (sim_vm_check_name(to, &call->answer->err))
        return fail(call, SIM_XL_USAGE);
    if (world_find_name(call->world, to)) {
        err_set(&call->answer->err, ERR_INVALID, "Domain with name \"%.60s\" already exists.", to);
        return fail(call, SIM_XL_FAILED);
    }
    snprintf(call->domain->name, sizeof(call->domain->name), "%s", to);
    call->world->changes |= HV_DOMAINS;
    return 0;
}

/* --- memory --- */

static int set_memory_by(struct call *call,
                         int set(struct world *, struct sim_domain *, struct kib, struct err *))
{
    struct kib size;

    if (sim_parse_xl_size(call->words[1], &size, &call->answer->err))
        return fail(call, SIM_XL_USAGE);
    if (!call->domain->introduced)
        return not_now(call, "is not built");
    if (set(call->world, call->domain, kib_floor(size, KIB_PAGE), &call->answer->err))
        return fail(call, SIM_XL_FAILED);
    return 0;
}

static int mem_set(struct call *call)
{
    return set_memory_by(call, toolstack_set_memory);
}

static int mem_max(struct call *call)
{
    return set_memory_by(call, toolstack_set_maxmem);
}

/* --- what no xl can --- */

static int change_inside(struct call *call, const char *key, const char *value)
{
    if (world_change_vm(call->world, call->domain->vm, key, value, &call->answer->err))
        return fail(call, SIM_XL_USAGE);
    return 0;
}

static int demand(struct call *call)
{
    char text[LINE_MAX_TEXT] = "";

    for (size_t i = 1; i < call->n_words; i++) {
        size_t length = strlen(text);

        snprintf(text + length, sizeof(text) - length, "%s%s", i > 1 ? " " : "", call->words[i]);
    }
    return change_inside(call, "demand", text);
}

static int inside(struct call *call)
{
    const char *equals = strchr(call->words[1], '=');
    char key[40];

    if (!equals || equals - call->words[1] >= (int)sizeof(key)) {
        err_set(&call->answer->err, ERR_INVALID, "'%.60s' is not KEY=VALUE", call->words[1]);
        return fail(call, SIM_XL_USAGE);
    }
    snprintf(key, sizeof(key), "%.*s", (int)(equals - call->words[1]), call->words[1]);
    return change_inside(call, key, equals + 1);
}

static int lock(struct call *call)
{
    call->domain->locked = true;
    return 0;
}

static int unlock(struct call *call)
{
    call->domain->locked = false;
    return 0;
}

static int fault(struct call *call)
{
    if (sim_fault_arm(call->world, call->n_words, call->words, &call->answer->err))
        return fail(call, SIM_XL_USAGE);
    return 0;
}

/* --- the table --- */

static const struct command {
    const char *name, *words; /* words for help */
    const char *help;
    size_t fewest, most; /* words behind the command */
    bool on_domain;      /* the first of them names a VM's domain */
    int (*run)(struct call *call);
} commands[] = {
    {"list", "", "the domains, as xl prints them", 0, 0, false, list},
    {"create", "NAME|FILE [-p] [KEY=VALUE...]",
     "build a VM: memory=, maxmem=, type=, demand= ...; FILE is one of xl's", 1, SIM_XL_MAX_WORDS,
     false, create},
    {"receive", "NAME [KEY=VALUE...]", "the same for one that arrives by migration", 1,
     SIM_XL_MAX_WORDS, false, receive},
    {"destroy", "NAME", "end it at once", 1, 1, true, destroy},
    {"shutdown", "NAME", "its guest powers off", 1, 1, true, shut_down},
    {"reboot", "NAME", "its guest reboots: destroyed, and built again 2 s later", 1, 1, true,
     reboot},
    {"pause", "NAME", "it stands still, its balloon too", 1, 1, true, pause_domain},
    {"unpause", "NAME", "it goes on", 1, 1, true, unpause},
    {"mem-set", "NAME SIZE", "set its target; lifts its cap", 2, 2, true, mem_set},
    {"mem-max", "NAME SIZE", "set its maximum; lifts its cap", 2, 2, true, mem_max},
    {"rename", "NAME NEW", "give it another name", 2, 2, true, rename_domain},
    {"save", "NAME [-c]", "write it to nowhere and end it; -c: and let it go on", 1, 2, true, save},
    {"migrate", "NAME", "send it to nowhere, live", 1, 1, true, migrate},
    {"demand", "NAME SIZE|CURVE", "its guest needs that from now on", 2, SIM_XL_MAX_WORDS, true,
     demand},
    {"inside", "NAME KEY=VALUE", "change what is hidden in it: stuck=always, agent=none ...", 2, 2,
     true, inside},
    {"crash", "NAME", "its guest crashes", 1, 1, true, crash},
    {"lock", "NAME", "hold libxl's lock on it, as an xl at work does", 1, 1, true, lock},
    {"unlock", "NAME", "let go of that lock", 1, 1, true, unlock},
    {"fault", "OPERATION [after=N] [times=N] [how=HOW]",
     "what a daemon asks fails: read, set-target, set-cap or adopt-target", 1, 4, false, fault},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static const struct command *check_words(size_t n_words, const char *const words[], struct err *err)
{
    const struct command *command = n_words > 0 ? find_command(words[0]) : NULL;

    if (!command) {
        err_set(err, ERR_INVALID, "the simulated xl has no command '%.40s'",
                n_words > 0 ? words[0] : "");
        return NULL;
    }
    if (n_words - 1 < command->fewest || n_words - 1 > command->most) {
        err_set(err, ERR_INVALID, "usage: %s %s", command->name, command->words);
        return NULL;
    }
    return command;
}

static int find_domain(struct call *call)
{
    call->domain = find(call->world, call->words[0]);
    if (!call->domain || call->domain->phase == PHASE_TEARDOWN)
        return no_such_domain(call, call->words[0]);
    if (!call->domain->vm) {
        err_set(&call->answer->err, ERR_INVALID, "the simulated control domain stays as it is");
        return fail(call, SIM_XL_FAILED);
    }
    return 0;
}

void sim_xl_run(struct world *world, size_t n_words, const char *const words[],
                struct sim_xl_answer *answer)
{
    struct call call = {.world = world, .answer = answer};
    const struct command *command;

    *answer = (struct sim_xl_answer){0};
    command = check_words(n_words, words, &answer->err);
    if (!command) {
        answer->exit_code = SIM_XL_USAGE;
        return;
    }
    call.n_words = n_words - 1;
    call.words = words + 1;
    if (command->on_domain && find_domain(&call))
        return;
    (void)command->run(&call);
}

void sim_xl_answer_fini(struct sim_xl_answer *answer)
{
    free(answer->out);
    answer->out = NULL;
}

/* Splits line, which is changed, into words. Returns how many. */
static size_t split(char *line, const char *words[SIM_XL_MAX_WORDS])
{
    char *rest = NULL;
    size_t n_words = 0;

    for (char *word = strtok_r(line, " \t", &rest); word && n_words < SIM_XL_MAX_WORDS;
         word = strtok_r(NULL, " \t", &rest))
        words[n_words++] = word;
    return n_words;
}

void sim_xl_planned(struct world *world, const char *line)
{
    const char *words[SIM_XL_MAX_WORDS];
    char text[LINE_MAX_TEXT];
    struct sim_xl_answer answer;

    snprintf(text, sizeof(text), "%s", line);
    sim_xl_run(world, split(text, words), words, &answer);
    if (answer.exit_code != SIM_XL_DONE)
        world_note(world, "%.60s: %s", line, answer.err.text);
    sim_xl_answer_fini(&answer);
}

int sim_xl_check(const char *line, struct err *err)
{
    const char *words[SIM_XL_MAX_WORDS];
    char text[LINE_MAX_TEXT];

    snprintf(text, sizeof(text), "%s", line);
    return check_words(split(text, words), words, err) ? 0 : -1;
}

size_t sim_xl_help(char *out, size_t room)
{
    size_t length = 0;

    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands) && length < room; i++) {
        char usage[64];

        snprintf(usage, sizeof(usage), "%s %s", commands[i].name, commands[i].words);
        length +=
            (size_t)snprintf(out + length, room - length, "  %-32s %s\n", usage, commands[i].help);
    }
    return length;
}
