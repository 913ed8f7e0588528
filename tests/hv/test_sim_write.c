/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a daemon sees of a simulated host and may do to it: views, reports, and the write gate. */
#include <stdlib.h>
#include <string.h>

#include "core/model.h"
#include "hv/rest.h"
#include "hv/sim/sim.h"
#include "tests/hv/story.h"

static struct hv *hv;
static struct hv_view view;
static struct err err;

static void begin(void)
{
    story_begin("16g");
    hv_sim_local_open(world, &hv);
}

static void end(void)
{
    hv_close(hv);
    story_end();
}

/* Looks at the host after some time. */
static void look(int64_t after_ms)
{
    ck_assert_int_eq(hv_read(hv, world->now_ms + after_ms, &view, &err), 0);
}

static const struct hv_domain *seen(const char *name)
{
    for (size_t i = 0; i < view.n_domains; i++)
        if (strcmp(view.domains[i].name, name) == 0)
            return &view.domains[i];
    ck_abort_msg("no domain %s in view", name);
    return NULL;
}

static int set(const struct hv_ref *ref, int64_t target_mib)
{
    struct kib target = kib_mib(target_mib);

    return hv_set_target(hv, ref, target, kib_add(target, kib_mib(16)), &err);
}

/* The gate is shut: nothing is written, by none of the three ways. */
static void assert_gate_shut(const struct hv_ref *ref, enum err_code code)
{
    const struct sim_domain *domain = world_find(world, ref->domid);
    struct sim_domain before = {0};

    if (domain)
        before = *domain;
    ck_assert_int_eq(set(ref, 700), -1);
    ck_assert_int_eq(err.code, code);
    ck_assert_int_eq(hv_set_cap(hv, ref, kib_mib(700), &err), -1);
    ck_assert_int_eq(err.code, code);
    ck_assert_int_eq(hv_adopt_target(hv, ref, &err), -1);
    ck_assert_int_eq(err.code, code);
    if (domain)
        ck_assert_mem_eq(&before, domain, sizeof(before));
}

/* --- views --- */

START_TEST(a_view_shows_host_and_domains)
{
    story_vm("web1", "memory=1g maxmem=2g");
    look(0);
    assert_kib(view.host.total, kib_gib(16));
    assert_kib(view.host.free, kib_mib(14 * 1024 - 128));
    ck_assert_uint_eq(view.n_domains, 2);
    ck_assert(view.domains[0].dom0);
    ck_assert_str_eq(view.domains[0].name, "Domain-0");
    assert_kib(seen("web1")->assigned, kib_gib(1));
    assert_kib(seen("web1")->target, kib_gib(1));
    assert_kib(seen("web1")->static_max, kib_gib(2));
    ck_assert(!seen("web1")->has_own_target);
    ck_assert_str_eq(hv_kind(hv), "simulated");
}
END_TEST

START_TEST(an_offset_is_measured_once_it_rests)
{
    story_vm("pvh", "type=pvh memory=1g offset=100k");
    look(100);
    look(1000);
    ck_assert_int_eq(seen("pvh")->state, VM_BOOTING);
    look(REST_MS);
    ck_assert_int_eq(seen("pvh")->state, VM_RUNNING);
    assert_kib(seen("pvh")->offset, kib(100));
}
END_TEST

START_TEST(a_daemon_that_starts_anew_knows_its_own_target)
{
    struct hv_ref ref;

    story_vm("web1", "memory=1g");
    look(0);
    ref = seen("web1")->ref;
    ck_assert_int_eq(set(&ref, 768), 0);
    hv_close(hv);
    hv_sim_local_open(world, &hv);
    look(0);
    ck_assert(seen("web1")->has_own_target);
    assert_kib(seen("web1")->own_target, kib_mib(768));
    assert_kib(seen("web1")->target, kib_mib(768));
}
END_TEST

START_TEST(changes_are_told_once)
{
    unsigned changes;

    story_vm("web1", "memory=1g");
    ck_assert_int_eq(hv_drain(hv, &changes, &err), 0);
    ck_assert(changes & HV_DOMAINS);
    ck_assert_int_eq(hv_drain(hv, &changes, &err), 0);
    ck_assert_uint_eq(changes, 0);
    story_xl("demand web1 700m");
    look(1000);
    ck_assert_int_eq(hv_drain(hv, &changes, &err), 0);
    ck_assert_uint_eq(changes, HV_REPORTS);
}
END_TEST

/* --- reports --- */

START_TEST(a_guest_that_has_run_for_long_has_spoken)
{
    story_vm("web1", "memory=1g demand=400m");
    look(0);
    assert_kib(seen("web1")->report.need, kib_mib(400));
}
END_TEST

