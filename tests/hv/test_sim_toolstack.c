/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stories of a simulated xl: how domains come, go and come again. */
#include <stdlib.h>
#include <string.h>

#include "core/model.h"
#include "hv/sim/sim.h"
#include "hv/sim/step.h"
#include "tests/hv/story.h"

static void begin(void)
{
    story_begin("16g");
}

/* What a daemon that has just started sees of a domain. */
static enum vm_state state_of(const char *name)
{
    const struct sim_domain *domain = story_domain(name);
    struct hv_view view;
    struct hv *hv;
    enum vm_state state = VM_OFF;

    hv_sim_local_open(world, &hv);
    ck_assert_int_eq(hv_read(hv, world->now_ms, &view, NULL), 0);
    for (size_t i = 0; i < view.n_domains; i++)
        if (domain ? view.domains[i].ref.domid == domain->ref.domid
                   : strcmp(view.domains[i].name, name) == 0)
            state = view.domains[i].state;
    hv_close(hv);
    return state;
}

/* --- building --- */

START_TEST(a_build_goes_through_xls_steps)
{
    struct sim_domain *web1;
    struct kib before = world->free;

    story_xl("create web1 memory=4g maxmem=6g demand=500m");
    web1 = story_domain("web1");
    /* The cap first, then the claim; nothing is there yet, and all is spoken for. */
    assert_kib(web1->cap, kib_add(kib_gib(4), CAP_SLACK));
    assert_kib(web1->claim, kib_gib(4));
    assert_kib(web1->tot, kib(0));
    assert_kib(world->free, before);
    assert_kib(world_unclaimed(world), kib_sub(before, kib_gib(4)));
    story_pass(1000);
    ck_assert_int_gt(web1->tot.v, 0);
    assert_kib(kib_add(web1->tot, web1->claim), kib_gib(4));
    ck_assert(!web1->introduced);
    assert_kib(web1->target, kib(0));
    ck_assert_int_eq(state_of("web1"), VM_BUILDING);
    story_pass(1000);
    ck_assert(web1->introduced && web1->paused && !web1->ran);
    assert_kib(web1->target, kib_gib(4));
    assert_kib(web1->static_max, kib_gib(6));
    assert_kib(web1->claim, kib(0));
    ck_assert_int_eq(state_of("web1"), VM_BUILDING);
    story_pass(300);
    ck_assert_int_eq(state_of("web1"), VM_RUNNING);
}
END_TEST

START_TEST(created_paused_it_waits_to_be_unpaused)
{
    story_xl("create web1 -p memory=1g");
    story_pass(60000);
    ck_assert_int_eq(state_of("web1"), VM_BUILDING);
    story_xl("unpause web1");
    story_pass(100);
    ck_assert_int_eq(state_of("web1"), VM_RUNNING);
}
END_TEST

START_TEST(without_the_memory_a_build_fails_at_once)
{
    uint32_t next = world->next_domid;
    struct kib free = world->free;
    const char *said = story_xl_fails("create web1 memory=15g", SIM_XL_NOT_BUILT);

    ck_assert_ptr_nonnull(strstr(said, "xc_dom_boot_mem_init: can't allocate low memory for "
                                       "domain: Out of memory"));
    ck_assert_ptr_null(story_domain("web1"));
    assert_kib(world->free, free);
    ck_assert_uint_eq(world->next_domid, next + 1); /* it had a number for a moment */
}
END_TEST

START_TEST(what_is_claimed_by_a_build_nobody_else_gets)
{
    struct sim_domain *db1 = story_vm("db1", "memory=2g maxmem=16g demand=200m balloon-rate=16g");

    story_xl("mem-set db1 14g");
    story_xl("create web1 memory=4g");
    story_xl_fails("create web2 memory=10g", SIM_XL_NOT_BUILT);
    story_pass(5000);
    assert_kib(story_domain("web1")->tot, kib_gib(4));
    assert_kib(world->free, kib(0));
    assert_kib(db1->tot, kib_mib(16 * 1024 - 1024 - 128 - 4096));
}
END_TEST

