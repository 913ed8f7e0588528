/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Curves of demand, and the keys of a simulated VM. */
#include <stdlib.h>
#include <string.h>

#include "tests/hv/story.h"

static struct err err;

/* The need of a curve at that second. */
static struct kib at(const char *text, int64_t seconds)
{
    struct curve curve;
    struct kib need;

    ck_assert_msg(curve_parse(text, &curve, &err) == 0, "%s: %s", text, err.text);
    need = curve_at(&curve, seconds * 1000);
    curve_fini(&curve);
    return need;
}

static void assert_no_curve(const char *text, const char *why)
{
    struct curve curve;

    ck_assert_msg(curve_parse(text, &curve, &err) == -1, "taken: %s", text);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strstr(err.text, why) != NULL, "'%s' does not say '%s'", err.text, why);
}

START_TEST(a_size_is_a_constant_need)
{
    assert_kib(at("300m", 0), kib_mib(300));
    assert_kib(at("300m", 1000000), kib_mib(300));
    assert_kib(at("0", 5), kib(0));
}
END_TEST

START_TEST(steps_hold_until_the_next)
{
    const char *text = "step 0:300m 60s:2g 2m:1g";

    assert_kib(at(text, 0), kib_mib(300));
    assert_kib(at(text, 59), kib_mib(300));
    assert_kib(at(text, 60), kib_gib(2));
    assert_kib(at(text, 119), kib_gib(2));
    assert_kib(at(text, 100000), kib_gib(1));
}
END_TEST

START_TEST(before_its_first_point_a_curve_is_there_already)
{
    assert_kib(at("step 10s:1g 20s:2g", 0), kib_gib(1));
    assert_kib(at("ramp 10s:1g 20s:2g", 5), kib_gib(1));
}
END_TEST

START_TEST(ramps_are_straight)
{
    const char *text = "ramp 0:1g 100s:2g";

    assert_kib(at(text, 0), kib_gib(1));
    assert_kib(at(text, 25), kib_mib(1280));
    assert_kib(at(text, 100), kib_gib(2));
    assert_kib(at(text, 200), kib_gib(2));
    assert_kib(at("ramp 0:2g 100s:1g", 50), kib_mib(1536));
}
END_TEST

START_TEST(a_period_begins_anew)
{
    const char *text = "step 0:1g 30s:2g every 60s";

    assert_kib(at(text, 59), kib_gib(2));
    assert_kib(at(text, 60), kib_gib(1));
    assert_kib(at(text, 60 * 1000 + 30), kib_gib(2));
}
END_TEST

START_TEST(a_sine_swings_between_its_two_needs)
{
    const char *text = "sine 1g 2g every 100s";

    assert_kib(at(text, 0), kib_gib(1));
    assert_kib(at(text, 25), kib_mib(1536));
    assert_kib(at(text, 50), kib_gib(2));
    assert_kib(at(text, 75), kib_mib(1536));
    for (int64_t s = 0; s < 100; s++) {
        ck_assert_int_ge(at(text, s).v, kib_gib(1).v);
        ck_assert_int_le(at(text, s).v, kib_gib(2).v);
        assert_kib(at(text, s), at(text, 100 - s));
        if (s < 50)
            ck_assert_int_lt(at(text, s).v, at(text, s + 1).v);
    }
}
END_TEST

START_TEST(what_is_no_curve_is_refused)
{
    assert_no_curve("", "neither a size");
    assert_no_curve("lots", "neither a size");
    assert_no_curve("300", "neither a size");
    assert_no_curve("step", "without points");
    assert_no_curve("step 5", "TIME:SIZE");
    assert_no_curve("step 0:1g 0:2g", "forward");
    assert_no_curve("step 10s:1g 5s:2g", "forward");
    assert_no_curve("step 0:1g every", "without a period");
    assert_no_curve("step 0:1g every 8hh", "8hh");
    assert_no_curve("step 0:1g every 5s more", "behind");
    assert_no_curve("step 0:1g 60s:2g every 60s", "within its period");
    assert_no_curve("step 0:2000t", "1024t");
    assert_no_curve("sine 1g 2g", "sine LOW HIGH");
    assert_no_curve("sine 1g every 5s", "sine LOW HIGH");
    assert_no_curve("sine 1g 2g 3g every 5s", "sine LOW HIGH");
}
END_TEST

