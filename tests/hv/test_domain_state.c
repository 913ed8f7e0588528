/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A domain's states are told apart, row by row of what Xen shows. */
#include <check.h>
#include <stdlib.h>

#include "hv/domain_state.h"

/* A PV guest in normal operation. */
static const struct domain_facts running = {
    .introduced = true, .ran = true, .pv = true, .rested = true};

START_TEST(a_guest_in_normal_operation_runs)
{
    ck_assert_int_eq(domain_state(&running), VM_RUNNING);
}
END_TEST

START_TEST(until_it_has_run_a_domain_is_being_built)
{
    struct domain_facts facts = {.paused = true, .pv = true, .rested = true};

    ck_assert_int_eq(domain_state(&facts), VM_BUILDING);
    facts.introduced = true;
    ck_assert_int_eq(domain_state(&facts), VM_BUILDING);
    facts.paused = false;
    ck_assert_int_eq(domain_state(&facts), VM_RUNNING);
}
END_TEST

START_TEST(paused_after_it_ran_it_was_paused_by_the_admin)
{
    struct domain_facts facts = running;

    facts.paused = true;
    ck_assert_int_eq(domain_state(&facts), VM_PAUSED);
}
END_TEST

START_TEST(a_full_virtual_guest_boots_until_its_balloon_has_rested)
{
    struct domain_facts facts = running;

    facts.pv = false;
    facts.rested = false;
    ck_assert_int_eq(domain_state(&facts), VM_BOOTING);
    facts.rested = true;
    ck_assert_int_eq(domain_state(&facts), VM_RUNNING);
    facts.pod_debt = true;
    ck_assert_int_eq(domain_state(&facts), VM_BOOTING);
}
END_TEST

START_TEST(what_is_saved_is_saved_even_while_it_stands_still)
{
    struct domain_facts facts = running;

    facts.saving = true;
    ck_assert_int_eq(domain_state(&facts), VM_SAVING);
    facts.paused = true;
    ck_assert_int_eq(domain_state(&facts), VM_SAVING);
}
END_TEST

START_TEST(down_goes_before_all_but_dying)
{
    struct domain_facts facts = running;

    facts.shutdown = facts.paused = facts.saving = true;
    ck_assert_int_eq(domain_state(&facts), VM_SHUTDOWN);
    facts.dying = true;
    ck_assert_int_eq(domain_state(&facts), VM_DYING);
}
END_TEST

START_TEST(what_xenstore_has_forgotten_after_it_ran_is_dying)
{
    struct domain_facts facts = running;

    facts.introduced = false;
    facts.paused = true;
    ck_assert_int_eq(domain_state(&facts), VM_DYING);
}
END_TEST

START_TEST(names_tell_who_migrates)
{
    ck_assert(domain_name_migrates("web1--incoming"));
    ck_assert(domain_name_migrates("web1--migratedaway"));
    ck_assert(!domain_name_migrates("web1"));
    ck_assert(!domain_name_migrates("--incoming"));
    ck_assert(!domain_name_migrates("web1--incoming2"));
    ck_assert(!domain_name_migrates(""));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("domain_state");
    TCase *tcase = tcase_create("states");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, a_guest_in_normal_operation_runs);
    tcase_add_test(tcase, until_it_has_run_a_domain_is_being_built);
    tcase_add_test(tcase, paused_after_it_ran_it_was_paused_by_the_admin);
    tcase_add_test(tcase, a_full_virtual_guest_boots_until_its_balloon_has_rested);
    tcase_add_test(tcase, what_is_saved_is_saved_even_while_it_stands_still);
    tcase_add_test(tcase, down_goes_before_all_but_dying);
    tcase_add_test(tcase, what_xenstore_has_forgotten_after_it_ran_is_dying);
    tcase_add_test(tcase, names_tell_who_migrates);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
