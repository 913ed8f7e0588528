/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stories of what goes on inside simulated guests: balloons, needs, deaths. */
#include <stdlib.h>

#include "tests/hv/story.h"

static void begin(void)
{
    story_begin("16g");
}

/* --- balloons --- */

START_TEST(a_balloon_moves_to_its_target_at_its_rate)
{
    struct sim_domain *web1 = story_vm("web1", "memory=2g demand=200m balloon-rate=100m");

    story_xl("mem-set web1 1g");
    story_pass(5000);
    assert_kib(web1->tot, kib_mib(2048 - 500));
    story_pass(6000);
    assert_kib(web1->tot, kib_gib(1));
    story_pass(60000);
    assert_kib(web1->tot, kib_gib(1));
}
END_TEST

START_TEST(what_one_gives_back_is_there_for_another)
{
    struct sim_domain *web1 = story_vm("web1", "memory=7g demand=200m");
    struct sim_domain *db1 = story_vm("db1", "memory=7g maxmem=9g demand=200m");
    struct kib free = world->free;

    story_xl("mem-set db1 8g"); /* there is not so much */
    story_pass(4000);
    assert_kib(world->free, kib(0));
    assert_kib(db1->tot, kib_add(kib_gib(7), free));
    story_xl("mem-set web1 6g");
    story_pass(10000);
    assert_kib(web1->tot, kib_gib(6));
    assert_kib(db1->tot, kib_gib(8));
}
END_TEST

START_TEST(a_cap_below_its_pages_refuses_growth_and_takes_nothing)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g maxmem=4g demand=200m");

    story_xl("mem-set web1 2g");
    web1->cap = kib_mib(900);
    story_pass(10000);
    assert_kib(web1->tot, kib_gib(1));
    web1->cap = kib_mib(1536);
    story_pass(10000); /* its driver tries again after seconds */
    assert_kib(web1->tot, kib_mib(1536));
}
END_TEST

START_TEST(root_that_deflates_its_balloon_is_stopped_by_the_cap)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g maxmem=4g demand=200m deflate=yes");

    web1->cap = kib_mib(1200);
    story_pass(10000);
    assert_kib(web1->tot, kib_mib(1200));
    web1->cap = kib_gib(2);
    story_pass(10000);
    assert_kib(web1->tot, kib_gib(2));
}
END_TEST

START_TEST(a_stuck_guest_stays_where_it_is)
{
    struct sim_domain *web1 = story_vm("web1", "memory=2g demand=200m stuck=always");
    struct sim_domain *db1 =
        story_vm("db1", "memory=2g demand=200m stuck=from_5s balloon-rate=10m");

    story_xl("mem-set web1 1g");
    story_xl("mem-set db1 1g");
    story_pass(60000);
    assert_kib(web1->tot, kib_gib(2));
    ck_assert_int_lt(db1->tot.v, kib_mib(2048 - 40).v);
    ck_assert_int_ge(db1->tot.v, kib_mib(2048 - 50).v);
}
END_TEST

START_TEST(a_guest_stuck_now_and_then_needs_twice_the_time)
{
    struct sim_domain *web1 =
        story_vm("web1", "memory=2g demand=200m stuck=every_1s balloon-rate=100m");

    story_xl("mem-set web1 1g");
    story_pass(10000);
    assert_kib(web1->tot, kib_mib(2048 - 500));
}
END_TEST

START_TEST(hidden_floor_and_ceiling_hold_it)
{
    struct sim_domain *web1 =
        story_vm("web1", "memory=2g maxmem=4g demand=200m floor=1500m ceiling=3g");

    story_xl("mem-set web1 1g");
    story_pass(10000);
    assert_kib(web1->tot, kib_mib(1500));
    ck_assert_int_eq(web1->phase, PHASE_RUNNING);
    story_xl("mem-set web1 4g");
    story_pass(20000);
    assert_kib(web1->tot, kib_gib(3));
}
END_TEST

START_TEST(without_a_driver_nothing_moves)
{
    struct sim_domain *web1 = story_vm("web1", "memory=2g demand=200m balloon=no");

    story_xl("mem-set web1 1g");
    story_pass(60000);
    assert_kib(web1->tot, kib_gib(2));
}
END_TEST

