/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/sim/vm.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define NAME_CHARS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+"
#define NAME_MAX_TEXT 48 /* + "--incoming" */

/* Bits of given. */
enum {
    GIVEN_MEMORY = 1,
    GIVEN_MAXMEM = 2,
    GIVEN_VIDEORAM = 4,
    GIVEN_OFFSET = 8,
    GIVEN_DEMAND = 16
};

int sim_parse_xl_size(const char *text, struct kib *out, struct err *err)
{
    int64_t mib;

    if (integer_parse(text, 1, KIB_LIMIT / 1024, &mib, NULL) == 0) {
        *out = kib_mib(mib);
        return 0;
    }
    return kib_parse(text, out, err);
}

/* A word of a fixed list into its place there. */
static int parse_word(const char *text, const char *const words[], size_t n_words, int *out,
                      struct err *err)
{
    char all[128] = "";

    for (size_t i = 0; i < n_words; i++) {
        size_t length = strlen(all);

        if (strcmp(text, words[i]) == 0) {
            *out = (int)i;
            return 0;
        }
        snprintf(all + length, sizeof(all) - length, "%s%s", i ? ", " : "", words[i]);
    }
    return err_set(err, ERR_INVALID, "'%.40s' is none of %s", text, all);
}

#define N_WORDS(words) (sizeof(words) / sizeof(*(words)))

static const char *const types[] = {"pv", "pvh", "hvm"};
static const char *const agents[] = {"xenmem", "qubes",  "xenserver", "none",
                                     "lies",   "greedy", "replays"};
static const char *const crashes[] = {"destroy", "restart", "preserve"};
static const char *const answers[] = {"no", "yes"};

static int parse_stuck(struct sim_vm *vm, const char *text, struct err *err)
{
    if (strcmp(text, "always") == 0)
        vm->stuck = SIM_STUCK_ALWAYS;
    else if (strcmp(text, "never") == 0)
        vm->stuck = SIM_STUCK_NEVER;
    else if (strncmp(text, "every ", 6) == 0 && duration_parse(text + 6, &vm->stuck_ms, err) == 0)
        vm->stuck = SIM_STUCK_EVERY;
    else if (strncmp(text, "from ", 5) == 0 && duration_parse(text + 5, &vm->stuck_ms, err) == 0)
        vm->stuck = SIM_STUCK_FROM;
    else
        return err_set(err, ERR_INVALID, "'%.40s' is none of never, always, every TIME, from TIME",
                       text);
    return 0;
}

static int parse_demand(struct sim_vm *vm, const char *text, struct err *err)
{
    struct curve curve;

    if (curve_parse(text, &curve, err))
        return -1;
    curve_fini(&vm->demand);
    vm->demand = curve;
    return 0;
}

enum key_kind {
    KEY_SIZE,
    KEY_XL_SIZE,
    KEY_TIME,
    KEY_COUNT,
    KEY_TYPE,
    KEY_AGENT,
    KEY_CRASH,
    KEY_BOOL,
    KEY_STUCK,
    KEY_DEMAND
};

static const struct key {
    const char *name;
    enum key_kind kind;
    size_t offset; /* of what it sets */
    unsigned given;
} keys[] = {
    {"type", KEY_TYPE, offsetof(struct sim_vm, type), 0},
    {"memory", KEY_XL_SIZE, offsetof(struct sim_vm, memory), GIVEN_MEMORY},
    {"maxmem", KEY_XL_SIZE, offsetof(struct sim_vm, maxmem), GIVEN_MAXMEM},
    {"vcpus", KEY_COUNT, offsetof(struct sim_vm, vcpus), 0},
    {"videoram", KEY_SIZE, offsetof(struct sim_vm, videoram), GIVEN_VIDEORAM},
    {"stub", KEY_BOOL, offsetof(struct sim_vm, stub), 0},
    {"on-crash", KEY_CRASH, offsetof(struct sim_vm, on_crash), 0},
    {"zombie", KEY_SIZE, offsetof(struct sim_vm, zombie), 0},
    {"demand", KEY_DEMAND, 0, GIVEN_DEMAND},
    {"noise", KEY_SIZE, offsetof(struct sim_vm, noise), 0},
    {"noise-every", KEY_TIME, offsetof(struct sim_vm, noise_every_ms), 0},
    {"swap", KEY_SIZE, offsetof(struct sim_vm, swap), 0},
    {"pinned", KEY_SIZE, offsetof(struct sim_vm, pinned), 0},
    {"boot-time", KEY_TIME, offsetof(struct sim_vm, boot_ms), 0},
    {"oom-after", KEY_TIME, offsetof(struct sim_vm, oom_ms), 0},
    {"balloon", KEY_BOOL, offsetof(struct sim_vm, balloon), 0},
    {"deflate", KEY_BOOL, offsetof(struct sim_vm, deflate), 0},
    {"balloon-rate", KEY_SIZE, offsetof(struct sim_vm, balloon_rate), 0},
    {"floor", KEY_SIZE, offsetof(struct sim_vm, floor), 0},
    {"ceiling", KEY_SIZE, offsetof(struct sim_vm, ceiling), 0},
    {"offset", KEY_SIZE, offsetof(struct sim_vm, offset), GIVEN_OFFSET},
    {"stuck", KEY_STUCK, 0, 0},
    {"agent", KEY_AGENT, offsetof(struct sim_vm, agent), 0},
    {"report-every", KEY_TIME, offsetof(struct sim_vm, report_every_ms), 0},
};

