/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios under the daemon's own decisions, in virtual time. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "sim/run.h"
#include "sim/script.h"

static char folder[64], path[96];
static struct run *run;
static struct err err;

static void make_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/xenmem-test-run-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a.scenario", folder);
}

static void remove_folder(void)
{
    if (run)
        run = run_free(run);
    unlink(path);
    rmdir(folder);
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void run_text(const char *text, const struct run_options *options)
{
    write_text(text);
    ck_assert_msg(run_scenario(path, options, NULL, NULL, &run, &err) == 0, "%s", err.text);
}

static const struct run_options usual = {.for_ms = 120000};

/* All that the scenario expects came true, and there was something. */
static void assert_met(void)
{
    struct run_counts counts = run_counts(run);

    if (counts.n_misses > 0)
        ck_abort_msg("line %d: %s has not %s", run_miss(run, 0)->expectation->line,
                     run_miss(run, 0)->expectation->name, run_miss(run, 0)->expectation->text);
    ck_assert_uint_gt(counts.n_expectations, 0);
    ck_assert_uint_eq(run_result(run)->invariant_violations, 0);
}

#define TWO_ON_4G                                                                                  \
    "[host]\nsize = 4g\ndom0 = 512m\n"                                                             \
    "[vm a]\nmemory = 2g\nmaxmem = 3g\ndemand = step 0:600m 30s:2500m\n"                           \
    "[vm b]\nmemory = 1g\nmaxmem = 2g\ndemand = 300m\n"

START_TEST(test_memory_follows_need)
{
    run_text(TWO_ON_4G "[expect at 20s]\na = assigned = 2g, demand <= 700m, status = ok\n"
                       "[expect at 90s]\na = assigned >= 2500m, changes >= 1\nb = target <= 900m\n"
                       "host = crashes = 0, broken = 0\n",
             &usual);
    assert_met();
    ck_assert_double_gt(run_result(run)->moved_kib, 300 * 1024);
    ck_assert_uint_eq(run_names(run)->n_vms, 2);
    ck_assert_str_eq(run_names(run)->vms[0].name, "a");
}
END_TEST

START_TEST(test_what_is_unmet_is_counted_as_a_pencil_would)
{
    run_text("[host]\nsize = 4g\n[vm a]\nmemory = 1g\nswap = 1g\ndemand = 1536m\n",
             &(struct run_options){.for_ms = 1000});
    ck_assert_double_eq(run_result(run)->need_kib_s, 1536.0 * 1024);
    ck_assert_double_eq(run_result(run)->unmet_kib_s, 512.0 * 1024);
    ck_assert_double_eq_tol(run_result(run)->worst_vm, 1.0 / 3, 1e-9);
}
END_TEST

START_TEST(test_what_is_not_met_is_told_with_its_line)
{
    run_text(TWO_ON_4G "[expect at 20s]\na = assigned >= 3g\n", &usual);
    ck_assert_uint_eq(run_counts(run).n_misses, 1);
    ck_assert_int_eq(run_miss(run, 0)->expectation->line, 13);
    ck_assert_int_eq(run_miss(run, 0)->found, 2 * 1024 * 1024);
}
END_TEST

START_TEST(test_settings_bind_and_can_be_changed)
{
    run_text(TWO_ON_4G "minimum = 900m\n"
                       "[at 60s]\nset = b minimum=1g maximum=1g, host headroom=100m\n"
                       "[expect at 55s]\nb = target >= 900m, target <= 904m\n"
                       "[expect at 90s]\nb = target = 1g\n",
             &usual);
    assert_met();
}
END_TEST

START_TEST(test_room_is_made_and_kept_while_the_daemon_is_dead)
{
    run_text(TWO_ON_4G "[vm new]\nmemory = 900m\nstart = off\n"
                       "[at 10s]\nreserve = new 920m\n"
                       "[at 20s]\ndaemon = kill\n"
                       "[at 40s]\ndaemon = start\n"
                       "[at 60s]\ncreate = new\n"
                       "[expect at 15s]\nnew = reservation = granted\n"
                       "[expect at 25s]\nnew = reservation = none\n"
                       "[expect at 55s]\nnew = reservation = granted\nhost = free >= 920m\n"
                       "[expect at 80s]\nnew = state = running, reservation = none\n",
             &usual);
    assert_met();
}
END_TEST

START_TEST(test_a_reservation_ends_by_itself_in_virtual_time)
{
    run_text(TWO_ON_4G "[vm new]\nmemory = 500m\nstart = off\n"
                       "[at 10s]\nreserve = new 300m ttl=30s\n"
                       "[expect at 30s]\nhost = reserved = 300m\n"
                       "[expect at 50s]\nhost = reserved = 0\n",
             &usual);
    assert_met();
}
END_TEST

/* Under surplus = keep nobody would get it back otherwise: nobody needs it. */
#define SQUEEZED_SLOWLY                                                                            \
    "[host]\nsize = 5g\ndom0 = 512m\n"                                                             \
    "[vm a]\nmemory = 2g\ndemand = 500m\nballoon-rate = 50m\n"                                     \
    "[vm b]\nmemory = 2g\ndemand = 500m\nballoon-rate = 50m\n"                                     \
    "[vm new]\nmemory = 2g\nstart = off\n"                                                         \
    "[at 20s]\nreserve = new 2200m\n"                                                              \
    "[expect at 23s]\nhost = reserved = 0\na = target <= 1600m\n"

START_TEST(test_what_was_given_for_a_start_that_fails_is_given_back)
{
    run_text(SQUEEZED_SLOWLY "[at 24s]\ninside = b stuck=always\n"
                             "[expect at 2m]\nnew = reservation = none\na = assigned = 2g\n",
             &usual);
    assert_met();
}
END_TEST

START_TEST(test_what_was_given_for_a_start_that_is_called_off_is_given_back)
{
    run_text(SQUEEZED_SLOWLY "[at 24s]\nrelease = new\n"
                             "[expect at 2m]\na = assigned = 2g\nb = assigned = 2g\n",
             &usual);
    assert_met();
}
END_TEST

START_TEST(test_what_a_start_got_is_not_given_back_to_those_who_do_not_need_it)
{
    run_text(SQUEEZED_SLOWLY "[at 2m]\nrelease = new\n"
                             "[expect at 100s]\nnew = reservation = granted\n"
                             "[expect at 4m]\na = target <= 1600m\n",
             &usual);
    assert_met();
}
END_TEST

/* Xen keeps a domain for good of which somebody still has a page. */
START_TEST(test_a_zombie_is_counted_with_what_it_has)
{
    run_text("[host]\nsize = 8g\ndom0 = 1g\n"
             "[vm big]\nmemory = 4g\nzombie = 4k\n"
             "[vm web]\nmemory = 1g\nmaxmem = 4g\ndemand = 500m\n"
             "[vm new]\nmemory = 1g\nstart = off\n"
             "[at 10s]\ndestroy = big\n"
             "[at 50s]\nreserve = new 5g priority=0\n"
             "[expect at 20s]\nbig = state = dying\n"
             "[expect at 60s]\nnew = reservation = granted\nhost = broken = 0\n",
             &usual);
    assert_met();
}
END_TEST

START_TEST(test_a_reboot_is_no_broken_promise_though_a_zombie_stays)
{
    run_text("[host]\nsize = 4g\ndom0 = 512m\n"
             "[vm a]\nmemory = 1g\nzombie = 4k\non-crash = restart\n"
             "[vm b]\nmemory = 2200m\ndemand = 2g\n"
             "[at 30s]\ncrash = a\n"
             "[expect at 60s]\na = state = running\nhost = crashes = 1, broken = 0\n",
             &usual);
    assert_met();
}
END_TEST

/* Its page tables, 257 MiB here, are no pages of its own: whoever gets them meanwhile keeps it from
 * being built. */
START_TEST(test_a_reboot_finds_the_memory_of_its_page_tables_too)
{
    run_text("[host]\nsize = 8g\ndom0 = 1g\n"
             "[vm a]\nmemory = 512m\nmaxmem = 64g\ntype = hvm\ndemand = 300m\n"
             "[vm b]\nmemory = 1g\nmaxmem = 16g\ndemand = step 0:500m 5s:16g\nswap = 16g\n"
             "[at 30s]\nreboot = a\n"
             "[expect at 60s]\na = assigned >= 512m\nhost = broken = 0\n",
             &usual);
    assert_met();
}
END_TEST

/* Each vCPU costs 1 MiB of them. */
START_TEST(test_a_reboot_finds_the_memory_of_its_vcpus_too)
{
    run_text("[host]\nsize = 8g\ndom0 = 1g\n"
             "[vm a]\nmemory = 512m\nminimum = 512m\nvcpus = 64\ntype = pvh\ndemand = 300m\n"
             "[vm b]\nmemory = 1g\nmaxmem = 16g\ndemand = step 0:500m 5s:16g\nswap = 16g\n"
             "[at 30s]\nreboot = a\n"
             "[expect at 60s]\na = assigned >= 512m\nhost = broken = 0\n",
             &usual);
    assert_met();
}
END_TEST

/* b would have all of the host: a's page tables, 33 MiB, come out of what is kept for a. */
START_TEST(test_page_tables_of_a_start_are_no_broken_promise)
{
    run_text("[host]\nsize = 8g\ndom0 = 1g\n"
             "[vm a]\nmemory = 512m\nmaxmem = 8g\ntype = hvm\nstart = off\n"
             "[vm b]\nmemory = 1g\nmaxmem = 16g\ndemand = step 0:500m 5s:16g\nswap = 16g\n"
             "[at 30s]\nreserve = a 560m priority=90\n"
             "[at 50s]\ncreate = a\n"
             "[at 80s]\nreboot = a\n"
             "[expect at 45s]\na = reservation = granted\n"
             "[expect at 70s]\na = assigned >= 512m\nhost = broken = 0\n"
             "[expect at 110s]\na = assigned >= 512m\nhost = broken = 0\n",
             &usual);
    assert_met();
}
END_TEST

START_TEST(test_an_override_is_honoured_until_it_is_cleared)
{
    run_text(TWO_ON_4G "[at 10s]\nmem-set = b 700m\n"
                       "[at 40s]\nset = b minimum=800m\nclear-override = b\n"
                       "[expect at 35s]\nb = target = 700m\n"
                       "[expect at 60s]\nb = target = 800m\n",
             &usual);
    assert_met();
}
END_TEST

START_TEST(test_the_same_file_runs_the_same)
{
    struct replay_result first;

    run_text(TWO_ON_4G "noise = 100m\n", &usual);
    first = *run_result(run);
    run_free(run);
    run_text(TWO_ON_4G "noise = 100m\n", &usual);
    ck_assert_double_eq(first.moved_kib, run_result(run)->moved_kib);
    ck_assert_uint_eq(first.changes, run_result(run)->changes);
}
END_TEST

START_TEST(test_a_host_without_vms)
{
    run_text("", &usual);
    ck_assert_int_eq(run_counts(run).passes, 120);
    ck_assert_double_eq(run_result(run)->need_kib_s, 0);
}
END_TEST

static const struct wrong {
    const char *text, *why;
    int line;
} wrongs[] = {
    {"[vm a]\nmemory = 1g\nminimum = 2g\n", "minimum", 1},
    {"[vm a]\nmemory = 1g\npriority = 101\n", "0 to 100", 3},
    {"[host]\nreserve = many\n", "reserve", 2},
    {"[vm a]\nmemory = 1g\n[at 5s]\nset = a colour=red\n", "no setting", 4},
    {"[vm a]\nmemory = 1g\n[at 5s]\nset = a\n", "usage", 4},
    {"[vm a]\nmemory = 1g\n[at 5s]\nset = b minimum=1g\n", "no VM", 4},
    {"[vm a]\nmemory = 1g\n[at 5s]\nreserve = a 99999999999999999999\n", "size", 4},
    {"[vm a]\nmemory = 1g\n[at 5s]\nreserve = a 1g wait=8hh\n", "8hh", 4},
    {"[at 5s]\ndaemon = reload\n", "neither", 2},
    {"[vm a]\nmemory = 1g\n[expect at 5s]\na = weight >= 1\n", "no figure", 4},
    {"[vm a]\nmemory = 1g\n[expect at 5s]\na = free >= 1g\n", "no figure", 4},
    {"[vm a]\nmemory = 1g\n[expect at 5s]\na = assigned > 1g\n", "none of", 4},
    {"[vm a]\nmemory = 1g\n[expect at 5s]\na = assigned >= 1g or so\n", "not like", 4},
    {"[vm a]\nmemory = 1g\n[expect at 5s]\na = state = asleep\n", "asleep", 4},
    {"[vm a]\nmemory = 1g\n[expect at 5s]\nb = assigned >= 1g\n", "no VM", 4},
    {"[vm a]\nmemory = 1g\n[expect later]\na = assigned >= 1g\n", "none of [host]", 3},
};

START_TEST(test_wrong_line_is_named_and_nothing_runs)
{
    const struct wrong *wrong = &wrongs[_i];
    char start[120];

    write_text(wrong->text);
    snprintf(start, sizeof(start), "%s:%d: ", path, wrong->line);
    ck_assert_int_eq(run_scenario(path, &usual, NULL, NULL, &run, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strncmp(err.text, start, strlen(start)) == 0, "'%s' is not of '%s'", err.text,
                  start);
    ck_assert_msg(strstr(err.text, wrong->why) != NULL, "'%s' does not say '%s'", err.text,
                  wrong->why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run");
    TCase *runs = tcase_create("runs");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(runs, make_folder, remove_folder);
    tcase_add_test(runs, test_memory_follows_need);
    tcase_add_test(runs, test_what_is_unmet_is_counted_as_a_pencil_would);
    tcase_add_test(runs, test_what_is_not_met_is_told_with_its_line);
    tcase_add_test(runs, test_settings_bind_and_can_be_changed);
    tcase_add_test(runs, test_room_is_made_and_kept_while_the_daemon_is_dead);
    tcase_add_test(runs, test_a_reservation_ends_by_itself_in_virtual_time);
    tcase_add_test(runs, test_what_was_given_for_a_start_that_fails_is_given_back);
    tcase_add_test(runs, test_what_was_given_for_a_start_that_is_called_off_is_given_back);
    tcase_add_test(runs, test_what_a_start_got_is_not_given_back_to_those_who_do_not_need_it);
    tcase_add_test(runs, test_a_zombie_is_counted_with_what_it_has);
    tcase_add_test(runs, test_a_reboot_is_no_broken_promise_though_a_zombie_stays);
    tcase_add_test(runs, test_a_reboot_finds_the_memory_of_its_page_tables_too);
    tcase_add_test(runs, test_a_reboot_finds_the_memory_of_its_vcpus_too);
    tcase_add_test(runs, test_page_tables_of_a_start_are_no_broken_promise);
    tcase_add_test(runs, test_an_override_is_honoured_until_it_is_cleared);
    tcase_add_test(runs, test_the_same_file_runs_the_same);
    tcase_add_test(runs, test_a_host_without_vms);
    tcase_add_loop_test(runs, test_wrong_line_is_named_and_nothing_runs, 0,
                        (int)(sizeof(wrongs) / sizeof(*wrongs)));
    suite_add_tcase(suite, runs);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