START_TEST(growing_beyond_what_it_booted_with_does_not_work)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g maxmem=2g demand=200m");
    struct sim_domain *tiny = story_vm("tiny", "memory=64m maxmem=2g demand=32m");

    story_xl("mem-max web1 4g");
    story_xl("mem-set web1 3g");
    story_xl("mem-set tiny 2g");
    story_pass(30000);
    assert_kib(web1->tot, kib_gib(2));
    assert_kib(tiny->tot, kib_mib(640)); /* PV Linux: ten times its boot memory */
}
END_TEST

/* As Linux' driver: 1, 2, 4, 8 s, then it sleeps; the same target does not wake it, another does.
 */
START_TEST(a_balloon_that_fails_gives_up_until_its_target_changes)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g maxmem=4g demand=200m");
    struct kib target = kib_gib(2);

    web1->target = target;
    story_pass(30000); /* its cap is in its way all the time */
    assert_kib(web1->tot, kib_add(kib_gib(1), CAP_SLACK));
    web1->cap = kib_gib(4);
    web1->target = target;
    story_pass(60000);
    assert_kib(web1->tot, kib_add(kib_gib(1), CAP_SLACK));
    web1->target = kib_add(target, kib(KIB_PAGE));
    story_pass(10000);
    assert_kib(web1->tot, kib_add(target, kib(KIB_PAGE)));
}
END_TEST

START_TEST(a_balloon_that_fails_for_a_moment_tries_again)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g maxmem=4g demand=200m");

    web1->target = kib_gib(2);
    story_pass(3000);
    web1->cap = kib_gib(4);
    story_pass(10000);
    assert_kib(web1->tot, kib_gib(2));
}
END_TEST

START_TEST(a_paused_guests_balloon_does_not_move)
{
    struct sim_domain *web1 = story_vm("web1", "memory=2g demand=200m");

    story_xl("pause web1");
    story_xl("mem-set web1 1g");
    story_pass(60000);
    assert_kib(web1->tot, kib_gib(2));
    story_xl("unpause web1");
    story_pass(10000);
    assert_kib(web1->tot, kib_gib(1));
}
END_TEST

START_TEST(full_virtual_guests_rest_at_an_offset_from_their_target)
{
    struct sim_domain *pvh =
        story_vm("pvh", "type=pvh memory=1g maxmem=2g demand=200m offset=100k");
    struct sim_domain *hvm = story_vm("hvm", "type=hvm memory=1g maxmem=2g demand=200m");

    assert_kib(pvh->tot, kib_add(kib_gib(1), kib(100)));
    assert_kib(hvm->target, kib_mib(1024 - 8)); /* video memory is xl's to count */
    assert_kib(hvm->tot, kib_add(kib_gib(1), kib(256)));
    story_xl("mem-set pvh 768m");
    story_pass(5000);
    assert_kib(pvh->tot, kib_add(kib_mib(768), kib(100)));
}
END_TEST

/* --- populate on demand --- */

START_TEST(populate_on_demand_ends_when_the_balloon_has_grown)
{
    struct sim_domain *pvh;

    story_xl("create pvh type=pvh memory=1g maxmem=2g demand=500m balloon-rate=256m");
    story_pass(1000);
    pvh = story_domain("pvh");
    assert_kib(pvh->pod, kib_gib(1));
    assert_kib(pvh->tot, kib_add(kib_gib(1), kib(256)));
    story_pass(2500); /* it boots */
    assert_kib(pvh->pod, kib_gib(1));
    story_pass(2500);
    ck_assert_int_gt(pvh->pod.v, 0);
    ck_assert_int_lt(pvh->pod.v, kib_gib(1).v);
    story_pass(3000);
    assert_kib(pvh->pod, kib(0));
    assert_kib(pvh->tot, kib_add(kib_gib(1), kib(256)));
}
END_TEST

