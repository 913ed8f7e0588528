/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of actions, and what each may take. */
#include "tests/core/paper.h"
#include "tests/core/suite.h"

static struct paper paper;

static int64_t uncommitted_mib(void)
{
    return model_uncommitted(&paper.snapshot).v / 1024;
}

START_TEST(what_gives_comes_before_what_takes)
{
    size_t needy, rich;

    paper_init(&paper, 99);
    needy = paper_add(&paper, 256, 1000, 4096, 1500);
    rich = paper_add(&paper, 256, 4000, 4096, 500);
    paper_decide(&paper);
    ck_assert_uint_eq(paper.decision.n_actions, 2);
    ck_assert_uint_eq(paper.actions[0].vm, rich);
    ck_assert(paper.actions[0].releases);
    ck_assert_uint_eq(paper.actions[1].vm, needy);
    ck_assert(!paper.actions[1].releases);
    ck_assert_int_eq(paper.actions[1].target.v, kib_mib(1098).v); /* what is free now */
}
END_TEST

START_TEST(nothing_grows_on_what_was_not_seen_to_be_free)
{
    size_t needy, rich;

    paper_init(&paper, 1);
    needy = paper_add(&paper, 256, 1000, 4096, 1500);
    rich = paper_add(&paper, 256, 4000, 4096, 500);
    paper_decide(&paper);
    ck_assert_ptr_null(paper_action(&paper, needy));
    paper_apply(&paper);
    for (int i = 0; i < 4; i++) {
        paper.snapshot.now_ms += 1000;
        paper_decide(&paper);
        ck_assert_uint_eq(paper.decision.n_actions, 0);
        ck_assert(!paper.decision.settled);
    }
    paper_follow(&paper, NOBODY);
    paper.snapshot.now_ms += 1000;
    paper_decide(&paper);
    ck_assert_int_eq(paper_action(&paper, needy)->target.v, kib_mib(1800).v);
    ck_assert_int_eq(paper_goal(&paper, rich), 3200);
}
END_TEST

START_TEST(a_promise_given_back_is_spent_only_once_it_was_seen)
{
    size_t needy, loose;

    paper_init(&paper, 1000);
    needy = paper_add(&paper, 256, 1000, 4096, 1500);
    loose = paper_add(&paper, 256, 1000, 4096, 500);
    paper.vms[loose].cap = kib_mib(2001);
    paper_decide(&paper);
    ck_assert_uint_eq(paper.decision.n_actions, 1);
    ck_assert_int_eq(paper.actions[0].kind, ACTION_CAP);
    ck_assert_int_eq(paper.actions[0].reason, REASON_CAP_EXCESS);
    paper_apply(&paper);
    paper_decide(&paper); /* at the same moment nothing new can be known */
    ck_assert_uint_eq(paper.decision.n_actions, 0);
    paper.snapshot.now_ms++;
    paper_decide(&paper);
    ck_assert_int_eq(paper_action(&paper, needy)->target.v, kib_mib(1800).v);
}
END_TEST

START_TEST(the_worst_off_are_first_then_the_most_important)
{
    size_t buffer, demand, minimum, important;

    paper_init(&paper, 20000);
    buffer = paper_add(&paper, 256, 1000, 4096, 900);
    demand = paper_add(&paper, 256, 1000, 4096, 1100);
    minimum = paper_add(&paper, 1200, 1000, 4096, 500);
    important = paper_add(&paper, 256, 1000, 4096, 1100);
    paper.vms[important].settings.priority = 51;
    paper_decide(&paper);
    ck_assert_uint_eq(paper.decision.n_actions, 4);
    ck_assert_uint_eq(paper.actions[0].vm, minimum);
    ck_assert_uint_eq(paper.actions[1].vm, important);
    ck_assert_uint_eq(paper.actions[2].vm, demand);
    ck_assert_uint_eq(paper.actions[3].vm, buffer);
}
END_TEST

/* Else the first would be promised memory that its balloon takes minutes to fetch, and the balloons
 * of the others would stand still meanwhile. */
START_TEST(equals_grow_side_by_side)
{
    size_t a, b, modest;

    paper_init(&paper, 240);
    a = paper_add(&paper, 256, 1000, 8192, 4000);
    modest = paper_add(&paper, 256, 1000, 1030, 4000);
    b = paper_add(&paper, 256, 1000, 8192, 4000);
    paper_add(&paper, 256, 10000, 10240, 500);
    paper_decide(&paper);
    ck_assert_int_eq(paper_action(&paper, modest)->target.v, kib_mib(1030).v);
    ck_assert_int_eq(paper_action(&paper, a)->target.v, kib_mib(1106).v); /* a page is left */
    ck_assert_int_eq(paper_action(&paper, b)->target.v, kib_mib(1104).v);
}
END_TEST

START_TEST(where_there_is_too_little_for_all_of_them_some_get_a_step_worth_a_write)
{
    size_t vms[4], n_raised = 0;

    paper_init(&paper, 22);
    for (size_t i = 0; i < 4; i++)
        vms[i] = paper_add(&paper, 256, 1000, 8192, 4000);
    paper_add(&paper, 256, 10000, 10240, 500);
    paper_decide(&paper);
    for (size_t i = 0; i < 4; i++) {
        const struct action *action = paper_action(&paper, vms[i]);

        n_raised += action != NULL;
        ck_assert(!action || kib_sub(action->target, action->from).v >= 8 * 1024);
    }
    ck_assert_uint_eq(n_raised, 2);
}
END_TEST

