/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decision as a whole: who is touched, and that it comes to rest. */
#include <string.h>

#include "core/admit.h"
#include "tests/core/paper.h"
#include "tests/core/suite.h"

static struct paper paper;

START_TEST(an_empty_host_is_settled)
{
    paper_init(&paper, 1000);
    paper_decide(&paper);
    ck_assert_uint_eq(paper.decision.n_actions, 0);
    ck_assert(paper.decision.settled);
}
END_TEST

START_TEST(the_same_input_gives_the_same_bytes)
{
    static struct paper again;

    for (int i = 0; i < 2; i++) {
        struct paper *one = i == 0 ? &paper : &again;

        paper_init(one, 0);
        paper_add(one, 256, 4000, 4096, 500);
        paper_add(one, 256, 1000, 4096, 1500);
        paper_decide(one);
    }
    ck_assert_int_eq(memcmp(paper.verdicts, again.verdicts, sizeof(paper.verdicts)), 0);
    ck_assert_int_eq(memcmp(paper.actions, again.actions, sizeof(paper.actions)), 0);
    ck_assert_int_eq(memcmp(paper.tracks, again.tracks, sizeof(paper.tracks)), 0);
}
END_TEST

START_TEST(memory_moves_from_one_guest_to_another)
{
    size_t a, b;

    paper_init(&paper, 0);
    a = paper_add(&paper, 256, 3000, 4096, 500);
    b = paper_add(&paper, 256, 1000, 4096, 1400);
    ck_assert_int_le(paper_settle(&paper), 4);
    ck_assert_int_eq(paper_target(&paper, b), 1680);
    ck_assert_int_eq(paper_target(&paper, a), 2320);
}
END_TEST

START_TEST(who_does_not_run_normally_is_never_touched)
{
    for (enum vm_state state = VM_OFF; state < VM_STATE_COUNT; state++) {
        size_t a, needy;

        if (state == VM_RUNNING)
            continue;
        paper_init(&paper, 0);
        a = paper_add(&paper, 256, 4000, 4096, 500);
        needy = paper_add(&paper, 256, 1000, 4096, 4000);
        paper.vms[a].state = state;
        paper.vms[a].cap = kib_mib(9000);
        paper_decide(&paper);
        ck_assert_ptr_null(paper_action(&paper, a));
        ck_assert_int_eq(paper.verdicts[a].reason, REASON_STATE);
        (void)needy;
    }
}
END_TEST

START_TEST(dom0_and_the_ignored_are_never_touched)
{
    size_t dom0, ignored;

    paper_init(&paper, 0);
    dom0 = paper_add(&paper, 256, 4000, 4096, 500);
    ignored = paper_add(&paper, 256, 4000, 4096, 500);
    paper_add(&paper, 256, 1000, 4096, 4000);
    paper.vms[dom0].dom0 = true;
    paper.vms[ignored].settings.mode = VM_MODE_IGNORED;
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, dom0), 4000);
    ck_assert_int_eq(paper_target(&paper, ignored), 4000);
    ck_assert_int_eq(paper.verdicts[ignored].reason, REASON_NOT_MANAGED);
}
END_TEST

START_TEST(a_static_vm_has_its_startup_memory)
{
    size_t grows, shrinks;

    paper_init(&paper, 2000);
    grows = paper_add(&paper, 256, 1000, 4096, 3000);
    shrinks = paper_add(&paper, 256, 3000, 4096, 3000);
    for (size_t i = grows; i <= shrinks; i++) {
        paper.vms[i].settings.mode = VM_MODE_STATIC;
        paper.vms[i].settings.startup = kib_mib(2001);
    }
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, grows), 2001);
    ck_assert_int_eq(paper_target(&paper, shrinks), 2001);
    ck_assert_int_eq(paper.verdicts[grows].reason, REASON_STATIC);
}
END_TEST

START_TEST(a_guest_without_a_report_keeps_what_it_has)
{
    size_t quiet, needy;

    paper_init(&paper, 0);
    quiet = paper_add(&paper, 256, 3000, 4096, -1);
    needy = paper_add(&paper, 256, 1000, 4096, 3000);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, quiet), 3000);
    ck_assert_int_eq(paper.verdicts[quiet].reason, REASON_NO_DATA);
    ck_assert_int_eq(paper.verdicts[needy].reason, REASON_SCARCE);
}
END_TEST

