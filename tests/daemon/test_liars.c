/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that lie, on a simulated host, through minutes in milliseconds. */
#include <check.h>
#include <stdlib.h>

#include "daemon/registry.h"
#include "daemon/settings/layers.h"
#include "tests/daemon/stage.h"

START_TEST(one_that_asks_for_what_it_never_holds_is_named_once_and_cleared_once)
{
    stage_pass(5);
    stage_xl("demand busy 2500m"); /* no room for what the other wants */
    stage_xl("inside idle agent=greedy");
    stage_pass(59);
    ck_assert_int_eq(stage_events("vm-suspicious", NULL), 0); /* it may be on its way */
    stage_pass(120);
    ck_assert_int_eq(stage_events("vm-suspicious", "idle"), 1);
    stage_xl("inside idle agent=xenmem");
    stage_pass(30);
    stage_xl("inside idle agent=greedy");
    stage_pass(10);
    stage_xl("inside idle agent=xenmem");
    stage_pass(59);
    ck_assert_int_eq(stage_events("vm-plausible", "idle"), 0);
    stage_pass(120);
    ck_assert_int_eq(stage_events("vm-plausible", "idle"), 1);
    ck_assert_int_eq(stage_events("vm-suspicious", NULL), 1);
}
END_TEST

START_TEST(one_that_really_uses_what_it_asks_for_is_not_named)
{
    stage_pass(5);
    stage_xl("demand busy 3g"); /* more than there is: it waits for memory, but claims no more than
                                 * it has
                                 */
    stage_xl("demand idle 2g");
    stage_pass(300);
    ck_assert_int_eq(stage_events("vm-suspicious", NULL), 0);
}
END_TEST

START_TEST(greed_wins_no_more_than_the_priority_says)
{
    struct layer *base = layers_find(stage.host.layers, LAYER_ID_BASE);

    setting_put(layer_vm(base, "busy"), VM_KEY_PRIORITY, 60);
    setting_put(layer_vm(base, "helper"), VM_KEY_MINIMUM, kib_mib(400).v);
    stage_pass(5);
    stage_xl("inside idle agent=greedy");
    stage_pass(60);
    ck_assert_int_gt(stage_target_mib("idle"), 1200); /* nobody needs it: it may have it */
    stage_xl("demand busy 2000m");
    stage_pass(120);
    ck_assert_int_ge(stage_target_mib("busy"), 2000);
    ck_assert_int_le(stage_target_mib("idle"), 1100);
    ck_assert_int_ge(stage_target_mib("helper"), 400);
}
END_TEST

START_TEST(a_guest_that_writes_rubbish_keeps_what_it_has_and_harms_nobody)
{
    int64_t before;

    stage_pass(10);
    before = stage_target_mib("idle");
    stage_xl("inside idle agent=lies");
    stage_xl("demand busy 1500m");
    stage_pass(120);
    /* Its last good report counts for a while, as anybody's; then it keeps what it has. */
    ck_assert_int_le(stage_target_mib("idle"), before);
    ck_assert_int_ge(stage_target_mib("idle"), 256);
    ck_assert_int_ge(stage_target_mib("busy"), 1500);
    ck_assert_int_eq(stage_domain("idle")->verdict.reason, REASON_NO_DATA);
    before = stage_target_mib("idle");
    stage_pass(600);
    ck_assert_int_eq(stage_target_mib("idle"), before);
}
END_TEST

START_TEST(one_that_says_the_same_again_and_again_is_not_heard)
{
    int64_t before;

    stage_pass(10);
    stage_xl("inside idle agent=replays");
    stage_xl("demand idle 1500m"); /* it would have got that */
    stage_pass(5);                 /* the first of that number was news */
    before = stage_target_mib("idle");
    stage_xl("demand idle 1900m");
    stage_pass(25);
    ck_assert_int_eq(stage_target_mib("idle"), before);
    stage_pass(10);
    ck_assert_int_eq(stage_domain("idle")->verdict.reason, REASON_NO_DATA);
    stage_pass(600);
    ck_assert_int_eq(stage_target_mib("idle"), before);
    stage_xl("inside idle agent=xenmem");
    stage_pass(60);
    ck_assert_int_ge(stage_target_mib("idle"), 1900);
}
END_TEST

START_TEST(one_that_writes_all_the_time_is_named_once_and_cleared_once)
{
    stage_pass(5);
    stage_xl("inside idle agent=replays"); /* nothing else is suspicious about it */
    stage_pass(300);
    ck_assert_int_eq(stage_events("vm-suspicious", NULL), 0);
    stage_xl("inside idle report-every=1ms");
    stage_pass(59);
    ck_assert_int_eq(stage_events("vm-suspicious", NULL), 0); /* it may have a moment like that */
    stage_pass(300);
    ck_assert_int_eq(stage_events("vm-suspicious", "idle"), 1);
    stage_xl("inside idle report-every=1s");
    stage_pass(300);
    ck_assert_int_eq(stage_events("vm-plausible", "idle"), 1);
    ck_assert_int_eq(stage_events("vm-suspicious", NULL), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("liars");
    TCase *stories = tcase_create("stories");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(stories, stage_set_up, stage_tear_down);
    tcase_set_timeout(stories, 60);
    tcase_add_test(stories, one_that_asks_for_what_it_never_holds_is_named_once_and_cleared_once);
    tcase_add_test(stories, one_that_really_uses_what_it_asks_for_is_not_named);
    tcase_add_test(stories, greed_wins_no_more_than_the_priority_says);
    tcase_add_test(stories, a_guest_that_writes_rubbish_keeps_what_it_has_and_harms_nobody);
    tcase_add_test(stories, one_that_says_the_same_again_and_again_is_not_heard);
    tcase_add_test(stories, one_that_writes_all_the_time_is_named_once_and_cleared_once);
    suite_add_tcase(suite, stories);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
