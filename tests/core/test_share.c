/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is entitled to how much: plenty, scarcity, priorities, and what becomes of the rest. */
#include "tests/core/paper.h"
#include "tests/core/suite.h"

static struct paper paper;

static int64_t share(size_t vm)
{
    return paper.verdicts[vm].share.v / 1024;
}

START_TEST(with_plenty_everyone_gets_demand_and_buffer)
{
    size_t a, b;

    paper_init(&paper, 10000);
    a = paper_add(&paper, 256, 1000, 4096, 2000);
    b = paper_add(&paper, 256, 1000, 4096, 3900);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, a), 2400);
    ck_assert_int_eq(paper_target(&paper, b), 4096); /* its maximum */
    ck_assert_int_eq(paper.verdicts[a].reason, REASON_KEEP);
}
END_TEST

START_TEST(surplus_kept_stays_where_it_is)
{
    size_t a;

    paper_init(&paper, 1000);
    a = paper_add(&paper, 256, 4000, 4096, 500);
    paper_decide(&paper);
    ck_assert_uint_eq(paper.decision.n_actions, 0);
    ck_assert_int_eq(paper_goal(&paper, a), 4000);
    ck_assert_int_eq(paper.verdicts[a].reason, REASON_KEEP);
}
END_TEST

START_TEST(surplus_held_goes_back_to_the_host)
{
    size_t a;

    paper_init(&paper, 1000);
    paper.snapshot.settings.surplus = SURPLUS_HOLD;
    a = paper_add(&paper, 256, 4000, 4096, 500);
    paper_decide(&paper);
    ck_assert_int_eq(paper_goal(&paper, a), 600);
    ck_assert_int_eq(paper.verdicts[a].reason, REASON_HOLD);
}
END_TEST

START_TEST(surplus_shared_is_spread_by_room_and_leaves_the_headroom)
{
    size_t a, b;

    paper_init(&paper, 3000);
    paper.snapshot.settings.surplus = SURPLUS_SHARE;
    paper.snapshot.settings.headroom = kib_mib(1000);
    a = paper_add(&paper, 256, 600, 1600, 500); /* room for 1000 */
    b = paper_add(&paper, 256, 600, 3600, 500); /* room for 3000 */
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, a), 1100);
    ck_assert_int_eq(paper_target(&paper, b), 2100);
}
END_TEST

START_TEST(what_others_need_is_taken_from_whoever_has_most_to_spare)
{
    size_t rich, poor, needy;

    paper_init(&paper, 0);
    rich = paper_add(&paper, 256, 4000, 4096, 500);
    poor = paper_add(&paper, 256, 800, 4096, 500);
    needy = paper_add(&paper, 256, 1000, 4096, 1500);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, needy), 1800);
    ck_assert_int_eq(paper_target(&paper, rich), 3200);
    ck_assert_int_eq(paper_target(&paper, poor), 800);
}
END_TEST

/* A spike that is over is remembered as demand for a while; not at the cost of an equal that needs
 * the memory now. */
START_TEST(what_is_needed_now_comes_before_what_was_needed_a_while_ago)
{
    size_t was, is;

    paper_init(&paper, 0);
    was = paper_add(&paper, 256, 3000, 4096, 3000);
    is = paper_add(&paper, 256, 1000, 4096, 1000);
    paper_decide(&paper);
    paper.vms[was].report.need = kib_mib(800);
    paper.vms[is].report.need = kib_mib(2500);
    paper_decide(&paper);
    ck_assert_int_ge(paper.verdicts[was].demand.v, kib_mib(2900).v);
    ck_assert_int_eq(share(is), 2500);
    ck_assert_int_eq(share(was), 1500);
    paper.vms[was].settings.priority = 51; /* the more important keeps its demand all the same */
    paper_decide(&paper);
    ck_assert_int_ge(share(was), 2900);
}
END_TEST

START_TEST(the_more_important_may_keep_more_to_spare)
{
    size_t high, low, needy;

    paper_init(&paper, 0);
    high = paper_add(&paper, 256, 2000, 4096, 500);
    low = paper_add(&paper, 256, 2000, 4096, 500);
    needy = paper_add(&paper, 256, 200, 4096, 1250);
    paper.vms[high].settings.priority = 99;
    paper.vms[low].settings.priority = 9;
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, needy), 1500);
    /* 1500 to spare is left to both: 10 to 1, up to what each has. */
    ck_assert_int_eq(paper_target(&paper, high) + paper_target(&paper, low), 2700);
    ck_assert_int_eq(paper_target(&paper, high), 1964);
    ck_assert_int_eq(paper_target(&paper, low), 736);
}
END_TEST

START_TEST(under_scarcity_minimums_come_first_then_demand_then_buffers)
{
    size_t a, b;

    paper_init(&paper, 0);
    a = paper_add(&paper, 1000, 1000, 8000, 4000);
    b = paper_add(&paper, 1000, 4000, 8000, 2000);
    paper.vms[a].settings.priority = 60;
    paper_decide(&paper); /* 5000 in all; both demands are 6000 */
    ck_assert_int_eq(share(a), 4000);
    ck_assert_int_eq(share(b), 1000);
    ck_assert_int_eq(paper.verdicts[b].reason, REASON_SCARCE);
    paper.snapshot.host.free = kib_mib(1402);
    paper_decide(&paper); /* both demands, and half of a's buffer of 800 */
    ck_assert_int_eq(share(a), 4400);
    ck_assert_int_eq(share(b), 2000);
}
END_TEST

