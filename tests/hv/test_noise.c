/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a guest is not listened to any more. */
#include <check.h>
#include <stdlib.h>

#include "hv/noise.h"

static struct noise noise;

static void setup(void)
{
    noise = (struct noise){0};
}

static void listen_if_time(int64_t now_ms)
{
    if (noise_ends(&noise, now_ms))
        noise_listen(&noise, now_ms);
}

/* Fires that often a second, for so many seconds; how many of them were listened to. */
static int heard(int a_second, int seconds, int64_t begin_ms)
{
    int count = 0;

    for (int i = 0; i < a_second * seconds; i++) {
        int64_t now_ms = begin_ms + (int64_t)i * 1000 / a_second;

        listen_if_time(now_ms);
        if (noise.deaf)
            continue;
        noise_fired(&noise, now_ms);
        count++;
    }
    return count;
}

START_TEST(an_honest_agent_is_always_heard)
{
    ck_assert_int_eq(heard(1, 3600, 5000), 3600);
    ck_assert_int_eq(heard(10, 3600, 4000000), 10 * 3600); /* its memory runs out all the time */
}
END_TEST

START_TEST(a_flood_is_heard_for_a_moment_a_minute)
{
    int an_hour = heard(1000, 3600, 5000);

    ck_assert_int_le(an_hour, (NOISE_MOST + 1) * 60);
    ck_assert_int_ge(an_hour, NOISE_MOST * 59); /* … and again each minute: it may have ended */
}
END_TEST

START_TEST(what_was_on_its_way_does_not_count_twice)
{
    for (int i = 0; i <= NOISE_MOST; i++)
        ck_assert_int_eq(noise_fired(&noise, 1000), i == NOISE_MOST);
    ck_assert(noise.deaf);
    for (int i = 0; i < 1000; i++)
        ck_assert(!noise_fired(&noise, 1001));
    ck_assert(!noise_ends(&noise, 1000 + NOISE_DEAF_MS - 1));
    ck_assert(noise_ends(&noise, 1000 + NOISE_DEAF_MS));
    noise_listen(&noise, 1000 + NOISE_DEAF_MS);
    ck_assert(!noise.deaf);
    ck_assert(!noise_ends(&noise, 1000 + 2 * NOISE_DEAF_MS));
}
END_TEST

/* Its watches could not be set: it is looked at, and they are tried again, at every look. */
START_TEST(who_cannot_be_listened_to_stays_deaf)
{
    for (int i = 0; i <= NOISE_MOST; i++)
        noise_fired(&noise, 1000);
    for (int64_t now_ms = 1000 + NOISE_DEAF_MS; now_ms < 1000 + 2 * NOISE_DEAF_MS; now_ms += 1000) {
        ck_assert(noise_ends(&noise, now_ms));
        ck_assert(noise.deaf);
    }
}
END_TEST

START_TEST(listening_again_for_a_moment_does_not_end_it_for_people)
{
    for (int64_t now_ms = 1000; now_ms < 600000; now_ms++) {
        listen_if_time(now_ms);
        noise_fired(&noise, now_ms);
        ck_assert(now_ms < 1000 + NOISE_MOST || noise_goes_on(&noise, now_ms));
    }
    for (int64_t now_ms = 600000; now_ms < 700000; now_ms += 1000)
        listen_if_time(now_ms);
    ck_assert(!noise_goes_on(&noise, 700000));
}
END_TEST

START_TEST(a_burst_now_and_then_is_no_noise)
{
    for (int64_t span = 0; span < 1000; span++)
        for (int i = 0; i < NOISE_MOST; i++)
            ck_assert(!noise_fired(&noise, span * NOISE_SPAN_MS));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("noise");
    TCase *tests = tcase_create("noise");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, an_honest_agent_is_always_heard);
    tcase_add_test(tests, a_flood_is_heard_for_a_moment_a_minute);
    tcase_add_test(tests, what_was_on_its_way_does_not_count_twice);
    tcase_add_test(tests, who_cannot_be_listened_to_stays_deaf);
    tcase_add_test(tests, listening_again_for_a_moment_does_not_end_it_for_people);
    tcase_add_test(tests, a_burst_now_and_then_is_no_noise);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