START_TEST(a_quiet_guest_is_brought_within_its_bounds_step_by_step)
{
    size_t quiet;

    paper_init(&paper, 0);
    quiet = paper_add(&paper, 256, 3000, 4096, -1);
    paper.vms[quiet].settings.maximum = kib_mib(2000);
    paper_decide(&paper);
    ck_assert_int_eq(paper_goal(&paper, quiet), 2998); /* does it move at all? */
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, quiet), 2000);
    paper.vms[quiet].settings.minimum = kib_mib(2000);
    paper.vms[quiet].target = paper.vms[quiet].assigned = kib_mib(1000);
    paper_settle(&paper);
    ck_assert_int_eq(paper_target(&paper, quiet), 2000);
}
END_TEST

START_TEST(a_guest_without_a_balloon_driver_loses_no_more_than_one_step)
{
    size_t rock, needy;

    paper_init(&paper, 0);
    rock = paper_add(&paper, 256, 3000, 4096, 500);
    needy = paper_add(&paper, 256, 1000, 4096, 3000);
    paper.vms[rock].report.balloon = false;
    for (int i = 0; i < 600; i++) {
        paper_decide(&paper);
        paper_apply(&paper);
        paper_follow(&paper, rock);
        ck_assert_int_ge(paper_target(&paper, rock), 2998);
        paper.snapshot.now_ms += 1000;
    }
    ck_assert_int_eq(paper.verdicts[rock].state, VM_UNRESPONSIVE);
    (void)needy;
}
END_TEST

/* The target of one of 3000 MiB that needs 500, may go down to 256, and says so much of its floor,
 * beside one that wants all there is: what is it left with? */
static int64_t left_with(int64_t startup_mib, int64_t maximum_mib, int64_t floor_mib, bool trust,
                         const struct decide_faults *faults)
{
    size_t giver, taker;

    paper_init(&paper, 0);
    paper.faults = *faults;
    giver = paper_add(&paper, 64, 3000, maximum_mib, 100);
    taker = paper_add(&paper, 64, 1000, 16384, 16000);
    paper.vms[giver].settings.startup = kib_mib(startup_mib);
    paper.vms[giver].settings.trust = trust;
    paper.vms[giver].report.floor = kib_mib(floor_mib);
    paper.vms[taker].settings.priority = 90;
    paper_settle(&paper);
    return paper_target(&paper, giver);
}

START_TEST(no_target_goes_below_what_its_guest_cannot_give_back)
{
    static const struct decide_faults none, no_floors = {.no_floors = true};

    ck_assert_int_eq(left_with(2048, 3000, 0, false, &none), 360); /* Hyper-V's curve */
    ck_assert_int_lt(left_with(2048, 3000, 0, false, &no_floors), 360);
    ck_assert_int_eq(left_with(128, 16384, 0, false, &none), 256); /* a 64th of the maximum */
    ck_assert_int_lt(left_with(128, 16384, 0, false, &no_floors), 256);
    ck_assert_int_eq(left_with(128, 3000, 1600, true, &none), 1724); /* floor and margin */
    ck_assert_int_lt(left_with(128, 3000, 1600, true, &no_floors), 1600);
}
END_TEST

START_TEST(a_floor_that_nobody_vouches_for_is_a_demand_among_others)
{
    static const struct decide_faults none, trust_all = {.trust_all = true};

    /* The more important takes all but what the host's operator said, and what a kernel needs. */
    ck_assert_int_lt(left_with(128, 3000, 2900, false, &none), 100);
    ck_assert_int_ge(left_with(128, 3000, 2900, false, &trust_all), 2900);
}
END_TEST

START_TEST(nobody_is_lowered_before_it_was_seen_to_move)
{
    for (int off = 0; off < 2; off++) {
        size_t rock;

        paper_init(&paper, 0);
        paper.faults.no_probe = off;
        rock = paper_add(&paper, 256, 3000, 4096, 500);
        paper_add(&paper, 256, 1000, 4096, 3000);
        paper.vms[rock].report.balloon = false;
        paper_decide(&paper);
        /* A step of 2 MiB is to tell. */
        ck_assert_int_eq(paper_goal(&paper, rock) == 2998, !off);
        ck_assert_int_eq(paper_goal(&paper, rock) < 2998, off);
    }
}
END_TEST