START_TEST(page_tables_come_out_of_free_and_go_back)
{
    struct kib before = world->free;

    story_xl("create pvh type=pvh vcpus=2 memory=1g demand=100m offset=0k");
    story_pass(5000);
    /* 1 MiB a vCPU and 4 KiB a MiB */
    assert_kib(world->free, kib_sub(before, kib_mib(1024 + 2 + 4)));
    story_xl("destroy pvh");
    story_pass(5000);
    assert_kib(world->free, before);
}
END_TEST

START_TEST(a_name_is_taken_only_once)
{
    story_vm("web1", "memory=1g");
    ck_assert_ptr_nonnull(
        strstr(story_xl_fails("create web1", SIM_XL_NOT_BUILT), "already exists"));
    story_vm("web2", "memory=1g");
    story_xl_fails("rename web2 web1", SIM_XL_FAILED);
}
END_TEST

/* --- ends --- */

START_TEST(a_destroyed_domains_pages_come_back_gradually)
{
    struct sim_domain *web1 = story_vm("web1", "memory=8g");
    struct kib before = world->free;

    story_xl("destroy web1");
    ck_assert_ptr_null(story_domain("web1"));
    ck_assert_int_eq(state_of("web1"), VM_DYING);
    story_pass(500);
    ck_assert(web1->dying);
    ck_assert_int_gt(world->free.v, before.v);
    ck_assert_int_gt(web1->tot.v, 0);
    story_pass(1000);
    assert_kib(world->free, kib_add(before, kib_gib(8)));
    ck_assert_uint_eq(world->n_domains, 1);
}
END_TEST

START_TEST(a_build_that_is_destroyed_gives_its_claim_back)
{
    struct kib before = world->free;

    story_xl("create web1 memory=8g");
    story_pass(1000);
    story_xl("destroy web1");
    assert_kib(world->claimed, kib(0));
    story_pass(2000);
    assert_kib(world->free, before);
}
END_TEST

START_TEST(a_zombie_keeps_what_it_keeps)
{
    struct kib before = world->free;

    story_vm("web1", "memory=2g zombie=100m");
    story_xl("destroy web1");
    story_pass(60000);
    assert_kib(world->free, kib_sub(before, kib_mib(100)));
    ck_assert_int_eq(state_of("web1"), VM_DYING);
}
END_TEST

START_TEST(a_guest_that_powers_off_is_seen_down_and_then_gone)
{
    story_vm("web1", "memory=1g");
    story_xl("shutdown web1");
    ck_assert_int_eq(state_of("web1"), VM_SHUTDOWN);
    story_pass(1000);
    ck_assert_ptr_null(story_domain("web1"));
}
END_TEST

START_TEST(a_crashed_guest_is_kept_if_it_is_told_so)
{
    story_vm("web1", "memory=1g on-crash=preserve");
    story_vm("web2", "memory=1g on-crash=restart");
    story_vm("web3", "memory=1g");
    story_xl("crash web1");
    story_xl("crash web2");
    story_xl("crash web3");
    story_pass(10000);
    ck_assert_int_eq(state_of("web1"), VM_SHUTDOWN);
    ck_assert_int_eq(state_of("web2"), VM_RUNNING);
    ck_assert_ptr_null(story_domain("web3"));
}
END_TEST

/* --- reboots --- */

START_TEST(a_reboot_boots_small_what_was_ballooned_down)
{
    struct sim_domain *web1 = story_vm("web1", "memory=4g maxmem=6g demand=500m");
    struct hv_ref before = web1->ref;

    story_xl("mem-set web1 1g");
    story_pass(20000);
    story_xl("reboot web1");
    story_pass(1500);
    ck_assert_ptr_null(story_domain("web1")); /* xl sleeps two seconds */
    story_pass(5000);
    web1 = story_domain("web1");
    ck_assert_ptr_nonnull(web1);
    ck_assert_uint_ne(web1->ref.domid, before.domid);
    ck_assert_mem_eq(web1->ref.uuid, before.uuid, 16);
    assert_kib(web1->tot, kib_gib(1));
    assert_kib(web1->target, kib_gib(1));
    assert_kib(web1->static_max, kib_gib(6));
    assert_kib(web1->cap, kib_add(kib_gib(1), CAP_SLACK));
}
END_TEST

