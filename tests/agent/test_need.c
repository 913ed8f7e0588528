/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest needs, and when it is worth saying. */
#include <check.h>
#include <stdlib.h>

#include "agent/kernel.h"
#include "agent/need.h"
#include "core/report.h"

/* A guest that holds 1 GiB, of which its kernel counts 1000 MiB and calls 600 available. */
static struct kernel_view guest(void)
{
    return (struct kernel_view){
        .memory = {.total = kib_mib(1000),
                   .available = kib_mib(600),
                   .free = kib_mib(500),
                   .cached = kib_mib(120),
                   .shmem = kib_mib(20),
                   .buffers = kib_mib(5),
                   .anonymous = kib_mib(200),
                   .reclaimable = kib_mib(10),
                   .unreclaimable = kib_mib(12),
                   .kernel_stack = kib_mib(2),
                   .page_tables = kib_mib(3),
                   .per_cpu = kib_mib(1)},
        .held = kib_mib(1024),
        .balloon = true,
    };
}

static struct guest_report report_of(const struct kernel_view *view)
{
    struct guest_report report;

    need_report(view, NULL, 0, 4, &report);
    return report;
}

START_TEST(need_is_what_it_holds_without_what_is_available)
{
    struct kernel_view view = guest();
    struct guest_report report = report_of(&view);

    ck_assert_int_eq(report.need.v, kib_mib(1024 - 600).v);
    ck_assert_int_eq(report.total.v, kib_mib(1000).v);
    ck_assert_int_eq(report.cache.v, kib_mib(5 + 120 - 20 + 10).v);
    ck_assert(report.balloon);
    ck_assert_int_eq(report.source, NEED_AGENT);
}
END_TEST

START_TEST(swap_in_use_is_needed_too)
{
    struct kernel_view view = guest();

    view.memory.swap_total = kib_gib(1);
    view.memory.swap_free = kib_mib(1024 - 300);
    ck_assert_int_eq(report_of(&view).need.v, kib_mib(1024 - 600 + 300).v);
    ck_assert_int_eq(report_of(&view).swap_used.v, kib_mib(300).v);
}
END_TEST

START_TEST(a_full_cache_is_no_need)
{
    struct kernel_view idle = guest(), busy = guest();

    busy.memory.free = kib_mib(10);
    busy.memory.cached = kib_mib(610);
    ck_assert_int_eq(report_of(&busy).need.v, report_of(&idle).need.v);
    ck_assert_int_gt(report_of(&busy).cache.v, report_of(&idle).cache.v);
}
END_TEST

START_TEST(without_swap_anonymous_memory_and_shmem_cannot_be_given_back)
{
    struct kernel_view view = guest();
    int64_t kernel = (1024 - 1000) + 12 + 2 + 3 + 1;

    ck_assert_int_eq(report_of(&view).floor.v, kib_mib(kernel + 220).v);
    view.memory.swap_total = kib_mib(150);
    view.memory.swap_free = kib_mib(150);
    ck_assert_int_eq(report_of(&view).floor.v, kib_mib(kernel + 220 - 150).v);
    view.memory.swap_total = kib_gib(4);
    view.memory.swap_free = kib_gib(4);
    ck_assert_int_eq(report_of(&view).floor.v, kib_mib(kernel).v);
}
END_TEST

START_TEST(pinned_memory_and_huge_pages_cannot_be_given_back)
{
    struct kernel_view view = guest();
    int64_t kernel = (1024 - 1000) + 12 + 2 + 3 + 1;

    view.memory.swap_total = view.memory.swap_free = kib_gib(4);
    view.memory.unevictable = kib_mib(64);
    ck_assert_int_eq(report_of(&view).floor.v, kib_mib(kernel + 64).v);
    view.memory.huge = kib_mib(100);
    ck_assert_int_eq(report_of(&view).floor.v, kib_mib(kernel + 64 + 100).v);
}
END_TEST

