/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: a table of commands. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"
#include "hv/sim/xl.h"
#include "sim/control.h"
#include "sim/host.h"
#include "sim/replay_command.h"
#include "sim/run_command.h"

#define MAX_SPEED 10000

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 5,
    EXIT_DENIED = 6
};

static int complain(const struct err *err)
{
    fprintf(stderr, "xenmem-sim: %s\n", err->text);
    switch (err->code) {
    case ERR_INVALID:
        return EXIT_USAGE;
    case ERR_UNREACHABLE:
        return EXIT_UNREACHABLE;
    case ERR_DENIED:
        return EXIT_DENIED;
    default:
        return EXIT_FAILED;
    }
}

static int misused(const char *what)
{
    fprintf(stderr, "xenmem-sim: %s; see 'xenmem-sim --help'\n", what);
    return EXIT_USAGE;
}

static int run_host(int argc, char **argv)
{
    static const struct option options[] = {{"speed", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    int64_t speed = 1;
    struct err err;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 's')
            return EXIT_USAGE; /* getopt named what it does not know */
        if (integer_parse(optarg, 1, MAX_SPEED, &speed, &err)) {
            err_wrap(&err, "--speed");
            return complain(&err);
        }
    }
    if (argc - optind != 1)
        return misused("host wants one scenario file");
    return host_serve(argv[optind], speed, &err) ? complain(&err) : EXIT_DONE;
}

static int run_xl(int argc, char **argv)
{
    struct err err;
    int exit_code;

    if (argc < 3)
        return misused("xl wants a scenario file and a command");
    if (control_xl(argv[1], (size_t)argc - 2, argv + 2, &exit_code, &err))
        return complain(&err);
    return exit_code;
}

static int run_stop(int argc, char **argv)
{
    struct err err;

    if (argc != 2)
        return misused("stop wants one scenario file");
    return control_stop(argv[1], &err) ? complain(&err) : EXIT_DONE;
}

/* getopt has named what it does not know: 1. */
static int exit_code_of(int rc, const struct err *err)
{
    if (rc > 0)
        return EXIT_USAGE;
    return rc < 0 ? complain(err) : EXIT_DONE;
}

static int run_run(int argc, char **argv)
{
    struct err err;
    int rc = run_command(argc, argv, &err);

    return exit_code_of(rc, &err);
}

static int run_replay(int argc, char **argv)
{
    struct err err;
    int rc = replay_command(argc, argv, &err);

    return exit_code_of(rc, &err);
}

static const struct command {
    const char *name, *usage, *help;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"host", "host FILE [--speed N]", "serve the simulated host of a scenario, in the foreground",
     run_host},
    {"xl", "xl FILE COMMAND...", "act on it, as xl does on a real one", run_xl},
    {"stop", "stop FILE", "end it", run_stop},
    {"run", "run SCENARIO [OPTION...]", "have the daemon balance it in virtual time", run_run},
    {"replay", "replay TRACE [OPTION...]", "try policies on what VMs needed", run_replay},
};
#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

static int show_help(void)
{
    char xl[2048];

    sim_xl_help(xl, sizeof(xl));
    printf("Simulated Xen hosts, for xenmemd --backend sim:FILE.\n\nusage:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        printf("  xenmem-sim %-24s %s\n", commands[i].usage, commands[i].help);
    printf("  xenmem-sim --help, --version\n\ncommands of the simulated xl:\n%s", xl);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    char what[80];

    if (argc < 2)
        return misused("no command");
    if (strcmp(argv[1], "--help") == 0)
        return show_help();
    if (strcmp(argv[1], "--version") == 0)
        return puts("xenmem-sim " PACKAGE_VERSION) < 0 ? EXIT_FAILED : EXIT_DONE;
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, argv[1]) == 0)
            return commands[i].run(argc - 1, argv + 1);
    snprintf(what, sizeof(what), "'%.40s' is no command", argv[1]);
    return misused(what);
}