/* xl's destruction of a domain ends when Xen has taken it apart; only then does xl sleep, and
 * build.
 */
START_TEST(a_reboot_waits_for_a_slow_teardown)
{
    uint32_t former;

    world->host.teardown_rate = kib_gib(1);
    former = story_vm("web1", "memory=8g demand=500m")->ref.domid;
    story_xl("reboot web1");
    story_pass(8000);
    ck_assert_uint_eq(world->domains[world->n_domains - 1]->ref.domid, former); /* still going */
    story_pass(1500);
    ck_assert_uint_eq(world->n_domains, 1);
    story_pass(10000);
    ck_assert_ptr_nonnull(story_domain("web1"));
}
END_TEST

START_TEST(a_reboot_does_not_wait_for_what_a_zombie_keeps)
{
    uint32_t former = story_vm("web1", "memory=1g zombie=4m")->ref.domid;

    story_xl("reboot web1");
    story_pass(5000);
    ck_assert_uint_ne(world->domains[world->n_domains - 1]->ref.domid, former);
}
END_TEST

START_TEST(whoever_takes_a_rebooting_guests_memory_loses_it)
{
    story_vm("web1", "memory=8g demand=500m");
    story_xl("reboot web1");
    story_pass(1500);
    story_xl("create web2 memory=8g");
    story_pass(60000);
    ck_assert_ptr_null(story_domain("web1"));
    ck_assert(story_noted("web1 is lost"));
}
END_TEST

START_TEST(a_new_create_has_a_new_uuid)
{
    struct hv_ref before = story_vm("web1", "memory=1g")->ref;

    story_xl("destroy web1");
    story_pass(2000);
    story_xl("create web1");
    story_pass(2000);
    ck_assert_mem_ne(story_domain("web1")->ref.uuid, before.uuid, 16);
}
END_TEST

/* --- saving, migrating --- */

START_TEST(a_saved_guest_is_seen_saving_stands_still_and_goes)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g");

    story_xl("save web1");
    ck_assert_int_eq(state_of("web1"), VM_SAVING);
    story_pass(1000);
    ck_assert_int_eq(web1->shutdown_reason, 2);
    ck_assert_int_eq(state_of("web1"), VM_SHUTDOWN);
    story_pass(5000);
    ck_assert_ptr_null(story_domain("web1"));
}
END_TEST

START_TEST(a_checkpointed_guest_goes_on)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g");

    story_xl("save web1 -c");
    story_pass(1000);
    ck_assert_int_eq(web1->phase, PHASE_DOWN);
    story_pass(5000);
    ck_assert_int_eq(state_of("web1"), VM_RUNNING);
}
END_TEST

START_TEST(a_guest_that_is_sent_away_runs_until_the_end)
{
    struct sim_domain *web1 = story_vm("web1", "memory=2g");

    story_xl("migrate web1");
    story_pass(3000);
    ck_assert_int_eq(web1->phase, PHASE_RUNNING);
    ck_assert_int_eq(state_of("web1"), VM_SAVING);
    story_pass(1400);
    ck_assert_str_eq(web1->name, "web1--migratedaway");
    story_pass(5000);
    ck_assert_uint_eq(world->n_domains, 1);
}
END_TEST

START_TEST(a_guest_that_arrives_gets_its_name_when_it_runs)
{
    story_xl("receive web1 memory=1g");
    ck_assert_ptr_nonnull(story_domain("web1--incoming"));
    ck_assert_ptr_null(story_domain("web1"));
    story_pass(2000);
    ck_assert_ptr_null(story_domain("web1--incoming"));
    ck_assert_int_eq(state_of("web1"), VM_RUNNING);
}
END_TEST