START_TEST(figures_that_contradict_each_other_stay_within_bounds)
{
    struct kernel_view view = guest();

    view.held = kib_mib(10); /* less than MemTotal and than what is available */
    view.memory.swap_free = kib_mib(5);
    ck_assert_int_eq(report_of(&view).need.v, 0);
    ck_assert_int_le(report_of(&view).floor.v, view.held.v);
    ck_assert_int_eq(report_of(&view).swap_used.v, 0);
    view.memory.shmem = kib_mib(5000);
    ck_assert_int_ge(report_of(&view).cache.v, 0);
}
END_TEST

START_TEST(the_largest_figures_can_be_reported)
{
    struct kernel_view view = {0};
    struct guest_report report, back;
    char text[REPORT_TEXT_MAX];
    size_t length;

    view.held = view.memory.total = view.memory.swap_total = view.memory.anonymous =
        view.memory.shmem = view.memory.huge = view.memory.cached = view.memory.buffers =
            kib(KIB_LIMIT);
    view.counters.oom_kills = view.counters.swapped_in = UINT64_MAX;
    report = report_of(&view);
    length = report_encode(&report, text, sizeof(text));
    ck_assert_int_eq(report_decode(text, length, &back, NULL), 0);
    ck_assert_int_eq(back.need.v, KIB_LIMIT);
}
END_TEST

START_TEST(swapping_is_told_as_a_rate)
{
    struct kernel_view now = guest(), before = guest();
    struct guest_report report;

    before.counters.swapped_in = 1000;
    now.counters.swapped_in = 1500;
    now.counters.swapped_out = UINT64_MAX;
    need_report(&now, &before, 2000, 4, &report);
    ck_assert_int_eq(report.swap_in_kib_s, 500 * 4 / 2);
    ck_assert_int_eq(report.swap_out_kib_s, INT32_MAX);
    need_report(&before, &now, 2000, 4, &report);
    ck_assert_int_eq(report.swap_in_kib_s, 0);
    need_report(&now, &before, 0, 4, &report);
    ck_assert_int_eq(report.swap_in_kib_s, 0);
    need_report(&now, NULL, 2000, 4, &report);
    ck_assert_int_eq(report.swap_in_kib_s, 0);
}
END_TEST

START_TEST(what_hardly_changed_waits_for_the_heartbeat)
{
    struct kernel_view view = guest();
    struct guest_report last = report_of(&view), now = last;

    ck_assert(!need_worth_saying(&now, &last, 1000));
    ck_assert(!need_worth_saying(&now, &last, 9999));
    ck_assert(need_worth_saying(&now, &last, 10000));
    now.need = kib_add(last.need, kib_scale(last.need, 2, 100));
    ck_assert(!need_worth_saying(&now, &last, 1000));
    now.cache = kib_mib(800);
    now.available = kib_mib(1);
    now.psi_some = 200;
    ck_assert(!need_worth_saying(&now, &last, 1000));
}
END_TEST

START_TEST(what_changed_is_said_at_once)
{
    struct kernel_view view = guest();
    struct guest_report last = report_of(&view), now = last;

    now.need = kib_add(last.need, kib_scale(last.need, 3, 100));
    ck_assert(need_worth_saying(&now, &last, 1000));
    now.need = kib_sub(last.need, kib_scale(last.need, 3, 100));
    ck_assert(need_worth_saying(&now, &last, 1000));
    now = last;
    now.floor = kib_add(last.floor, kib_scale(last.need, 3, 100));
    ck_assert(need_worth_saying(&now, &last, 1000));
    now = last;
    now.swap_used = kib_mib(50);
    ck_assert(need_worth_saying(&now, &last, 1000));
    now = last;
    now.total = kib_sub(last.total, kib(4)); /* the balloon moved */
    ck_assert(need_worth_saying(&now, &last, 1000));
    now = last;
    now.psi_full = 201;
    ck_assert(need_worth_saying(&now, &last, 1000));
    now = last;
    now.oom_kills++;
    ck_assert(need_worth_saying(&now, &last, 1000));
    now = last;
    now.balloon = false;
    ck_assert(need_worth_saying(&now, &last, 1000));
}
END_TEST