START_TEST(one_that_always_asks_for_its_maximum_gets_what_its_priority_entitles_it_to)
{
    for (int off = 0; off < 2; off++) {
        size_t greedy, honest;

        paper_init(&paper, 0);
        paper.faults.believe_all = off;
        greedy = paper_add(&paper, 256, 3000, 4096, 1 << 20);
        honest = paper_add(&paper, 256, 1000, 4096, 2000);
        paper.vms[honest].settings.priority = 60;
        paper.vms[greedy].report.floor = kib_mib(1 << 20);
        paper_settle(&paper);
        ck_assert(off || paper.verdicts[greedy].suspicious);
        /* What is more important has its demand first; the rest is the greedy one's. */
        ck_assert_int_ge(paper_target(&paper, honest), 2000);
        ck_assert_int_le(paper_target(&paper, greedy), 2000);
        ck_assert_int_eq(paper.verdicts[greedy].demand.v <= kib_mib(4096).v, !off);
    }
}
END_TEST

START_TEST(a_stuck_guest_costs_the_others_no_more_than_what_it_keeps)
{
    size_t stuck, a, b;

    paper_init(&paper, 0);
    stuck = paper_add(&paper, 256, 2000, 4096, 500);
    a = paper_add(&paper, 256, 2000, 4096, 500);
    b = paper_add(&paper, 256, 1000, 4096, 2000);
    for (int i = 0; i < 20; i++) {
        paper_decide(&paper);
        paper_apply(&paper);
        paper_follow(&paper, stuck);
        paper.snapshot.now_ms += 1000;
    }
    ck_assert_int_eq(paper.verdicts[stuck].state, VM_UNRESPONSIVE);
    ck_assert_int_ge(paper_target(&paper, stuck), 1996); /* it was given its target back */
    ck_assert_int_eq(paper_target(&paper, b), 2400);
    ck_assert_int_ge(paper_target(&paper, a), 596);
    ck_assert(paper.decision.settled);
}
END_TEST

START_TEST(a_domain_that_is_being_built_has_all_that_it_claims)
{
    size_t built, needy;

    paper_init(&paper, 2010);
    built = paper_add(&paper, 256, 10, 4096, -1);
    needy = paper_add(&paper, 256, 1000, 4096, 3000);
    paper.vms[built].state = VM_BUILDING;
    paper.vms[built].cap = kib_mib(2001);
    paper.vms[built].claim = kib_mib(1991);
    paper_decide(&paper);
    ck_assert_int_eq(paper.actions[0].target.v, kib_mib(1020).v);
    (void)needy;
}
END_TEST

START_TEST(a_start_pushes_lower_priorities_to_their_minimum_and_equals_to_their_demand)
{
    size_t low, equal, high;

    paper_init(&paper, 100);
    low = paper_add(&paper, 500, 2000, 4096, 1000);
    equal = paper_add(&paper, 500, 2000, 4096, 1000);
    high = paper_add(&paper, 500, 2000, 4096, 1000);
    paper.vms[low].settings.priority = 10;
    paper.vms[high].settings.priority = 90;
    paper_decide(&paper);
    ck_assert_int_eq(admit(&paper.snapshot, &paper.decision, 50).now.v, kib_mib(100).v);
    ck_assert_int_eq(admit(&paper.snapshot, &paper.decision, 50).freeable.v,
                     kib_mib(1500 + 1000 + 800).v);
    ck_assert_int_eq(admit(&paper.snapshot, &paper.decision, 0).freeable.v,
                     kib_mib(800 + 800 + 800).v);
    ck_assert_int_eq(admit(&paper.snapshot, &paper.decision, 100).freeable.v,
                     kib_mib(1500 + 1500 + 1500).v);
    (void)equal;
}
END_TEST

START_TEST(a_quiet_guest_gives_to_a_start_only_if_that_is_allowed_and_it_can_move)
{
    size_t quiet;

    paper_init(&paper, 0);
    quiet = paper_add(&paper, 500, 2000, 4096, -1);
    paper_decide(&paper);
    ck_assert_int_eq(admit(&paper.snapshot, &paper.decision, 100).freeable.v, 0);
    paper.snapshot.settings.blind = true;
    paper_decide(&paper);
    ck_assert_int_eq(admit(&paper.snapshot, &paper.decision, 100).freeable.v, 0);
    paper.tracks[quiet].mobile = true;
    paper_decide(&paper);
    ck_assert_int_eq(admit(&paper.snapshot, &paper.decision, 100).freeable.v, kib_mib(1500).v);
    ck_assert_int_eq(admit(&paper.snapshot, &paper.decision, 50).freeable.v, 0);
}
END_TEST