START_TEST(one_that_was_renamed_on_its_way_keeps_that_name)
{
    story_xl("receive web1 memory=1g");
    story_xl("rename web1--incoming web2");
    story_pass(2000);
    ck_assert_int_eq(state_of("web2"), VM_RUNNING);
    ck_assert_ptr_null(story_domain("web1"));
}
END_TEST

START_TEST(only_what_runs_can_crash)
{
    story_xl("create web1 -p memory=1g");
    story_xl_fails("crash web1", SIM_XL_FAILED);
    ck_assert_uint_eq(world->crashes, 0);
}
END_TEST

/* --- mem-set, mem-max --- */

START_TEST(mem_set_lifts_the_cap_without_asking)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g maxmem=64g demand=200m");

    web1->cap = kib_gib(1);
    web1->own = web1->target;
    web1->has_own = true;
    story_xl("mem-set web1 2g");
    assert_kib(web1->cap, kib_add(kib_gib(2), CAP_SLACK));
    assert_kib(web1->target, kib_gib(2));
    assert_kib(web1->own, kib_gib(1)); /* that is how a daemon sees whose it is */
    story_xl("mem-set web1 60g");      /* four times what the host has */
    assert_kib(web1->cap, kib_add(kib_gib(60), CAP_SLACK));
}
END_TEST

START_TEST(mem_set_above_the_maximum_is_refused)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g maxmem=2g");

    story_xl_fails("mem-set web1 3g", SIM_XL_FAILED);
    assert_kib(web1->target, kib_gib(1));
    assert_kib(web1->cap, kib_add(kib_gib(1), CAP_SLACK));
}
END_TEST

START_TEST(mem_max_lifts_cap_and_maximum)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g maxmem=2g");

    story_xl("mem-max web1 4096");
    assert_kib(web1->static_max, kib_gib(4));
    assert_kib(web1->cap, kib_add(kib_gib(4), CAP_SLACK));
    story_xl_fails("mem-max web1 512m", SIM_XL_FAILED); /* below its target */
}
END_TEST

/* --- commands --- */

START_TEST(commands_that_make_no_sense_are_refused)
{
    story_vm("web1", "memory=1g");
    story_xl_fails("fly web1", SIM_XL_USAGE);
    story_xl_fails("pause", SIM_XL_USAGE);
    story_xl_fails("pause web1 web2", SIM_XL_USAGE);
    story_xl_fails("pause web9", SIM_XL_FAILED);
    story_xl_fails("destroy Domain-0", SIM_XL_FAILED);
    story_xl_fails("mem-set web1 lots", SIM_XL_USAGE);
    story_xl_fails("create web2", SIM_XL_USAGE);
    story_xl_fails("create web2 memory=1g maxmem=512m", SIM_XL_USAGE);
    story_xl_fails("create web2 memory=1g colour=red", SIM_XL_USAGE);
    story_xl_fails("create we/b2 memory=1g", SIM_XL_USAGE);
    story_xl_fails("create web2 memory=0k", SIM_XL_USAGE);
    story_xl_fails("create web2 memory=99999999999999999999", SIM_XL_USAGE);
    story_xl_fails("inside web1 memory=2g", SIM_XL_USAGE);
    story_xl_fails("demand web1 step 10s:1g 5s:2g", SIM_XL_USAGE);
    ck_assert_uint_eq(world->n_domains, 2);
}
END_TEST

START_TEST(what_is_hidden_inside_changes_while_it_runs)
{
    struct sim_domain *web1 = story_vm("web1", "memory=2g demand=200m");

    story_xl("inside web1 stuck=always");
    story_xl("mem-set web1 1g");
    story_pass(10000);
    assert_kib(web1->tot, kib_gib(2));
    story_xl("inside web1 stuck=never");
    story_pass(10000);
    assert_kib(web1->tot, kib_gib(1));
}
END_TEST

START_TEST(what_is_planned_happens_in_its_order)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g");

    world_plan(world, 20000, 0, "unpause web1");
    world_plan(world, 10000, 0, "pause web1");
    world_plan(world, 10000, 0, "mem-set web1 512m");
    world_plan(world, 15000, 0, "fly web1");
    story_pass(10000);
    ck_assert(web1->paused);
    assert_kib(web1->target, kib_mib(512));
    story_pass(10000);
    ck_assert(!web1->paused);
    ck_assert(story_noted("no command 'fly'"));
}
END_TEST