/* Does memory run out at a look at view, elapsed_ms after one at which need was before_mib? */
static bool runs_out(const struct kernel_view *view, int64_t before_mib, int64_t elapsed_ms)
{
    struct need_watch watch = {.need = kib_mib(before_mib), .looked_ms = 5000, .has_looked = true};

    return need_watch_look(&watch, view, 5000 + elapsed_ms);
}

/* guest() needs 424 of 1024 MiB. */
START_TEST(memory_that_runs_out_presses)
{
    struct kernel_view view = guest();

    ck_assert(!runs_out(&view, 424, 1000));
    ck_assert(!runs_out(&view, 364, 1000)); /* ten seconds more, exactly */
    ck_assert(runs_out(&view, 363, 1000));
    ck_assert(runs_out(&view, 417, 100));
    ck_assert(!runs_out(&view, 900, 1000)); /* it becomes less */
    ck_assert(!runs_out(&view, 363, 0));
    view.memory.available = kib_mib(128);
    ck_assert(!runs_out(&view, 900, 1000));
    view.memory.available = kib_mib(127); /* less than an eighth */
    ck_assert(runs_out(&view, 900, 1000));
}
END_TEST

START_TEST(the_first_look_shows_no_rise)
{
    struct need_watch watch = {0};
    struct kernel_view view = guest();

    ck_assert(!need_watch_look(&watch, &view, 1000));
    ck_assert(!need_watch_look(&watch, &view, 2000));
}
END_TEST

/* Its balloon brings more than it takes meanwhile, and that can end at once. */
START_TEST(what_its_balloon_brings_does_not_hide_a_rise)
{
    struct kernel_view view = guest();

    view.held = kib_mib(1324);
    view.memory.available = kib_mib(800); /* it was 600, with 1024 held */
    ck_assert(runs_out(&view, 424, 1000));
}
END_TEST

START_TEST(a_rise_that_pauses_presses_for_a_second_more)
{
    struct kernel_view view = guest();
    struct need_watch watch = {.need = kib_mib(300), .looked_ms = 1000, .has_looked = true};

    ck_assert(need_watch_look(&watch, &view, 2000));
    ck_assert(need_watch_look(&watch, &view, 2100));
    ck_assert(need_watch_look(&watch, &view, 2999));
    ck_assert(!need_watch_look(&watch, &view, 3000));
}
END_TEST

START_TEST(a_guest_that_needed_nothing_says_so_when_it_does)
{
    struct guest_report last = {.source = NEED_AGENT}, now = last;

    ck_assert(!need_worth_saying(&now, &last, 1000));
    now.need = kib(1);
    ck_assert(need_worth_saying(&now, &last, 1000));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("need");
    TCase *tests = tcase_create("need");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, need_is_what_it_holds_without_what_is_available);
    tcase_add_test(tests, swap_in_use_is_needed_too);
    tcase_add_test(tests, a_full_cache_is_no_need);
    tcase_add_test(tests, without_swap_anonymous_memory_and_shmem_cannot_be_given_back);
    tcase_add_test(tests, pinned_memory_and_huge_pages_cannot_be_given_back);
    tcase_add_test(tests, figures_that_contradict_each_other_stay_within_bounds);
    tcase_add_test(tests, the_largest_figures_can_be_reported);
    tcase_add_test(tests, swapping_is_told_as_a_rate);
    tcase_add_test(tests, what_hardly_changed_waits_for_the_heartbeat);
    tcase_add_test(tests, what_changed_is_said_at_once);
    tcase_add_test(tests, memory_that_runs_out_presses);
    tcase_add_test(tests, the_first_look_shows_no_rise);
    tcase_add_test(tests, what_its_balloon_brings_does_not_hide_a_rise);
    tcase_add_test(tests, a_rise_that_pauses_presses_for_a_second_more);
    tcase_add_test(tests, a_guest_that_needed_nothing_says_so_when_it_does);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