START_TEST(each_agents_words_are_understood)
{
    story_vm("a", "memory=1g demand=400m pinned=50m swap=1g");
    story_vm("b", "memory=1g demand=400m agent=qubes");
    story_vm("c", "memory=1g demand=400m agent=xenserver");
    story_vm("d", "memory=1g demand=400m agent=none");
    look(5000);
    ck_assert_int_eq(seen("a")->report.source, NEED_AGENT);
    assert_kib(seen("a")->report.need, kib_mib(400));
    assert_kib(seen("a")->report.floor, kib_mib(50));
    ck_assert(seen("a")->report.balloon);
    ck_assert_int_eq(seen("b")->report.source, NEED_QUBES);
    assert_kib(seen("b")->report.need, kib_mib(400));
    ck_assert_int_eq(seen("c")->report.source, NEED_XENSERVER);
    assert_kib(seen("c")->report.need, kib_mib(400));
    ck_assert_int_eq(seen("d")->report.source, NEED_NONE);
}
END_TEST

START_TEST(the_agent_tells_what_changed_and_that_it_lives)
{
    int64_t first;

    story_vm("web1", "memory=1g demand=400m");
    look(1000);
    first = seen("web1")->report_ms;
    look(5000);
    ck_assert_int_eq(seen("web1")->report_ms, first);
    look(5000); /* its heartbeat: every ten seconds */
    ck_assert_int_gt(seen("web1")->report_ms, first);
    story_xl("demand web1 500m");
    look(2000);
    assert_kib(seen("web1")->report.need, kib_mib(500));
}
END_TEST

START_TEST(a_guest_in_need_cannot_use_more_than_it_has_and_shows_pressure)
{
    story_vm("web1", "memory=1g demand=1500m swap=200m");
    look(5000);
    assert_kib(seen("web1")->report.need, kib_mib(1224));
    assert_kib(seen("web1")->report.swap_used, kib_mib(200));
    assert_kib(seen("web1")->report.available, kib(0));
    ck_assert_int_gt(seen("web1")->report.psi_some, 1000);
}
END_TEST

START_TEST(a_booting_and_a_paused_guest_say_nothing)
{
    int64_t last;

    story_xl("create web1 memory=1g demand=400m");
    look(3000);
    ck_assert_int_eq(seen("web1")->report.source, NEED_NONE);
    look(3000);
    ck_assert_int_eq(seen("web1")->report.source, NEED_AGENT);
    story_xl("pause web1");
    look(1000);
    last = seen("web1")->report_ms;
    look(60000);
    ck_assert_int_eq(seen("web1")->report_ms, last);
}
END_TEST

START_TEST(lies_are_not_understood_and_change_nothing)
{
    story_vm("web1", "memory=1g demand=400m");
    look(1000);
    story_xl("inside web1 agent=lies");
    for (int i = 0; i < 100; i++) {
        look(1000);
        assert_kib(seen("web1")->report.need, kib_mib(400));
        ck_assert_int_le(seen("web1")->report_ms, 1100);
    }
}
END_TEST

START_TEST(a_greedy_guest_asks_in_good_order)
{
    story_vm("web1", "memory=1g maxmem=2g demand=100m agent=greedy");
    look(1000);
    ck_assert_int_eq(seen("web1")->report.source, NEED_AGENT);
    assert_kib(seen("web1")->report.need, kib_gib(4));
}
END_TEST

/* --- writing --- */

START_TEST(a_target_is_written_with_our_own_copy)
{
    story_vm("web1", "memory=1g maxmem=2g demand=200m");
    look(0);
    ck_assert_int_eq(set(&seen("web1")->ref, 1500), 0);
    look(10000);
    assert_kib(seen("web1")->target, kib_mib(1500));
    assert_kib(seen("web1")->own_target, kib_mib(1500));
    assert_kib(seen("web1")->cap, kib_mib(1516));
    assert_kib(seen("web1")->assigned, kib_mib(1500));
}
END_TEST

START_TEST(a_cap_alone_leaves_the_target)
{
    story_vm("web1", "memory=1g");
    look(0);
    ck_assert_int_eq(hv_set_cap(hv, &seen("web1")->ref, kib_mib(1000), &err), 0);
    look(1000);
    assert_kib(seen("web1")->cap, kib_mib(1000));
    assert_kib(seen("web1")->assigned, kib_gib(1));
    assert_kib(seen("web1")->target, kib_gib(1));
    ck_assert(!seen("web1")->has_own_target);
}
END_TEST

START_TEST(an_adopted_override_is_ours)
{
    story_vm("web1", "memory=1g");
    look(0);
    ck_assert_int_eq(set(&seen("web1")->ref, 900), 0);
    story_xl("mem-set web1 800m");
    look(0);
    assert_kib(seen("web1")->own_target, kib_mib(900));
    assert_kib(seen("web1")->target, kib_mib(800));
    ck_assert_int_eq(hv_adopt_target(hv, &seen("web1")->ref, &err), 0);
    look(0);
    assert_kib(seen("web1")->own_target, kib_mib(800));
}
END_TEST

