/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who follows, who is slow, who is stuck. */
#include "core/settle.h"
#include "tests/core/suite.h"

/* A guest that is watched once a second. */
struct watch {
    struct vm vm;
    struct vm_track track;
    int64_t now_ms;
};

static struct watch watch_from(int64_t has_mib)
{
    struct watch watch = {
        .vm = {.state = VM_RUNNING,
               .settings = {.minimum = kib_mib(256),
                            .startup = kib_mib(256),
                            .maximum = kib_mib(8192)},
               .assigned = kib_mib(has_mib),
               .target = kib_mib(has_mib),
               .cap = kib_mib(1 << 20)},
        .now_ms = 1000000,
    };

    settle_follow(&watch.vm, watch.now_ms, &watch.track);
    return watch;
}

/* Seconds pass, in each of which the guest moves by so many KiB towards its target. */
static void pass(struct watch *watch, int seconds, int64_t kib_s)
{
    for (int i = 0; i < seconds; i++) {
        int64_t away = watch->vm.target.v - watch->vm.assigned.v;
        int64_t most = away < 0 ? -kib_s : kib_s;

        if (away < 0 ? away < most : away > most)
            away = most;
        watch->vm.assigned = kib_add(watch->vm.assigned, kib(away));
        watch->now_ms += 1000;
        settle_follow(&watch->vm, watch->now_ms, &watch->track);
    }
}

static struct verdict judged(const struct watch *watch)
{
    struct verdict verdict = {
        .low = watch->vm.settings.minimum, .high = watch->vm.settings.maximum, .state = VM_RUNNING};

    settle_judge(&watch->vm, &watch->track, &verdict);
    return verdict;
}

START_TEST(a_guest_that_follows_is_mobile_and_nothing_else)
{
    struct watch watch = watch_from(2048);

    watch.vm.target = kib_mib(1024);
    pass(&watch, 60, 64 * 1024);
    ck_assert(settle_arrived(&watch.vm));
    ck_assert(watch.track.mobile);
    ck_assert_int_eq(judged(&watch).state, VM_RUNNING);
    ck_assert_int_eq(judged(&watch).low.v, kib_mib(256).v);
}
END_TEST

START_TEST(a_slow_guest_is_not_a_stuck_one)
{
    struct watch watch = watch_from(2048);

    watch.vm.target = kib_mib(1024);
    pass(&watch, 600, 100);
    ck_assert_int_eq(judged(&watch).state, VM_RUNNING);
}
END_TEST

START_TEST(a_page_now_and_then_is_no_progress)
{
    struct watch watch = watch_from(2048);

    watch.vm.target = kib_mib(1024);
    pass(&watch, 10, 4);
    ck_assert_int_eq(judged(&watch).state, VM_UNRESPONSIVE);
}
END_TEST

START_TEST(a_stuck_guest_is_found_and_left_with_what_it_has)
{
    struct watch watch = watch_from(2048);

    watch.vm.report.balloon = true;
    watch.vm.target = kib_mib(1024);
    pass(&watch, 4, 0);
    ck_assert_int_eq(judged(&watch).state, VM_RUNNING);
    pass(&watch, 2, 0);
    ck_assert_int_eq(judged(&watch).state, VM_UNRESPONSIVE);
    ck_assert_int_eq(judged(&watch).low.v, kib_mib(2048).v);
}
END_TEST

START_TEST(a_hidden_floor_is_found_where_the_guest_stopped)
{
    struct watch watch = watch_from(2048);

    watch.vm.target = kib_mib(1024);
    pass(&watch, 5, 101 * 1024);
    pass(&watch, 6, 0);
    ck_assert_int_eq(judged(&watch).low.v, kib_mib(1542).v); /* in granules */
    ck_assert_int_eq(judged(&watch).high.v, kib_mib(8192).v);
}
END_TEST

START_TEST(a_hidden_ceiling_is_found_too)
{
    struct watch watch = watch_from(2048);

    watch.vm.target = kib_mib(4096);
    pass(&watch, 5, 101 * 1024);
    pass(&watch, 6, 0);
    ck_assert_int_eq(judged(&watch).high.v, kib_mib(2556).v);
    ck_assert_int_eq(judged(&watch).low.v, kib_mib(256).v);
}
END_TEST