START_TEST(noise_wanders_within_its_bounds_and_everybody_differently)
{
    struct sim_vm a, b;
    int different = 0;

    sim_vm_init(&a, "a");
    sim_vm_init(&b, "b");
    ck_assert_int_eq(sim_vm_set(&a, "demand", "1g", &err), 0);
    ck_assert_int_eq(sim_vm_set(&b, "demand", "1g", &err), 0);
    a.noise = b.noise = kib_mib(100);
    for (int64_t ms = 0; ms < 600000; ms += 100) {
        struct kib need = sim_vm_need(&a, 1, ms);

        ck_assert_int_ge(need.v, kib_mib(924).v);
        ck_assert_int_le(need.v, kib_mib(1124).v);
        /* It wanders; it does not jump. */
        ck_assert_int_le(llabs(sim_vm_need(&a, 1, ms + 100).v - need.v), kib_mib(5).v);
        different += need.v != sim_vm_need(&b, 1, ms).v;
    }
    ck_assert_int_gt(different, 5900);
    sim_vm_fini(&a);
    sim_vm_fini(&b);
}
END_TEST

/* Sets keys on a VM of 1 GiB; what the first wrong one, or the whole, is refused with. */
static const char *refusal(const char *key, const char *value)
{
    struct sim_vm vm;
    int rc;

    err.text[0] = '\0';
    sim_vm_init(&vm, "web1");
    ck_assert_int_eq(sim_vm_set(&vm, "memory", "1g", &err), 0);
    rc = sim_vm_set(&vm, key, value, &err) || sim_vm_complete(&vm, &err);
    sim_vm_fini(&vm);
    ck_assert_int_eq(rc != 0, err.text[0] != '\0');
    return err.text;
}

static void assert_refused(const char *key, const char *value, const char *why)
{
    const char *text = refusal(key, value);

    ck_assert_msg(strstr(text, why) != NULL, "%s=%s: '%s' does not say '%s'", key, value, text,
                  why);
}

START_TEST(keys_take_what_makes_sense)
{
    ck_assert_str_eq(refusal("maxmem", "2048"), ""); /* xl's MiB */
    ck_assert_str_eq(refusal("type", "hvm"), "");
    ck_assert_str_eq(refusal("stuck", "every 250ms"), "");
    ck_assert_str_eq(refusal("agent", "greedy"), "");
    ck_assert_str_eq(refusal("on-crash", "preserve"), "");
    ck_assert_str_eq(refusal("balloon", "no"), "");
}
END_TEST

START_TEST(keys_refuse_what_makes_none)
{
    assert_refused("maxmem", "512m", "below memory");
    assert_refused("maxmem", "-1", "maxmem");
    assert_refused("maxmem", "1025t", "1024t");
    assert_refused("memory", "0", "has no memory");
    assert_refused("type", "vmware", "pv, pvh, hvm");
    assert_refused("stuck", "sometimes", "never, always");
    assert_refused("agent", "007", "greedy");
    assert_refused("vcpus", "0", "vcpus");
    assert_refused("offset", "100k", "PV has neither offset");
    assert_refused("videoram", "2g", "leaves nothing");
    assert_refused("colour", "red", "no key 'colour'");
}
END_TEST

START_TEST(names_are_what_xl_and_files_can_hold)
{
    ck_assert_int_eq(sim_vm_check_name("web-1.example_2+x", &err), 0);
    ck_assert_int_eq(sim_vm_check_name("", &err), -1);
    ck_assert_int_eq(sim_vm_check_name("a b", &err), -1);
    ck_assert_int_eq(sim_vm_check_name("a/b", &err), -1);
    ck_assert_int_eq(sim_vm_check_name("0123456789012345678901234567890123456789012345678", &err),
                     -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_vm");
    TCase *tcase = tcase_create("texts");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, a_size_is_a_constant_need);
    tcase_add_test(tcase, steps_hold_until_the_next);
    tcase_add_test(tcase, before_its_first_point_a_curve_is_there_already);
    tcase_add_test(tcase, ramps_are_straight);
    tcase_add_test(tcase, a_period_begins_anew);
    tcase_add_test(tcase, a_sine_swings_between_its_two_needs);
    tcase_add_test(tcase, what_is_no_curve_is_refused);
    tcase_add_test(tcase, noise_wanders_within_its_bounds_and_everybody_differently);
    tcase_add_test(tcase, keys_take_what_makes_sense);
    tcase_add_test(tcase, keys_refuse_what_makes_none);
    tcase_add_test(tcase, names_are_what_xl_and_files_can_hold);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
