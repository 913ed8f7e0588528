/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated xl: commands as words, with xl's answers and exit codes where it has such a
 * command; and some that reach inside guests, which no xl can. */
#ifndef HV_SIM_XL_H
#define HV_SIM_XL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct world;

#define SIM_XL_MAX_WORDS 40

enum sim_xl_exit {
    SIM_XL_DONE = 0,
    SIM_XL_FAILED = 1,
    SIM_XL_USAGE = 2,
    SIM_XL_NOT_BUILT = 3 /* xl's for a create that failed */
};

/* What a caller that wants to block as xl does has to wait for. */
enum sim_xl_wait { SIM_XL_WAIT_NONE, SIM_XL_WAIT_BUILT, SIM_XL_WAIT_RUNNING, SIM_XL_WAIT_GONE };

struct sim_xl_answer {
    enum sim_xl_exit exit_code;
    char *out; /* for stdout; owned, NULL where there is nothing */
    size_t out_length;
    struct err err; /* where exit_code is not 0: for stderr */
    enum sim_xl_wait wait;
    uint32_t domid; /* of whom */
};

/* Carries out one command. The answer is to be given to sim_xl_answer_fini. */
void sim_xl_run(struct world *world, size_t n_words, const char *const words[],
                struct sim_xl_answer *answer);
void sim_xl_answer_fini(struct sim_xl_answer *answer);

/* A command on one line; what fails becomes one of the world's notes. */
void sim_xl_planned(struct world *world, const char *line);

/* Whether such a line has a known command with the right number of words. 0, or −1 ERR_INVALID. */
int sim_xl_check(const char *line, struct err *err);

/* "  list\n  create NAME …\n": a line a command, for help texts. */
size_t sim_xl_help(char *out, size_t room);

#endif