/* The value of an enum or bool key, whose type is as wide as the compiler likes. */
static int set_word(struct sim_vm *vm, const struct key *key, const char *value, struct err *err)
{
    int word = 0;
    int failed;

    switch (key->kind) {
    case KEY_TYPE:
        failed = parse_word(value, types, N_WORDS(types), &word, err);
        vm->type = (enum sim_type)word;
        return failed;
    case KEY_AGENT:
        failed = parse_word(value, agents, N_WORDS(agents), &word, err);
        vm->agent = (enum sim_agent)word;
        return failed;
    case KEY_CRASH:
        failed = parse_word(value, crashes, N_WORDS(crashes), &word, err);
        vm->on_crash = (enum sim_on_crash)word;
        return failed;
    default:
        failed = parse_word(value, answers, N_WORDS(answers), &word, err);
        *(bool *)((char *)vm + key->offset) = word != 0;
        return failed;
    }
}

static int set_value(struct sim_vm *vm, const struct key *key, const char *value, struct err *err)
{
    void *place = (char *)vm + key->offset;

    switch (key->kind) {
    case KEY_SIZE:
        return kib_parse(value, place, err);
    case KEY_XL_SIZE:
        return sim_parse_xl_size(value, place, err);
    case KEY_TIME:
        return duration_parse(value, place, err);
    case KEY_COUNT:
        return integer_parse(value, 1, 512, place, err);
    case KEY_STUCK:
        return parse_stuck(vm, value, err);
    case KEY_DEMAND:
        return parse_demand(vm, value, err);
    default:
        return set_word(vm, key, value, err);
    }
}

int sim_vm_set(struct sim_vm *vm, const char *name, const char *value, struct err *err)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        if (strcmp(keys[i].name, name) != 0)
            continue;
        if (set_value(vm, &keys[i], value, err))
            return err_wrap(err, "%s", name);
        vm->given |= keys[i].given;
        return 0;
    }
    return err_set(err, ERR_INVALID, "a simulated VM has no key '%.40s'", name);
}

bool sim_vm_key_is_inside(const char *name)
{
    static const char *const outside[] = {"type", "memory", "maxmem",   "vcpus",
                                          "stub", "offset", "videoram", "boot-time"};

    for (size_t i = 0; i < N_WORDS(outside); i++)
        if (strcmp(outside[i], name) == 0)
            return false;
    return true;
}

void sim_vm_init(struct sim_vm *vm, const char *name)
{
    *vm = (struct sim_vm){
        .type = SIM_PV,
        .vcpus = 1,
        .noise_every_ms = 5000,
        .boot_ms = 3000,
        .oom_ms = 30000,
        .balloon = true,
        .balloon_rate = kib_mib(256),
        .report_every_ms = 1000,
    };
    snprintf(vm->name, sizeof(vm->name), "%s", name);
}

void sim_vm_fini(struct sim_vm *vm)
{
    curve_fini(&vm->demand);
}

void sim_vm_copy(const struct sim_vm *vm, struct sim_vm *out)
{
    *out = *vm;
    curve_copy(&vm->demand, &out->demand);
}

int sim_vm_check_name(const char *name, struct err *err)
{
    size_t length = strlen(name);

    if (length == 0 || length > NAME_MAX_TEXT || strspn(name, NAME_CHARS) != length)
        return err_set(err, ERR_INVALID,
                       "'%.60s' is no VM's name: 1 to %d letters, digits, '.', '_', '-', '+'", name,
                       NAME_MAX_TEXT);
    return 0;
}

