/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine on a simulated host in this process, through minutes in milliseconds. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/edges.h"
#include "daemon/engine.h"
#include "daemon/overrides.h"
#include "daemon/registry.h"
#include "daemon/settings/layers.h"
#include "daemon/snapshot.h"
#include "tests/daemon/stage.h"

/* --- stories --------------------------------------------------------------------------------- */

START_TEST(memory_follows_need_and_promise_1_holds_at_every_pass)
{
    stage_pass(10);
    stage_xl("demand busy 1500m");
    stage_pass(60);
    ck_assert_int_ge(stage_target_mib("busy"), 1500);
    ck_assert_int_lt(stage_target_mib("idle"), 1024);
    ck_assert_int_eq(engine_status(stage.host.engine)->settled, 1);
}
END_TEST

START_TEST(a_domain_that_xl_works_on_is_left_alone_until_it_is_done)
{
    int64_t before;

    stage_pass(10);
    before = stage_target_mib("idle");
    stage_xl("lock idle");
    stage_xl("lock helper");
    stage_xl("demand busy 1500m");
    stage_pass(10);
    ck_assert_int_eq(stage_target_mib("idle"), before);
    stage_xl("unlock idle");
    stage_xl("unlock helper");
    stage_pass(30);
    ck_assert_int_ge(stage_target_mib("busy"), 1500);
}
END_TEST

START_TEST(a_daemon_that_is_started_again_moves_nothing)
{
    int64_t busy, idle;

    stage_xl("demand busy 1500m");
    stage_pass(90);
    busy = stage_target_mib("busy");
    idle = stage_target_mib("idle");
    stage_close_daemon();
    stage_open_daemon();
    stage_pass(30);
    ck_assert_int_eq(stage_target_mib("busy"), busy);
    ck_assert_int_eq(stage_target_mib("idle"), idle);
}
END_TEST

START_TEST(observing_writes_nothing_not_even_our_copy_of_a_target)
{
    struct setting_partial *said = layer_host(layers_find(stage.host.layers, LAYER_ID_CONFIG));

    setting_put(said, HOST_KEY_ACTION, HOST_ACTION_OBSERVE);
    stage_xl("demand busy 1500m");
    stage_pass(30);
    ck_assert_int_eq(stage_target_mib("busy"), 1024);
    ck_assert(!stage_domain("busy")->now.has_own_target);
    ck_assert_int_eq(stage_events("action", "busy"),
                     1); /* told once, though decided at every pass */
}
END_TEST

START_TEST(a_target_set_by_hand_before_we_ever_wrote_one_is_an_override)
{
    stage_pass(3);
    stage_xl("mem-set idle 700m");
    stage_pass(5);
    ck_assert(stage_domain("idle")->overridden);
    ck_assert_int_eq(stage_target_mib("idle"), 700);
    ck_assert_int_eq((int)overrides_clear(&stage.host, "idle", NULL, NULL), 1);
    stage_pass(2);
    ck_assert(!stage_domain("idle")->overridden);
    ck_assert_int_eq(stage_events("override-seen", "idle"), 1);
    ck_assert_int_eq(stage_events("override-cleared", "idle"), 1);
}
END_TEST

START_TEST(a_vm_that_lacks_memory_is_told_once_and_so_is_its_relief)
{
    stage_pass(5);
    stage_xl("demand busy 3g");
    stage_pass(60);
    stage_xl("demand busy 200m");
    stage_pass(1200); /* need falls slowly */
    ck_assert_int_le(stage_events("vm-low", "busy"), 1);
    ck_assert_int_eq(stage_events("vm-warning", "busy"), 1);
    ck_assert_int_eq(stage_events("vm-ok", "busy"), 1);
    ck_assert_int_eq(stage_events("host-low", NULL), 1);
    ck_assert_int_eq(stage_events("host-ok", NULL), 1);
}
END_TEST

START_TEST(a_stuck_guest_is_told_and_its_recovery_too)
{
    stage_pass(5);
    stage_xl("inside idle stuck=always");
    stage_xl("demand busy 1800m");
    stage_pass(60);
    ck_assert_int_eq(stage_events("vm-unresponsive", "idle"), 1);
    stage_xl("inside idle stuck=never");
    stage_pass(600);
    ck_assert_int_eq(stage_events("vm-recovered", "idle"), 1);
}
END_TEST