START_TEST(a_target_set_by_hand_meanwhile_is_not_overwritten_unseen)
{
    story_vm("web1", "memory=1g");
    look(0);
    story_xl("mem-set web1 800m");
    ck_assert_int_eq(set(&seen("web1")->ref, 900), -1);
    ck_assert_int_eq(err.code, ERR_BUSY);
    assert_kib(story_domain("web1")->target, kib_mib(800));
    look(0);
    ck_assert_int_eq(set(&seen("web1")->ref, 900), 0);
}
END_TEST

START_TEST(libxls_lock_is_not_waited_for)
{
    story_vm("web1", "memory=1g");
    look(0);
    story_xl("lock web1");
    assert_gate_shut(&seen("web1")->ref, ERR_BUSY);
    story_xl("unlock web1");
    ck_assert_int_eq(set(&seen("web1")->ref, 900), 0);
}
END_TEST

START_TEST(a_populate_on_demand_target_above_the_cap_is_refused_and_changes_nothing)
{
    struct sim_domain *pvh = story_vm("pvh", "type=pvh memory=1g");
    struct kib cap = pvh->cap;

    look(0);
    ck_assert_int_eq(hv_set_target(hv, &seen("pvh")->ref, kib_mib(900), kib_mib(900), &err), -1);
    ck_assert_int_eq(err.code, ERR_FAILED);
    assert_kib(pvh->cap, cap);
    assert_kib(pvh->target, kib_gib(1));
}
END_TEST

/* --- the gate --- */

START_TEST(the_gate_is_shut_for_another_domain_of_the_same_number)
{
    struct hv_ref ref;

    story_vm("web1", "memory=1g");
    look(0);
    ref = seen("web1")->ref;
    ref.uuid[0] ^= 1;
    assert_gate_shut(&ref, ERR_NOT_FOUND);
    ref.uuid[0] ^= 1;
    ref.domid += 7;
    assert_gate_shut(&ref, ERR_NOT_FOUND);
}
END_TEST

START_TEST(the_gate_is_shut_for_whatever_does_not_run)
{
    story_vm("web1", "memory=1g");
    look(0);
    story_xl("pause web1");
    assert_gate_shut(&seen("web1")->ref, ERR_NOT_FOUND);
    story_xl("unpause web1");
    ck_assert_int_eq(set(&seen("web1")->ref, 900), 0);
    story_xl("save web1 -c");
    assert_gate_shut(&seen("web1")->ref, ERR_NOT_FOUND);
    story_pass(1000); /* suspended */
    assert_gate_shut(&seen("web1")->ref, ERR_NOT_FOUND);
    look(10000);
    ck_assert_int_eq(set(&seen("web1")->ref, 950), 0);
    story_xl("shutdown web1");
    assert_gate_shut(&seen("web1")->ref, ERR_NOT_FOUND);
    story_pass(500);
    assert_gate_shut(&seen("web1")->ref, ERR_NOT_FOUND);
}
END_TEST

START_TEST(the_gate_is_shut_while_a_domain_is_built_and_for_dom0)
{
    story_xl("create web1 memory=1g");
    look(100);
    assert_gate_shut(&seen("web1")->ref, ERR_NOT_FOUND);
    look(500); /* introduced */
    ck_assert(story_domain("web1")->introduced && story_domain("web1")->paused);
    assert_gate_shut(&seen("web1")->ref, ERR_NOT_FOUND);
    assert_gate_shut(&seen("Domain-0")->ref, ERR_NOT_FOUND);
}
END_TEST

START_TEST(the_gate_is_shut_for_who_migrates)
{
    story_vm("web1", "memory=1g");
    look(0);
    story_xl("migrate web1");
    look(0);
    ck_assert_int_eq(seen("web1")->state, VM_SAVING);
    assert_gate_shut(&seen("web1")->ref, ERR_NOT_FOUND);
    story_vm("web2", "memory=1g");
    story_xl("rename web2 web3--incoming");
    look(0);
    assert_gate_shut(&seen("web3--incoming")->ref, ERR_NOT_FOUND);
}
END_TEST