static void fill_in(struct sim_vm *vm)
{
    bool fully_virtual = vm->type != SIM_PV;

    if (!(vm->given & GIVEN_MAXMEM))
        vm->maxmem = vm->memory;
    if (!(vm->given & GIVEN_VIDEORAM))
        vm->videoram = vm->type == SIM_HVM ? kib_mib(8) : kib(0);
    if (!(vm->given & GIVEN_OFFSET))
        vm->offset = fully_virtual ? kib_add(vm->videoram, kib(256)) : kib(0);
    if (!(vm->given & GIVEN_DEMAND) && vm->demand.n_points == 0)
        (void)curve_add(&vm->demand, 0, kib(vm->memory.v / 2), NULL);
    vm->videoram = kib_floor(vm->videoram, KIB_PAGE);
    vm->memory = kib_floor(vm->memory, KIB_PAGE);
    vm->maxmem = kib_floor(vm->maxmem, KIB_PAGE);
    vm->floor = kib_ceil(vm->floor, KIB_PAGE);
    vm->ceiling = kib_floor(vm->ceiling, KIB_PAGE);
    vm->offset = kib_floor(vm->offset, KIB_PAGE);
    vm->zombie = kib_floor(vm->zombie, KIB_PAGE);
}

int sim_vm_complete(struct sim_vm *vm, struct err *err)
{
    char low[UNITS_TEXT], high[UNITS_TEXT];

    if (!(vm->given & GIVEN_MEMORY) || vm->memory.v < KIB_PAGE)
        return err_set(err, ERR_INVALID, "VM %s has no memory=SIZE", vm->name);
    fill_in(vm);
    if (vm->maxmem.v < vm->memory.v)
        return err_set(err, ERR_INVALID, "VM %s: maxmem %s is below memory %s", vm->name,
                       kib_format(vm->maxmem, low), kib_format(vm->memory, high));
    if (vm->videoram.v >= vm->memory.v)
        return err_set(err, ERR_INVALID, "VM %s: videoram %s leaves nothing of memory %s", vm->name,
                       kib_format(vm->videoram, low), kib_format(vm->memory, high));
    if (vm->type == SIM_PV && (vm->offset.v > 0 || vm->videoram.v > 0))
        return err_set(err, ERR_INVALID, "VM %s: PV has neither offset nor videoram", vm->name);
    if (vm->offset.v > kib_add(vm->videoram, CAP_SLACK).v)
        return err_set(err, ERR_INVALID,
                       "VM %s: offset %s is beyond videoram and xl's slack of 1 MiB", vm->name,
                       kib_format(vm->offset, high));
    if (vm->ceiling.v > 0 && vm->ceiling.v < vm->floor.v)
        return err_set(err, ERR_INVALID, "VM %s: ceiling %s is below floor %s", vm->name,
                       kib_format(vm->ceiling, low), kib_format(vm->floor, high));
    return 0;
}

struct kib sim_vm_pool(const struct sim_vm *vm)
{
    if (vm->type == SIM_PV)
        return kib(0);
    return kib_floor(kib(vm->vcpus * 1024 + vm->maxmem.v / 1024 * 4), KIB_PAGE);
}

/* Wanders from one random height to the next. */
static struct kib noise_at(const struct sim_vm *vm, uint64_t seed, int64_t now_ms)
{
    uint64_t span = (uint64_t)vm->noise.v * 2 + 1;
    uint64_t at = (uint64_t)(now_ms / vm->noise_every_ms);
    int64_t from, to;

    for (const char *c = vm->name; *c; c++)
        seed = sim_random(seed, (uint8_t)*c);
    from = (int64_t)(sim_random(seed, at) % span);
    to = (int64_t)(sim_random(seed, at + 1) % span);
    return kib_add(kib(from - vm->noise.v),
                   kib_scale(kib(to - from), now_ms % vm->noise_every_ms, vm->noise_every_ms));
}

struct kib sim_vm_need(const struct sim_vm *vm, uint64_t seed, int64_t now_ms)
{
    struct kib need = curve_at(&vm->demand, now_ms);

    if (vm->noise.v > 0)
        need = kib_add(need, noise_at(vm, seed, now_ms));
    return kib_clamp(need, kib(0), kib(KIB_LIMIT));
}

bool sim_vm_is_stuck(const struct sim_vm *vm, int64_t now_ms)
{
    switch (vm->stuck) {
    case SIM_STUCK_ALWAYS:
        return true;
    case SIM_STUCK_EVERY:
        return now_ms / vm->stuck_ms % 2 == 1;
    case SIM_STUCK_FROM:
        return now_ms >= vm->stuck_ms;
    default:
        return false;
    }
}
