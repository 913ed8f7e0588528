/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/hv/story.h"
#include "hv/sim/step.h"
#include "hv/sim/toolstack.h"

#include <stdio.h>
#include <string.h>

struct world *world;

void story_begin(const char *size)
{
    struct world_host host;
    struct err err;

    world_host_init(&host);
    host.dom0 = kib_gib(1);
    ck_assert_int_eq(kib_parse(size, &host.size, &err), 0);
    ck_assert_msg(world_new(&host, &world, &err) == 0, "%s", err.text);
}

void story_end(void)
{
    world = world_free(world);
}

struct sim_domain *story_vm(const char *name, const char *keys)
{
    struct sim_vm vm;
    struct err err;
    char text[512];
    char *rest = NULL;

    sim_vm_init(&vm, name);
    snprintf(text, sizeof(text), "%s", keys);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');
        char value[64];

        ck_assert_ptr_nonnull(equals);
        *equals = '\0';
        snprintf(value, sizeof(value), "%s", equals + 1);
        for (char *c = value; *c; c++)
            if (*c == '_')
                *c = ' ';
        ck_assert_msg(sim_vm_set(&vm, word, value, &err) == 0, "%s", err.text);
    }
    ck_assert_msg(sim_vm_complete(&vm, &err) == 0, "%s", err.text);
    ck_assert_msg(toolstack_settle(world, world_take_vm(world, &vm), &err) == 0, "%s", err.text);
    return story_domain(name);
}

void story_pass(int64_t ms)
{
    world_advance(world, world->now_ms + ms);
}

static void run(const char *line, struct sim_xl_answer *answer)
{
    const char *words[SIM_XL_MAX_WORDS];
    static char text[512];
    char *rest = NULL;
    size_t n_words = 0;

    snprintf(text, sizeof(text), "%s", line);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        words[n_words++] = word;
    sim_xl_run(world, n_words, words, answer);
    sim_xl_answer_fini(answer);
}

void story_xl(const char *line)
{
    struct sim_xl_answer answer;

    run(line, &answer);
    ck_assert_msg(answer.exit_code == SIM_XL_DONE, "xl %s: %s", line, answer.err.text);
}

const char *story_xl_fails(const char *line, enum sim_xl_exit code)
{
    static struct sim_xl_answer answer;

    run(line, &answer);
    ck_assert_msg(answer.exit_code == code, "xl %s: exit code %d, not %d: %s", line,
                  answer.exit_code, code, answer.err.text);
    return answer.err.text;
}

struct sim_domain *story_domain(const char *name)
{
    return world_find_name(world, name);
}

bool story_noted(const char *what)
{
    for (uint64_t i = 0; i < world->n_notes && i < WORLD_NOTES; i++)
        if (strstr(world->notes[i].text, what))
            return true;
    return false;
}