START_TEST(without_a_driver_populate_on_demand_kills)
{
    story_xl("create pvh type=pvh memory=1g maxmem=2g demand=1500m balloon=no");
    story_pass(10000);
    ck_assert_ptr_null(story_domain("pvh"));
    ck_assert(story_noted("pvh crashed: it touched more than Xen keeps"));
}
END_TEST

START_TEST(a_target_lowered_during_populate_on_demand_takes_what_is_kept)
{
    struct sim_domain *pvh;

    story_xl("create pvh type=pvh memory=2g maxmem=4g balloon-rate=64m");
    story_xl("demand pvh step 0:100m 20s:1500m");
    story_pass(6000);
    pvh = story_domain("pvh");
    ck_assert_int_gt(pvh->pod.v, 0);
    story_xl("mem-set pvh 1g");
    assert_kib(pvh->tot, kib_add(kib_gib(1), kib(256)));
    story_pass(20000);
    ck_assert_ptr_null(story_domain("pvh"));
}
END_TEST

/* --- too little --- */

START_TEST(pushed_below_what_it_needs_a_guest_crashes)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g demand=600m on-crash=preserve");

    story_xl("mem-set web1 512m");
    story_pass(3000);
    assert_kib(web1->tot, kib_mib(600)); /* it finds no page more */
    story_pass(10000);
    ck_assert_int_eq(web1->phase, PHASE_DOWN);
    ck_assert_int_eq(web1->shutdown_reason, 3);
    ck_assert_uint_eq(world->crashes, 1);
    ck_assert(story_noted("web1 crashed: its balloon was pushed below what it needs"));
}
END_TEST

START_TEST(saved_in_time_it_lives)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g demand=600m");

    story_xl("mem-set web1 512m");
    story_pass(3000);
    story_xl("mem-set web1 700m");
    story_pass(60000);
    ck_assert_int_eq(web1->phase, PHASE_RUNNING);
    assert_kib(web1->tot, kib_mib(700));
}
END_TEST

START_TEST(swap_bears_what_memory_does_not)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g demand=600m swap=200m");

    story_xl("mem-set web1 512m");
    story_pass(60000);
    ck_assert_int_eq(web1->phase, PHASE_RUNNING);
    assert_kib(web1->tot, kib_mib(512));
    assert_kib(web1->inside.swapped, kib_mib(88));
}
END_TEST

START_TEST(a_guest_that_needs_more_than_it_gets_kills_a_process)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g maxmem=4g demand=500m oom-after=10s");

    story_xl("demand web1 2g");
    story_pass(9000);
    ck_assert_uint_eq(web1->inside.oom_kills, 0);
    story_pass(2000);
    ck_assert_uint_eq(web1->inside.oom_kills, 1);
    ck_assert_int_eq(web1->phase, PHASE_RUNNING);
    ck_assert_int_lt(web1->inside.need.v, kib_gib(1).v);
    story_xl("mem-set web1 3g");
    story_pass(70000); /* what was killed comes back */
    assert_kib(web1->inside.need, kib_gib(2));
    ck_assert_uint_eq(web1->inside.oom_kills, 1);
}
END_TEST

START_TEST(given_memory_in_time_nobody_is_killed)
{
    struct sim_domain *web1 = story_vm("web1", "memory=1g maxmem=4g demand=500m oom-after=10s");

    story_xl("demand web1 2g");
    story_pass(5000);
    story_xl("mem-set web1 2g");
    story_pass(60000);
    ck_assert_uint_eq(web1->inside.oom_kills, 0);
}
END_TEST

/* --- the hypervisor's signal --- */

/* Brings web1 to where so much is left to the host. */
static void leave_free(struct sim_domain *web1, int64_t mib)
{
    web1->cap = kib_gib(15);
    web1->target = kib_sub(kib_add(web1->tot, world->free), kib_mib(mib));
    story_pass(30000);
    assert_kib(world->free, kib_mib(mib));
}