START_TEST(reasons_have_a_name_and_a_sentence_each)
{
    for (enum reason reason = 0; reason < REASON_COUNT; reason++) {
        ck_assert_ptr_nonnull(reason_name(reason));
        ck_assert_ptr_nonnull(reason_text(reason));
        for (enum reason other = 0; other < reason; other++)
            ck_assert_str_ne(reason_name(reason), reason_name(other));
    }
}
END_TEST

START_TEST(a_refusal_has_a_code_its_figures_and_who_holds_most)
{
    struct refusal refusal;
    const char *const names[] = {"large", "small"};
    char text[REFUSAL_TEXT];
    size_t small, large;

    paper_init(&paper, 100);
    small = paper_add(&paper, 500, 700, 4096, 600);
    large = paper_add(&paper, 900, 2000, 4096, 1000);
    paper_decide(&paper);
    admit_refuse(&paper.snapshot, &paper.decision, kib_gib(5), 50, kib_mib(300), &refusal);
    ck_assert_str_eq(reason_refusal_name(refusal.code), "no-memory");
    ck_assert_int_eq(refusal.now.v, kib_mib(100).v);
    ck_assert_int_eq(refusal.freeable.v, kib_mib(100 + 1000).v);
    ck_assert_int_eq(refusal.n_holders, 2);
    ck_assert_int_eq(refusal.holders[0].vm, large);
    ck_assert_int_eq(refusal.holders[1].vm, small);
    refusal.holders[0].unresponsive = true;
    ck_assert_str_eq(reason_refusal_text(&refusal, names, text),
                     "not enough memory for 5 GiB: 100 MiB there, 1.07 GiB could be freed for "
                     "priority 50, 300 MiB of that for starts that came before; held by large "
                     "(does not respond) 1001 MiB, small 601 MiB");
}
END_TEST

START_TEST(a_refusal_says_how_long_it_took)
{
    struct refusal refusal = {.size = kib_gib(1), .priority = 50, .waited_ms = 60000};
    char text[REFUSAL_TEXT];

    refusal.code = REFUSAL_WAITED;
    ck_assert_str_eq(reason_refusal_text(&refusal, NULL, text),
                     "there was not enough memory for 1 GiB within 1m: 0 KiB there, 0 KiB could be "
                     "freed for priority 50; held by nobody");
    refusal.code = REFUSAL_NOT_GIVEN;
    ck_assert_ptr_nonnull(
        strstr(reason_refusal_text(&refusal, NULL, text), "guests did not give 1 GiB within 1m:"));
}
END_TEST

/* However long the names are, it stays one line that ends. */
START_TEST(a_refusal_that_is_too_long_is_cut)
{
    struct refusal refusal = {.n_holders = REFUSAL_HOLDERS};
    char name[300], text[REFUSAL_TEXT];
    const char *const names[] = {name, name, name};

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert_int_lt(strlen(reason_refusal_text(&refusal, names, text)), REFUSAL_TEXT);
}
END_TEST

int main(void)
{
    return suite_run(
        "decide", (const TTest *const[]){
                      an_empty_host_is_settled,
                      the_same_input_gives_the_same_bytes,
                      memory_moves_from_one_guest_to_another,
                      who_does_not_run_normally_is_never_touched,
                      dom0_and_the_ignored_are_never_touched,
                      a_static_vm_has_its_startup_memory,
                      a_guest_without_a_report_keeps_what_it_has,
                      a_quiet_guest_is_brought_within_its_bounds_step_by_step,
                      a_guest_without_a_balloon_driver_loses_no_more_than_one_step,
                      no_target_goes_below_what_its_guest_cannot_give_back,
                      a_floor_that_nobody_vouches_for_is_a_demand_among_others,
                      nobody_is_lowered_before_it_was_seen_to_move,
                      one_that_always_asks_for_its_maximum_gets_what_its_priority_entitles_it_to,
                      a_stuck_guest_costs_the_others_no_more_than_what_it_keeps,
                      a_domain_that_is_being_built_has_all_that_it_claims,
                      a_start_pushes_lower_priorities_to_their_minimum_and_equals_to_their_demand,
                      a_quiet_guest_gives_to_a_start_only_if_that_is_allowed_and_it_can_move,
                      reasons_have_a_name_and_a_sentence_each,
                      a_refusal_has_a_code_its_figures_and_who_holds_most,
                      a_refusal_says_how_long_it_took,
                      a_refusal_that_is_too_long_is_cut,
                      NULL,
                  });
}