START_TEST(what_was_learnt_of_a_vm_outlives_the_daemon)
{
    stage_xl("demand busy 1500m");
    stage_pass(60);
    ck_assert_int_eq(registry_find(stage.host.registry, "busy")->natural.target.v, 1024 * 1024);
    ck_assert(!registry_find(stage.host.registry, "busy")->unsaved);
}
END_TEST

static void demand(const char *name, const char *size)
{
    char line[64];

    snprintf(line, sizeof(line), "demand %s %s", name, size);
    stage_xl(line);
}

static int64_t demand_mib(const char *name)
{
    return stage_domain(name)->verdict.demand.v / 1024;
}

/* Else a need that fell a minute ago would be forgotten with every restart. XenServer's guests tell
 * theirs once a minute, Qubes' only when it changes. */
START_TEST(what_a_guest_needed_outlives_the_daemon_whoever_told_it)
{
    static const char *const names[] = {"busy", "idle", "helper"};
    int64_t before[3];

    stage_xl("inside busy agent=xenserver");
    stage_xl("inside idle agent=qubes");
    for (int i = 0; i < 3; i++)
        demand(names[i], "900m");
    stage_pass(200);
    for (int i = 0; i < 3; i++)
        demand(names[i], "300m");
    stage_pass(200);
    for (int i = 0; i < 3; i++) {
        before[i] = demand_mib(names[i]);
        ck_assert_msg(before[i] > 700, "%s: %d MiB", names[i], (int)before[i]);
    }
    stage_close_daemon();
    stage_open_daemon();
    stage_pass(1);
    for (int i = 0; i < 3; i++)
        ck_assert_msg(llabs(demand_mib(names[i]) - before[i]) <= 10, "%s: %d MiB, before %d",
                      names[i], (int)demand_mib(names[i]), (int)before[i]);
}
END_TEST

/* --- the small parts ------------------------------------------------------------------------- */

START_TEST(an_edge_is_told_once_it_has_lasted)
{
    struct edge edge = {0};

    ck_assert(!edge_follow(&edge, true, 1000, 5000));
    ck_assert(!edge_follow(&edge, true, 5999, 5000));
    ck_assert(edge_follow(&edge, true, 6000, 5000));
    ck_assert(!edge_follow(&edge, true, 7000, 5000));
    ck_assert(!edge_follow(&edge, false, 8000, 5000));
    ck_assert(!edge_follow(&edge, true, 9000, 5000)); /* it was back in time: nothing is told */
    ck_assert(!edge_follow(&edge, false, 10000, 5000));
    ck_assert(edge_follow(&edge, false, 15000, 5000));
}
END_TEST

START_TEST(each_source_of_need_has_its_own_idea_of_fresh)
{
    struct guest_report report = {.source = NEED_AGENT};

    ck_assert(snapshot_report_is_fresh(&report, 30000));
    ck_assert(!snapshot_report_is_fresh(&report, 30001));
    report.source = NEED_XENSERVER;
    ck_assert(snapshot_report_is_fresh(&report, 180000));
    ck_assert(!snapshot_report_is_fresh(&report, 180001));
    report.source = NEED_QUBES;
    ck_assert(snapshot_report_is_fresh(&report, INT64_C(1) << 40));
    report.source = NEED_NONE;
    ck_assert(!snapshot_report_is_fresh(&report, 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine");
    TCase *stories = tcase_create("stories");
    TCase *parts = tcase_create("parts");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(stories, stage_set_up, stage_tear_down);
    tcase_set_timeout(stories, 60);
    tcase_add_test(stories, memory_follows_need_and_promise_1_holds_at_every_pass);
    tcase_add_test(stories, a_domain_that_xl_works_on_is_left_alone_until_it_is_done);
    tcase_add_test(stories, a_daemon_that_is_started_again_moves_nothing);
    tcase_add_test(stories, observing_writes_nothing_not_even_our_copy_of_a_target);
    tcase_add_test(stories, a_target_set_by_hand_before_we_ever_wrote_one_is_an_override);
    tcase_add_test(stories, a_vm_that_lacks_memory_is_told_once_and_so_is_its_relief);
    tcase_add_test(stories, a_stuck_guest_is_told_and_its_recovery_too);
    tcase_add_test(stories, what_a_guest_needed_outlives_the_daemon_whoever_told_it);
    tcase_add_test(stories, what_was_learnt_of_a_vm_outlives_the_daemon);
    tcase_add_test(parts, an_edge_is_told_once_it_has_lasted);
    tcase_add_test(parts, each_source_of_need_has_its_own_idea_of_fresh);
    suite_add_tcase(suite, stories);
    suite_add_tcase(suite, parts);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