START_TEST(low_memory_is_signalled_at_half_of_it_again_and_anew_after_plenty)
{
    struct sim_domain *web1 = story_vm("web1", "memory=2g maxmem=15g demand=200m balloon-rate=1g");

    leave_free(web1, 65);
    ck_assert_uint_eq(world->low_signals, 0);
    leave_free(web1, 64);
    ck_assert_uint_eq(world->low_signals, 1);
    ck_assert(world->changes & HV_LOW_MEMORY);
    leave_free(web1, 33);
    leave_free(web1, 100);
    leave_free(web1, 33);
    ck_assert_uint_eq(world->low_signals, 1);
    leave_free(web1, 32);
    ck_assert_uint_eq(world->low_signals, 2);
    leave_free(web1, 1000);
    leave_free(web1, 64);
    ck_assert_uint_eq(world->low_signals, 3);
}
END_TEST

/* --- what it tells --- */

/* In how many steps of a span somebody who watches its keys is woken. */
static int wakes_within(int64_t ms)
{
    int count = 0;

    for (int64_t end_ms = world->now_ms + ms; world->now_ms < end_ms;) {
        world->changes = 0;
        story_pass(world->host.step_ms);
        count += (world->changes & HV_REPORTS) != 0;
    }
    return count;
}

START_TEST(a_guest_that_writes_all_the_time_is_listened_to_for_a_moment_a_minute)
{
    struct sim_domain *liar =
        story_vm("liar", "memory=1g demand=200m agent=replays report-every=1ms");

    ck_assert(wakes_within(1000) > 0);
    ck_assert(liar->noisy);
    ck_assert_int_eq(wakes_within(NOISE_DEAF_MS - 2000), 0);
    ck_assert_int_le(wakes_within(600000), 10 * 2);
    ck_assert(liar->noisy);
}
END_TEST

START_TEST(once_a_step_is_not_too_often_to_be_listened_to)
{
    struct sim_domain *busy =
        story_vm("busy", "memory=1g demand=200m agent=replays report-every=100ms");

    ck_assert_int_eq(wakes_within(60000), 600);
    ck_assert(!busy->noisy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_guest");
    TCase *tcase = tcase_create("stories");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, begin, story_end);
    tcase_add_test(tcase, a_balloon_moves_to_its_target_at_its_rate);
    tcase_add_test(tcase, what_one_gives_back_is_there_for_another);
    tcase_add_test(tcase, a_cap_below_its_pages_refuses_growth_and_takes_nothing);
    tcase_add_test(tcase, root_that_deflates_its_balloon_is_stopped_by_the_cap);
    tcase_add_test(tcase, a_stuck_guest_stays_where_it_is);
    tcase_add_test(tcase, a_guest_stuck_now_and_then_needs_twice_the_time);
    tcase_add_test(tcase, hidden_floor_and_ceiling_hold_it);
    tcase_add_test(tcase, without_a_driver_nothing_moves);
    tcase_add_test(tcase, growing_beyond_what_it_booted_with_does_not_work);
    tcase_add_test(tcase, a_balloon_that_fails_gives_up_until_its_target_changes);
    tcase_add_test(tcase, a_balloon_that_fails_for_a_moment_tries_again);
    tcase_add_test(tcase, a_paused_guests_balloon_does_not_move);
    tcase_add_test(tcase, full_virtual_guests_rest_at_an_offset_from_their_target);
    tcase_add_test(tcase, populate_on_demand_ends_when_the_balloon_has_grown);
    tcase_add_test(tcase, without_a_driver_populate_on_demand_kills);
    tcase_add_test(tcase, a_target_lowered_during_populate_on_demand_takes_what_is_kept);
    tcase_add_test(tcase, pushed_below_what_it_needs_a_guest_crashes);
    tcase_add_test(tcase, saved_in_time_it_lives);
    tcase_add_test(tcase, swap_bears_what_memory_does_not);
    tcase_add_test(tcase, a_guest_that_needs_more_than_it_gets_kills_a_process);
    tcase_add_test(tcase, given_memory_in_time_nobody_is_killed);
    tcase_add_test(tcase, low_memory_is_signalled_at_half_of_it_again_and_anew_after_plenty);
    tcase_add_test(tcase, a_guest_that_writes_all_the_time_is_listened_to_for_a_moment_a_minute);
    tcase_add_test(tcase, once_a_step_is_not_too_often_to_be_listened_to);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