START_TEST(it_is_tried_again_and_waits_longer_each_time)
{
    struct watch watch = watch_from(2048);
    int64_t expected = SETTLE_RETRY_MS;

    watch.vm.report.balloon = true;
    for (int i = 0; i < 12; i++) {
        watch.vm.target = kib_mib(i == 0 ? 1024 : 2046);
        pass(&watch, 7, 0);
        ck_assert_int_ge(watch.track.retry_ms - watch.now_ms, expected - 3000);
        ck_assert_int_le(watch.track.retry_ms - watch.now_ms, expected);
        watch.vm.target = kib_mib(2048);
        watch.now_ms = watch.track.retry_ms - 1000;
        pass(&watch, 1, 0);
        ck_assert_int_eq(judged(&watch).low.v, kib_mib(2048).v);
        ck_assert_int_eq(settle_trial(&watch.vm, &watch.track, kib_mib(256)).v, kib_mib(2046).v);
        ck_assert_int_eq(judged(&watch).state, VM_UNRESPONSIVE);
        expected = expected * 2 < SETTLE_RETRY_MAX_MS ? expected * 2 : SETTLE_RETRY_MAX_MS;
    }
    watch.vm.target = kib_mib(2046);
    pass(&watch, 2, 1024);
    ck_assert_int_eq(judged(&watch).state, VM_RUNNING);
    ck_assert_int_eq(judged(&watch).low.v, kib_mib(256).v);
}
END_TEST

START_TEST(a_target_that_moves_every_second_does_not_hide_a_stuck_guest)
{
    struct watch watch = watch_from(2048);

    for (int i = 1; i <= 8; i++) {
        watch.vm.target = kib_mib(2048 - i * 100);
        pass(&watch, 1, 0);
    }
    ck_assert_int_eq(judged(&watch).state, VM_UNRESPONSIVE);
}
END_TEST

START_TEST(nor_does_it_make_one_stuck_that_follows)
{
    struct watch watch = watch_from(4096);

    for (int i = 1; i <= 30; i++) {
        watch.vm.target = kib_mib(4096 - i * 100);
        pass(&watch, 1, 300);
    }
    ck_assert_int_eq(judged(&watch).state, VM_RUNNING);
    ck_assert(watch.track.mobile);
}
END_TEST

START_TEST(time_in_which_it_could_not_move_does_not_count)
{
    struct watch watch = watch_from(2048);

    watch.vm.target = kib_mib(1024);
    pass(&watch, 1, 1024);
    watch.now_ms += 3600000;
    settle_wait(&watch.vm, watch.now_ms, &watch.track);
    pass(&watch, 1, 0);
    ck_assert_int_eq(judged(&watch).state, VM_RUNNING);
}
END_TEST

START_TEST(who_waits_for_its_cap_is_not_stuck)
{
    struct watch watch = watch_from(2048);

    watch.vm.target = kib_mib(4096);
    watch.vm.cap = kib_mib(2049);
    pass(&watch, 60, 0);
    ck_assert(settle_arrived(&watch.vm));
    ck_assert_int_eq(judged(&watch).state, VM_RUNNING);
}
END_TEST

START_TEST(nobody_is_lowered_by_more_than_a_step_before_it_was_seen_to_move)
{
    struct watch watch = watch_from(2048);

    ck_assert_int_eq(judged(&watch).low.v, kib_mib(2046).v);
    watch.vm.target = kib_mib(2046);
    ck_assert_int_eq(judged(&watch).low.v, kib_mib(2046).v);
    pass(&watch, 1, 900);
    ck_assert_int_eq(judged(&watch).low.v, kib_mib(2046).v);
    pass(&watch, 1, 900);
    ck_assert_int_eq(judged(&watch).low.v, kib_mib(256).v);
}
END_TEST

START_TEST(a_balloon_driver_that_was_reported_is_proof_enough)
{
    struct watch watch = watch_from(2048);

    watch.vm.report.balloon = true;
    pass(&watch, 1, 0);
    ck_assert_int_eq(judged(&watch).low.v, kib_mib(256).v);
}
END_TEST

START_TEST(growing_is_proof_too)
{
    struct watch watch = watch_from(2048);

    watch.vm.target = kib_mib(2060);
    pass(&watch, 3, 4096);
    ck_assert_int_eq(judged(&watch).low.v, kib_mib(256).v);
}
END_TEST

int main(void)
{
    return suite_run("settle", (const TTest *const[]){
                                   a_guest_that_follows_is_mobile_and_nothing_else,
                                   a_slow_guest_is_not_a_stuck_one,
                                   a_page_now_and_then_is_no_progress,
                                   a_stuck_guest_is_found_and_left_with_what_it_has,
                                   a_hidden_floor_is_found_where_the_guest_stopped,
                                   a_hidden_ceiling_is_found_too,
                                   it_is_tried_again_and_waits_longer_each_time,
                                   a_target_that_moves_every_second_does_not_hide_a_stuck_guest,
                                   nor_does_it_make_one_stuck_that_follows,
                                   time_in_which_it_could_not_move_does_not_count,
                                   who_waits_for_its_cap_is_not_stuck,
                                   nobody_is_lowered_by_more_than_a_step_before_it_was_seen_to_move,
                                   a_balloon_driver_that_was_reported_is_proof_enough,
                                   growing_is_proof_too,
                                   NULL,
                               });
}