START_TEST(amounts_beyond_all_bounds_are_refused)
{
    const struct hv_ref *ref;

    story_vm("web1", "memory=1g");
    look(0);
    ref = &seen("web1")->ref;
    ck_assert_int_eq(hv_set_target(hv, ref, kib(-4), kib_gib(1), &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_int_eq(hv_set_target(hv, ref, kib_gib(1), kib(INT64_MAX), &err), -1);
    ck_assert_int_eq(hv_set_cap(hv, ref, kib(KIB_LIMIT + 1), &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

/* As its how says: nothing of it, the cap alone, or all but the answer. */
START_TEST(an_operation_fails_at_the_call_that_it_was_told_to)
{
    struct hv_ref ref;

    story_vm("web1", "memory=1g maxmem=2g");
    look(0);
    ref = seen("web1")->ref;
    story_xl("fault set-target after=1 times=2");
    ck_assert_int_eq(hv_set_target(hv, &ref, kib_mib(900), kib_mib(1100), &err), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(hv_set_target(hv, &ref, kib_mib(800), kib_mib(801), &err), -1);
        ck_assert_ptr_nonnull(strstr(err.text, "set-target"));
    }
    look(0);
    assert_kib(seen("web1")->target, kib_mib(900));
    assert_kib(seen("web1")->cap, kib_mib(1100));
    story_xl("fault set-target how=half");
    ck_assert_int_eq(hv_set_target(hv, &ref, kib_mib(800), kib_mib(801), &err), -1);
    look(0);
    assert_kib(seen("web1")->target, kib_mib(900));
    assert_kib(seen("web1")->cap, kib_mib(801));
    story_xl("fault set-target how=done");
    ck_assert_int_eq(hv_set_target(hv, &ref, kib_mib(700), kib_mib(701), &err), -1);
    look(0);
    assert_kib(seen("web1")->target, kib_mib(700));
    assert_kib(seen("web1")->cap, kib_mib(701));
    ck_assert_int_eq(hv_set_target(hv, &ref, kib_mib(900), kib_mib(901), &err), 0);
}
END_TEST

START_TEST(each_operation_can_be_made_to_fail)
{
    struct hv_ref ref;

    story_vm("web1", "memory=1g");
    look(0);
    ref = seen("web1")->ref;
    story_xl("fault read");
    ck_assert_int_eq(hv_read(hv, world->now_ms, &view, &err), -1);
    look(0);
    story_xl("fault set-cap");
    ck_assert_int_eq(hv_set_cap(hv, &ref, kib_mib(900), &err), -1);
    ck_assert_int_eq(hv_set_cap(hv, &ref, kib_mib(900), &err), 0);
    story_xl("fault adopt-target");
    ck_assert_int_eq(hv_adopt_target(hv, &ref, &err), -1);
    look(0);
    ck_assert(!seen("web1")->has_own_target);
    ck_assert_int_eq(hv_adopt_target(hv, &ref, &err), 0);
    ck_assert_ptr_nonnull(
        strstr(story_xl_fails("fault write", SIM_XL_USAGE), "read, set-target, set-cap"));
    ck_assert_ptr_nonnull(strstr(story_xl_fails("fault read times=x", SIM_XL_USAGE), "x"));
    ck_assert_ptr_nonnull(
        strstr(story_xl_fails("fault read how=badly", SIM_XL_USAGE), "nothing, half, done"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_write");
    TCase *tcase = tcase_create("stories");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_view_shows_host_and_domains);
    tcase_add_test(tcase, an_offset_is_measured_once_it_rests);
    tcase_add_test(tcase, a_daemon_that_starts_anew_knows_its_own_target);
    tcase_add_test(tcase, changes_are_told_once);
    tcase_add_test(tcase, a_guest_that_has_run_for_long_has_spoken);
    tcase_add_test(tcase, each_agents_words_are_understood);
    tcase_add_test(tcase, the_agent_tells_what_changed_and_that_it_lives);
    tcase_add_test(tcase, a_guest_in_need_cannot_use_more_than_it_has_and_shows_pressure);
    tcase_add_test(tcase, a_booting_and_a_paused_guest_say_nothing);
    tcase_add_test(tcase, lies_are_not_understood_and_change_nothing);
    tcase_add_test(tcase, a_greedy_guest_asks_in_good_order);
    tcase_add_test(tcase, a_target_is_written_with_our_own_copy);
    tcase_add_test(tcase, a_cap_alone_leaves_the_target);
    tcase_add_test(tcase, an_adopted_override_is_ours);
    tcase_add_test(tcase, a_target_set_by_hand_meanwhile_is_not_overwritten_unseen);
    tcase_add_test(tcase, libxls_lock_is_not_waited_for);
    tcase_add_test(tcase, a_populate_on_demand_target_above_the_cap_is_refused_and_changes_nothing);
    tcase_add_test(tcase, the_gate_is_shut_for_another_domain_of_the_same_number);
    tcase_add_test(tcase, the_gate_is_shut_for_whatever_does_not_run);
    tcase_add_test(tcase, the_gate_is_shut_while_a_domain_is_built_and_for_dom0);
    tcase_add_test(tcase, the_gate_is_shut_for_who_migrates);
    tcase_add_test(tcase, amounts_beyond_all_bounds_are_refused);
    tcase_add_test(tcase, an_operation_fails_at_the_call_that_it_was_told_to);
    tcase_add_test(tcase, each_operation_can_be_made_to_fail);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