START_TEST(the_worked_example_of_docs_policy_md)
{
    /* In GiB: all there is, then what db, web1, web2 and batch get of it, times ten. */
    static const int expected[][5] = {
        {10, 50, 20, 20, 10}, {16, 50, 40, 40, 30}, {20, 60, 40, 40, 60}, {21, 60, 45, 45, 60}};

    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        size_t db, web1, batch;

        paper_init(&paper, (expected[i][0] - 4) * 1024);
        db = paper_add(&paper, 2048, 1024, 12288, 5120);
        web1 = paper_add(&paper, 1024, 1024, 6144, 4096);
        paper_add(&paper, 1024, 1024, 6144, 4096);
        batch = paper_add(&paper, 1024, 1024, 8192, 6144);
        paper.vms[db].settings.priority = 80;
        paper.vms[batch].settings.priority = 10;
        paper.vms[web1].settings.buffer_percent = 25;
        paper.vms[web1 + 1].settings.buffer_percent = 25;
        paper_settle(&paper);
        for (size_t vm = db; vm <= batch; vm++)
            ck_assert_int_eq(paper_target(&paper, vm) * 10 / 1024, expected[i][1 + vm]);
    }
}
END_TEST

START_TEST(equals_get_the_same_fraction_whatever_they_have_now)
{
    size_t a, b;

    paper_init(&paper, 0);
    a = paper_add(&paper, 500, 4001, 8000, 4000);
    b = paper_add(&paper, 500, 1000, 8000, 4000);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, a), 2500);
    ck_assert_int_eq(paper_target(&paper, b), 2500);
}
END_TEST

START_TEST(small_changes_wait_until_the_vm_was_left_alone)
{
    size_t a;

    paper_init(&paper, 4000);
    a = paper_add(&paper, 256, 1000, 4096, 1000);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, a), 1200);
    paper.vms[a].report.need = kib_mib(1010);
    paper_decide(&paper);
    ck_assert_ptr_null(paper_action(&paper, a));
    paper.snapshot.now_ms += 61000;
    paper_decide(&paper);
    ck_assert_int_eq(paper_goal(&paper, a), 1212);
    paper.snapshot.now_ms -= 61000;
    paper.vms[a].report.need = kib_mib(1200);
    paper_decide(&paper);
    ck_assert_int_eq(paper_goal(&paper, a), 1440);
}
END_TEST

START_TEST(not_even_the_minimums_fit_so_the_most_important_come_first)
{
    size_t a, b, c;

    paper_init(&paper, 1000);
    a = paper_add(&paper, 2000, 1000, 4000, 1000);
    b = paper_add(&paper, 2000, 1000, 4000, 1000);
    c = paper_add(&paper, 2000, 2600, 4000, 3000);
    paper.vms[a].settings.priority = 60;
    paper_decide(&paper); /* 5600 in all; minimums are 6000 */
    ck_assert_int_eq(share(a), 2000);
    ck_assert_int_eq(share(b), 1800);
    ck_assert_int_eq(paper_goal(&paper, c), 2000);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, a), 2000);
    ck_assert_int_eq(paper_target(&paper, c), 2000);
    ck_assert_int_eq(paper_target(&paper, b), 1600); /* what there is */
}
END_TEST

START_TEST(targets_are_multiples_of_a_large_page_within_odd_bounds)
{
    size_t a, b;

    paper_init(&paper, 8000);
    a = paper_add(&paper, 301, 300, 4001, 100);
    b = paper_add(&paper, 301, 300, 4001, 4001);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, a), 302);
    ck_assert_int_eq(paper_target(&paper, b), 4000);
}
END_TEST

START_TEST(headroom_comes_out_of_what_is_to_spare)
{
    size_t a;

    paper_init(&paper, 100);
    a = paper_add(&paper, 256, 4000, 4096, 1000);
    paper.snapshot.settings.headroom = kib_mib(1100);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, a), 3000);
    paper.snapshot.settings.headroom = kib_mib(100000);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, a), 1200);
}
END_TEST

int main(void)
{
    return suite_run("share", (const TTest *const[]){
                                  with_plenty_everyone_gets_demand_and_buffer,
                                  surplus_kept_stays_where_it_is,
                                  surplus_held_goes_back_to_the_host,
                                  surplus_shared_is_spread_by_room_and_leaves_the_headroom,
                                  what_others_need_is_taken_from_whoever_has_most_to_spare,
                                  what_is_needed_now_comes_before_what_was_needed_a_while_ago,
                                  the_more_important_may_keep_more_to_spare,
                                  under_scarcity_minimums_come_first_then_demand_then_buffers,
                                  the_worked_example_of_docs_policy_md,
                                  equals_get_the_same_fraction_whatever_they_have_now,
                                  small_changes_wait_until_the_vm_was_left_alone,
                                  not_even_the_minimums_fit_so_the_most_important_come_first,
                                  targets_are_multiples_of_a_large_page_within_odd_bounds,
                                  headroom_comes_out_of_what_is_to_spare,
                                  NULL,
                              });
}
