/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scenarios that other memory daemons are tested with, and what their users complain of, under
 * our decisions: README.md says where each comes from. What each must come to is in its file. With
 * a safety measure switched off the scenario that is about it must fail: the test can see.
 */
#include <check.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "sim/run.h"
#include "sim/script.h"

static glob_t files;

/* Returns how many expectations were not met, and says which. */
static size_t run_file(const char *file, const struct decide_faults *faults, bool is_told)
{
    const struct run_options options = {.faults = *faults};
    struct run_counts counts;
    struct run *run;
    struct err err;

    ck_assert_msg(run_scenario(file, &options, NULL, NULL, &run, &err) == 0, "%s", err.text);
    counts = run_counts(run);
    ck_assert_msg(counts.n_expectations > 0, "%s expects nothing", file);
    for (size_t i = 0; i < counts.n_misses && is_told; i++) {
        const struct run_miss *miss = run_miss(run, i);
        char found[UNITS_TEXT];

        fprintf(stderr, "%s:%d: %s was to have %s, has %s\n", file, miss->expectation->line,
                miss->expectation->name, miss->expectation->text,
                miss->exists ? script_format(miss->expectation->figure, miss->found, found)
                             : "not come at all");
    }
    run_free(run);
    return counts.n_misses;
}

START_TEST(test_comes_to_what_it_must)
{
    const struct decide_faults none = {0};

    ck_assert_uint_eq(run_file(files.gl_pathv[_i], &none, true), 0);
}
END_TEST

static const struct {
    const char *scenario, *without;
    struct decide_faults faults;
} blind[] = {
    /* squeezed's f and g */
    {"squeezed-e", "waiting for what was given back", {.grow_unverified = true}},
    {"squeezed-a", "an allowance for what guests may take beyond their targets", {.no_caps = true}},
    {"starts-are-not-squeezed", "minimums", {.no_floors = true}},
    {"squeezed-e", "finding who does not follow", {.no_settle = true}},
};

START_TEST(test_fails_without_its_safety_measure)
{
    char file[4096];

    log_set_level(LOG_LEVEL_ERROR);
    snprintf(file, sizeof(file), "%s/tests/peers/%s.scenario", getenv("XENMEM_SRC"),
             blind[_i].scenario);
    ck_assert_msg(run_file(file, &blind[_i].faults, false) > 0, "%s passes without %s",
                  blind[_i].scenario, blind[_i].without);
}
END_TEST

int main(void)
{
    const char *top = getenv("XENMEM_SRC");
    Suite *suite = suite_create("peers");
    TCase *scenarios = tcase_create("scenarios");
    SRunner *runner;
    char pattern[4096];
    int failed;

    snprintf(pattern, sizeof(pattern), "%s/tests/peers/*.scenario", top ? top : ".");
    if (glob(pattern, 0, NULL, &files)) {
        fprintf(stderr, "no scenarios at %s\n", pattern);
        return EXIT_FAILURE;
    }
    tcase_set_timeout(scenarios, 60);
    tcase_add_loop_test(scenarios, test_comes_to_what_it_must, 0, (int)files.gl_pathc);
    tcase_add_loop_test(scenarios, test_fails_without_its_safety_measure, 0,
                        (int)(sizeof(blind) / sizeof(*blind)));
    suite_add_tcase(suite, scenarios);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    globfree(&files);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
