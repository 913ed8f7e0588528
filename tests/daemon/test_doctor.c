/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of what the hypervisor shows: a host on which one thing after the other goes
 * wrong. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine.h"
#include "daemon/memory.h"
#include "daemon/methods/doctor.h"
#include "daemon/options.h"
#include "daemon/settings/layers.h"
#include "tests/daemon/stage.h"

static void make(void)
{
    stage_set_up();
    free(stage.host.options->hooks_folder);
    stage.host.options->hooks_folder = memory_copy_text("/nonexistent");
}

/* --- what was found --------------------------------------------------------------------------- */

struct finds {
    char text[2048]; /* "check:vm:level " of each */
    char last[640];  /* in words */
};
static struct finds finds;

static void add(void *arg, const struct finding *finding)
{
    (void)arg;
    ck_assert(finding->text[0] && finding->advice[0]);
    strcat(finds.text, finding->check);
    strcat(finds.text, ":");
    strcat(finds.text, finding->vm ? finding->vm : "-");
    strcat(finds.text, ":");
    strcat(finds.text, finding_level_name(finding->level));
    strcat(finds.text, " ");
    snprintf(finds.last, sizeof(finds.last), "%s", finding->text);
}

static const char *found(void)
{
    finds.text[0] = '\0';
    doctor_look(&stage.host, add, NULL);
    return finds.text;
}

static void observe(void)
{
    struct layer *layer = layers_find(stage.host.layers, LAYER_ID_CONFIG);

    setting_put(layer_host(layer), HOST_KEY_ACTION, HOST_ACTION_OBSERVE);
}

/* --- stories ---------------------------------------------------------------------------------- */

START_TEST(a_host_that_is_as_it_should_be)
{
    stage_pass(30);
    ck_assert_str_eq(found(), "");
}
END_TEST

START_TEST(a_guest_that_says_nothing)
{
    stage_xl("create quiet memory=256m maxmem=512m agent=none");
    stage_pass(30);
    ck_assert_str_eq(found(), "agent:quiet:risk ");
}
END_TEST

START_TEST(a_guest_that_fell_silent)
{
    stage_pass(30);
    stage_xl("inside busy agent=none");
    stage_pass(40);
    ck_assert_str_eq(found(), "agent:busy:risk ");
}
END_TEST

START_TEST(a_guest_without_a_balloon_driver)
{
    stage_xl("create stiff memory=256m maxmem=512m balloon=no");
    stage_pass(30);
    ck_assert_ptr_nonnull(strstr(found(), "balloon:stiff:wrong"));
}
END_TEST

START_TEST(a_balloon_that_does_not_follow)
{
    stage_pass(30);
    stage_xl("inside idle stuck=always");
    stage_xl("demand busy 1900m");
    stage_pass(60);
    ck_assert_ptr_nonnull(strstr(found(), "balloon:idle:risk"));
}
END_TEST

START_TEST(a_maximum_that_what_it_boots_with_cannot_hold)
{
    stage_xl("create wide type=pv memory=300m maxmem=3100m demand=60m");
    stage_pass(30);
    ck_assert_ptr_nonnull(strstr(found(), "ratio:wide:risk"));
}
END_TEST

START_TEST(a_target_that_was_set_by_hand)
{
    stage_pass(30);
    stage_xl("mem-set idle 900");
    stage_pass(30);
    ck_assert_str_eq(found(), "target:idle:risk ");
}
END_TEST

/* mem-max lifts caps; who only observes leaves them so. */
START_TEST(a_cap_that_is_not_ours)
{
    stage_pass(30);
    observe();
    stage_xl("mem-max helper 1100");
    stage_pass(5);
    ck_assert_str_eq(found(), "observe:-:risk cap:helper:risk ");
}
END_TEST

START_TEST(a_promise_that_is_not_kept)
{
    stage_pass(30);
    observe();
    stage_xl("mem-max helper 2000");
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(engine_tick(stage.host.engine, stage.now_ms + i * 1000, NULL), 0);
    ck_assert_ptr_nonnull(strstr(found(), "invariant:-:wrong"));
}
END_TEST

/* It had been at rest for long before: that is no time in which its pages did not come back. */
START_TEST(a_dead_domain_that_keeps_pages)
{
    stage_xl("create dead type=pv memory=256m zombie=256m");
    stage_pass(40);
    stage_xl("destroy dead");
    stage_pass(20);
    ck_assert_str_eq(found(), "");
    stage_pass(20);
    ck_assert_str_eq(found(), "zombie:-:risk ");
    ck_assert_ptr_nonnull(strstr(finds.last, "dead is dead and still holds 256 MiB"));
}
END_TEST

START_TEST(a_vm_that_is_not_managed_is_not_looked_at)
{
    struct layer *layer = layers_find(stage.host.layers, LAYER_ID_BASE);

    stage_xl("create quiet memory=256m maxmem=512m agent=none");
    setting_put(layer_vm(layer, "quiet"), VM_KEY_MODE, VM_MODE_STATIC);
    stage_pass(30);
    ck_assert_ptr_null(strstr(found(), "agent:"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("doctor");
    TCase *tests = tcase_create("doctor");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make, stage_tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_host_that_is_as_it_should_be);
    tcase_add_test(tests, a_guest_that_says_nothing);
    tcase_add_test(tests, a_guest_that_fell_silent);
    tcase_add_test(tests, a_guest_without_a_balloon_driver);
    tcase_add_test(tests, a_balloon_that_does_not_follow);
    tcase_add_test(tests, a_maximum_that_what_it_boots_with_cannot_hold);
    tcase_add_test(tests, a_target_that_was_set_by_hand);
    tcase_add_test(tests, a_cap_that_is_not_ours);
    tcase_add_test(tests, a_promise_that_is_not_kept);
    tcase_add_test(tests, a_dead_domain_that_keeps_pages);
    tcase_add_test(tests, a_vm_that_is_not_managed_is_not_looked_at);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
