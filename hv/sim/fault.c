/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/sim/fault.h"

#include <string.h>

#include "base/err.h"
#include "base/units.h"
#include "hv/sim/world.h"

#define COUNT_MOST 1000000

const char *sim_op_name(enum sim_op op)
{
    static const char *const names[SIM_OP_COUNT] = {
        [SIM_OP_READ] = "read",
        [SIM_OP_SET_TARGET] = "set-target",
        [SIM_OP_SET_CAP] = "set-cap",
        [SIM_OP_ADOPT_TARGET] = "adopt-target",
    };

    return names[op];
}

const char *sim_fault_how_name(enum sim_fault_how how)
{
    static const char *const names[SIM_FAULT_HOW_COUNT] = {
        [SIM_FAULT_NOTHING] = "nothing",
        [SIM_FAULT_HALF] = "half",
        [SIM_FAULT_DONE] = "done",
    };

    return names[how];
}

static int find_op(const char *name, enum sim_op *out, struct err *err)
{
    for (enum sim_op op = SIM_OP_READ; op < SIM_OP_COUNT; op++)
        if (strcmp(sim_op_name(op), name) == 0) {
            *out = op;
            return 0;
        }
    return err_set(err, ERR_INVALID,
                   "'%.40s' is no operation: read, set-target, set-cap, adopt-target", name);
}

static int read_how(const char *text, enum sim_fault_how *out, struct err *err)
{
    for (enum sim_fault_how how = SIM_FAULT_NOTHING; how < SIM_FAULT_HOW_COUNT; how++)
        if (strcmp(sim_fault_how_name(how), text) == 0) {
            *out = how;
            return 0;
        }
    return err_set(err, ERR_INVALID, "how: '%.40s' is none of nothing, half, done", text);
}

static int read_word(struct sim_fault *fault, const char *word, struct err *err)
{
    if (strncmp(word, "after=", 6) == 0)
        return integer_parse(word + 6, 0, COUNT_MOST, &fault->after, err);
    if (strncmp(word, "times=", 6) == 0)
        return integer_parse(word + 6, 0, COUNT_MOST, &fault->times, err);
    if (strncmp(word, "how=", 4) == 0)
        return read_how(word + 4, &fault->how, err);
    return err_set(err, ERR_INVALID, "'%.40s' is none of after=, times=, how=", word);
}

int sim_fault_arm(struct world *world, size_t n_words, const char *const words[], struct err *err)
{
    struct sim_fault fault = {.times = 1};
    enum sim_op op = SIM_OP_READ;

    if (find_op(words[0], &op, err))
        return -1;
    for (size_t i = 1; i < n_words; i++)
        if (read_word(&fault, words[i], err))
            return -1;
    world->faults[op] = fault;
    return 0;
}

bool sim_fault_strikes(struct world *world, enum sim_op op, enum sim_fault_how *how,
                       struct err *err)
{
    struct sim_fault *fault = &world->faults[op];

    if (fault->times == 0 || fault->after-- > 0)
        return false;
    fault->after = 0;
    fault->times--;
    *how = fault->how;
    err_set(err, ERR_FAILED, "%s: a fault of the simulated host", sim_op_name(op));
    return true;
}
