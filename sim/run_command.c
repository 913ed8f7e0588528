/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/run_command.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/units.h"
#include "sim/progress.h"
#include "sim/replay_command.h"
#include "sim/replay_page.h"
#include "sim/run.h"
#include "sim/run_output.h"

struct command {
    struct run_options options;
    bool json;
    const char *report, *scenario;
};

static int parse_options(int argc, char **argv, struct command *command, struct err *err)
{
    static const struct option options[] = {{"for", required_argument, NULL, 't'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"report", required_argument, NULL, 'o'},
                                            {NULL, 0, NULL, 0}};
    int option, index;

    while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
        int rc = 0;

        if (option == '?')
            return 1;
        if (option == 't')
            rc = duration_parse(optarg, &command->options.for_ms, err);
        else if (option == 'f')
            rc = replay_parse_format(optarg, &command->json, err);
        else
            command->report = optarg;
        if (rc)
            return err_wrap(err, "--%s", options[index].name);
    }
    if (argc - optind != 1)
        return err_set(err, ERR_INVALID, "run wants one scenario; see 'xenmem-sim --help'");
    command->scenario = argv[optind];
    return 0;
}

static int write_page(const struct command *command, const struct run *run, struct err *err)
{
    const struct replay_page page = {
        command->report, command->scenario, "With the daemon's own decisions, in virtual time.",
        run_names(run),  run_result(run),   1};

    return replay_write_page(&page, err);
}

int run_command(int argc, char **argv, struct err *err)
{
    struct command command = {0};
    struct progress progress = progress_begin(1);
    struct run *run;
    int rc = parse_options(argc, argv, &command, err);

    if (rc)
        return rc;
    rc = run_scenario(command.scenario, &command.options, progress_show, &progress, &run, err);
    progress_end(&progress);
    if (rc)
        return -1;
    if (command.report)
        rc = write_page(&command, run, err);
    if (rc == 0)
        rc = command.json ? run_print_json(run, err) : run_print_table(run, err);
    if (rc == 0 && run_counts(run).n_misses > 0) {
        run_print_misses(command.scenario, run);
        rc = err_set(err, ERR_FAILED, "%s: %zu of %zu expectations were not met", command.scenario,
                     run_counts(run).n_misses, run_counts(run).n_expectations);
    }
    run_free(run);
    return rc;
}