START_TEST(what_is_planned_again_and_again_happens_so)
{
    story_vm("web1", "memory=1g");
    world_plan(world, 10000, 10000, "reboot web1");
    for (uint32_t boots = 1; boots <= 5; boots++) {
        story_pass(9000);
        ck_assert_uint_eq(story_domain("web1")->ref.domid, boots);
        story_pass(1000);
    }
    ck_assert_uint_eq(world->n_events, 1);
}
END_TEST

START_TEST(the_same_seed_makes_the_same_world)
{
    struct kib first;
    uint8_t uuid[16];

    story_vm("web1", "memory=1g demand=500m noise=100m");
    story_pass(12345);
    first = story_domain("web1")->inside.need;
    memcpy(uuid, story_domain("web1")->ref.uuid, 16);
    story_end();
    begin();
    story_vm("web1", "memory=1g demand=500m noise=100m");
    for (int i = 0; i < 12345; i++)
        story_pass(1);
    ck_assert_mem_eq(story_domain("web1")->ref.uuid, uuid, 16);
    /* However time was cut, only whole steps count. */
    world_advance(world, 12345);
    assert_kib(story_domain("web1")->inside.need, first);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_toolstack");
    TCase *tcase = tcase_create("stories");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, begin, story_end);
    tcase_add_test(tcase, a_build_goes_through_xls_steps);
    tcase_add_test(tcase, created_paused_it_waits_to_be_unpaused);
    tcase_add_test(tcase, without_the_memory_a_build_fails_at_once);
    tcase_add_test(tcase, what_is_claimed_by_a_build_nobody_else_gets);
    tcase_add_test(tcase, page_tables_come_out_of_free_and_go_back);
    tcase_add_test(tcase, a_name_is_taken_only_once);
    tcase_add_test(tcase, a_destroyed_domains_pages_come_back_gradually);
    tcase_add_test(tcase, a_build_that_is_destroyed_gives_its_claim_back);
    tcase_add_test(tcase, a_zombie_keeps_what_it_keeps);
    tcase_add_test(tcase, a_guest_that_powers_off_is_seen_down_and_then_gone);
    tcase_add_test(tcase, a_crashed_guest_is_kept_if_it_is_told_so);
    tcase_add_test(tcase, a_reboot_boots_small_what_was_ballooned_down);
    tcase_add_test(tcase, a_reboot_waits_for_a_slow_teardown);
    tcase_add_test(tcase, a_reboot_does_not_wait_for_what_a_zombie_keeps);
    tcase_add_test(tcase, whoever_takes_a_rebooting_guests_memory_loses_it);
    tcase_add_test(tcase, a_new_create_has_a_new_uuid);
    tcase_add_test(tcase, a_saved_guest_is_seen_saving_stands_still_and_goes);
    tcase_add_test(tcase, a_checkpointed_guest_goes_on);
    tcase_add_test(tcase, a_guest_that_is_sent_away_runs_until_the_end);
    tcase_add_test(tcase, a_guest_that_arrives_gets_its_name_when_it_runs);
    tcase_add_test(tcase, one_that_was_renamed_on_its_way_keeps_that_name);
    tcase_add_test(tcase, only_what_runs_can_crash);
    tcase_add_test(tcase, mem_set_lifts_the_cap_without_asking);
    tcase_add_test(tcase, mem_set_above_the_maximum_is_refused);
    tcase_add_test(tcase, mem_max_lifts_cap_and_maximum);
    tcase_add_test(tcase, commands_that_make_no_sense_are_refused);
    tcase_add_test(tcase, what_is_hidden_inside_changes_while_it_runs);
    tcase_add_test(tcase, what_is_planned_happens_in_its_order);
    tcase_add_test(tcase, what_is_planned_again_and_again_happens_so);
    tcase_add_test(tcase, the_same_seed_makes_the_same_world);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
