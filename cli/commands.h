/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands: one table, which parses, runs and lists itself. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

struct cli;

enum option {
    OPTION_SOCKET, /* these four before or after any command */
    OPTION_FORMAT,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_CLEAR_OVERRIDES, /* the others after those that have them */
    OPTION_DRY_RUN,
    OPTION_FOLLOW,
    OPTION_FOR,
    OPTION_FORCE,
    OPTION_HOLD,
    OPTION_PLOT,
    OPTION_PRIORITY,
    OPTION_ROOT,
    OPTION_SET,
    OPTION_SINCE,
    OPTION_START,
    OPTION_TIMEOUT,
    OPTION_TTL,
    OPTION_VM,
    OPTION_WAIT,
    OPTION_WATCH,
    OPTION_COUNT
};

/* What was typed. Texts are argv's. */
struct arguments {
    const struct command *command; /* NULL: none was given */
    const char **words;            /* owned; what followed the command */
    size_t n_words;
    const char *options[OPTION_COUNT]; /* value, or "" where it takes none; NULL: not given */
};

struct command {
    const char *name;
    const char *arguments; /* as in the help: "VM KEY=VALUE..." */
    const char *help;      /* one line */
    const char *more;      /* what its own --help says besides; NULL: nothing */
    unsigned options;      /* bit OPTION_…: has it, besides the four */
    size_t least, most;    /* words */
    int (*run)(struct cli *cli, const struct arguments *arguments);
};

extern const struct command commands[]; /* ended by a NULL name */

/* Reads the command line. EXIT_DONE, or it complained: EXIT_USAGE. Both need arguments_free. */
int arguments_read(struct cli *cli, int argc, char **argv, struct arguments *out);
void arguments_free(struct arguments *arguments);

/* Writes what there is to know about command, or about all of them where it is NULL. */
void help_put(struct cli *cli, const struct command *command);

int run_balance(struct cli *cli, const struct arguments *arguments);
int run_doctor(struct cli *cli, const struct arguments *arguments);
int run_db(struct cli *cli, const struct arguments *arguments);
int run_explain(struct cli *cli, const struct arguments *arguments);
int run_export(struct cli *cli, const struct arguments *arguments);
int run_import(struct cli *cli, const struct arguments *arguments);
int run_events(struct cli *cli, const struct arguments *arguments);
int run_forget(struct cli *cli, const struct arguments *arguments);
int run_freeze(struct cli *cli, const struct arguments *arguments);
int run_history(struct cli *cli, const struct arguments *arguments);
int run_hooks(struct cli *cli, const struct arguments *arguments);
int run_host(struct cli *cli, const struct arguments *arguments);
int run_list(struct cli *cli, const struct arguments *arguments);
int run_metrics(struct cli *cli, const struct arguments *arguments);
int run_plan(struct cli *cli, const struct arguments *arguments);
int run_policy(struct cli *cli, const struct arguments *arguments);
int run_release(struct cli *cli, const struct arguments *arguments);
int run_reservations(struct cli *cli, const struct arguments *arguments);
int run_reserve(struct cli *cli, const struct arguments *arguments);
int run_set(struct cli *cli, const struct arguments *arguments);
int run_start(struct cli *cli, const struct arguments *arguments);
int run_show(struct cli *cli, const struct arguments *arguments);
int run_thaw(struct cli *cli, const struct arguments *arguments);
int run_top(struct cli *cli, const struct arguments *arguments);
int run_version(struct cli *cli, const struct arguments *arguments);

#endif