START_TEST(cap_and_target_go_together)
{
    size_t a;

    paper_init(&paper, 4000);
    a = paper_add(&paper, 256, 1000, 4096, 1500);
    paper.vms[a].offset = kib(300);
    paper.vms[a].assigned = kib_add(paper.vms[a].target, kib(300));
    paper.vms[a].cap = model_cap(&paper.vms[a], paper.vms[a].target);
    paper_decide(&paper);
    ck_assert_int_eq(paper_action(&paper, a)->cap.v, kib_mib(1800).v + 300 + 1024);
}
END_TEST

START_TEST(a_short_cap_is_mended_when_there_is_room)
{
    size_t a;

    paper_init(&paper, 200);
    a = paper_add(&paper, 256, 1000, 4096, 500);
    paper.vms[a].cap = kib_mib(900);
    paper.vms[a].assigned = kib_mib(900);
    paper_decide(&paper);
    ck_assert_int_eq(paper_action(&paper, a)->kind, ACTION_CAP);
    ck_assert_int_eq(paper_action(&paper, a)->reason, REASON_CAP_SHORT);
    ck_assert_int_eq(paper_action(&paper, a)->cap.v, kib_mib(1001).v);
    ck_assert(!paper_action(&paper, a)->releases);
}
END_TEST

START_TEST(a_short_cap_is_not_raised_on_the_way_down)
{
    size_t a, b;

    paper_init(&paper, 0);
    a = paper_add(&paper, 256, 4000, 4096, 500);
    b = paper_add(&paper, 256, 1000, 4096, 1500);
    paper.vms[a].cap = kib_mib(300);
    paper.vms[a].assigned = kib_mib(300);
    paper_decide(&paper);
    ck_assert_int_lt(paper_goal(&paper, a), 4000);
    ck_assert_int_eq(paper_action(&paper, a)->cap.v, kib_mib(300).v);
    (void)b;
}
END_TEST

START_TEST(a_broken_promise_is_mended_and_nothing_else_is_done)
{
    size_t a, b;

    paper_init(&paper, 100);
    a = paper_add(&paper, 256, 1000, 4096, 500);
    b = paper_add(&paper, 256, 1000, 4096, 2000);
    paper.vms[a].cap = kib_mib(1601);
    ck_assert_int_lt(uncommitted_mib(), 0);
    paper_decide(&paper);
    ck_assert_ptr_null(paper_action(&paper, b));
    ck_assert_int_le(paper_action(&paper, a)->cap.v, kib_mib(1001).v);
    ck_assert_int_lt(paper.decision.uncommitted.v, 0);
}
END_TEST

/* Whose cap is lowered is not raised as well, not even where raises are held to nothing: there is
 * room for one action a VM. */
START_TEST(while_a_promise_is_broken_nobody_is_written_twice)
{
    size_t a;

    paper_init(&paper, 100);
    a = paper_add(&paper, 256, 1000, 4096, 2000);
    paper.vms[a].cap = kib_mib(1601);
    ck_assert_int_lt(uncommitted_mib(), 0);
    paper.faults.grow_unverified = true;
    paper_decide(&paper);
    ck_assert_uint_eq(paper.decision.n_actions, 1);
    ck_assert(paper.actions[0].releases);
}
END_TEST

START_TEST(an_operators_target_is_honoured_but_its_cap_is_cut_to_what_there_is)
{
    size_t a;

    paper_init(&paper, 500);
    a = paper_add(&paper, 256, 1000, 4096, 500);
    paper.vms[a].overridden = true;
    paper.vms[a].target = kib_mib(3000);
    paper.vms[a].cap = kib_mib(3001);
    paper_decide(&paper);
    ck_assert_uint_eq(paper.decision.n_actions, 1);
    ck_assert_int_eq(paper.actions[0].kind, ACTION_CAP);
    ck_assert_int_eq(paper.actions[0].reason, REASON_RESTORE);
    ck_assert_int_eq(paper.actions[0].cap.v, kib_mib(1501).v);
    ck_assert_int_eq(paper.verdicts[a].reason, REASON_OVERRIDE);
}
END_TEST

START_TEST(others_make_room_for_an_operators_target_and_its_cap_follows)
{
    size_t a, b;

    paper_init(&paper, 500);
    a = paper_add(&paper, 256, 1000, 4096, 500);
    b = paper_add(&paper, 256, 4000, 4096, 500);
    paper.vms[a].overridden = true;
    paper.vms[a].target = kib_mib(3000);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, a), 3000);
    ck_assert_int_eq(paper.vms[a].assigned.v, kib_mib(3000).v);
    ck_assert_int_eq(paper_target(&paper, b), 2500);
    ck_assert(paper.decision.settled);
}
END_TEST

int main(void)
{
    return suite_run("plan",
                     (const TTest *const[]){
                         what_gives_comes_before_what_takes,
                         nothing_grows_on_what_was_not_seen_to_be_free,
                         a_promise_given_back_is_spent_only_once_it_was_seen,
                         the_worst_off_are_first_then_the_most_important,
                         equals_grow_side_by_side,
                         where_there_is_too_little_for_all_of_them_some_get_a_step_worth_a_write,
                         cap_and_target_go_together,
                         a_short_cap_is_mended_when_there_is_room,
                         a_short_cap_is_not_raised_on_the_way_down,
                         a_broken_promise_is_mended_and_nothing_else_is_done,
                         while_a_promise_is_broken_nobody_is_written_twice,
                         an_operators_target_is_honoured_but_its_cap_is_cut_to_what_there_is,
                         others_make_room_for_an_operators_target_and_its_cap_follows,
                         NULL,
                     });
}
