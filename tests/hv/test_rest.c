/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a full virtual guest has booted, as its balloon shows. */
#include <check.h>
#include <stdlib.h>

#include "core/model.h"
#include "hv/hv.h"
#include "hv/rest.h"

static const struct kib no_video = {0};

/* A PVH guest that holds as much more than its target as Xen's usually do. */
static struct hv_domain guest;
static struct rest rest;

static void setup(void)
{
    guest = (struct hv_domain){.assigned = kib(163904), .target = kib(163840)};
    rest = rest_begin(false);
}

static bool rested_at(int64_t now_ms)
{
    rest_look(&rest, &guest, no_video, now_ms);
    return rest.rested;
}

START_TEST(two_looks_in_a_row_are_no_rest)
{
    ck_assert(!rested_at(5000));
    ck_assert(!rested_at(5020));
    ck_assert(!rested_at(6999));
    ck_assert(rested_at(7000));
    ck_assert_int_eq(guest.offset.v, 64);
}
END_TEST

/* Its memory does not move while it pays: Xen takes pages from it that it never had. */
START_TEST(the_rest_begins_when_the_debt_is_paid)
{
    guest.pod_debt = kib_mib(96);
    ck_assert(!rested_at(1000));
    ck_assert(!rested_at(9000));
    guest.pod_debt = kib(0);
    ck_assert(!rested_at(10000));
    ck_assert(rested_at(11000));
}
END_TEST

START_TEST(whoever_moves_does_not_rest)
{
    ck_assert(!rested_at(1000));
    guest.assigned = kib(160000);
    ck_assert(!rested_at(3000));
    guest.assigned = guest.target;
    ck_assert(!rested_at(4900));
    ck_assert(!rested_at(6800));
    ck_assert(rested_at(6900));
    ck_assert_int_eq(guest.offset.v, 0);
}
END_TEST

START_TEST(far_from_its_target_it_has_not_booted)
{
    guest.assigned = kib_mib(140);
    ck_assert(!rested_at(1000));
    ck_assert(!rested_at(60000));
}
END_TEST

/* A daemon that starts anew finds a guest that cannot go where it was told to: it must be able to
 * help it. */
START_TEST(stuck_where_we_sent_it_it_has_booted_all_the_same)
{
    guest.assigned = kib_mib(180);
    guest.has_own_target = true;
    ck_assert(!rested_at(1000));
    ck_assert(rested_at(3000));
    ck_assert_int_eq(guest.offset.v, 0);
    guest.assigned = kib(163904); /* free again: its offset is measured as ever */
    rested_at(4000);
    rested_at(6000);
    ck_assert_int_eq(guest.offset.v, 64);
}
END_TEST

START_TEST(after_a_save_it_is_measured_again)
{
    rested_at(1000);
    ck_assert(rested_at(3000));
    guest.state = VM_SAVING;
    ck_assert(!rested_at(4000));
    guest.state = VM_BOOTING;
    guest.assigned = kib(163940);
    ck_assert(!rested_at(5000));
    ck_assert(rested_at(7000));
    ck_assert_int_eq(guest.offset.v, 100);
}
END_TEST

START_TEST(a_paravirtual_guest_has_nothing_to_measure)
{
    guest.pv = true;
    rest = rest_begin(true);
    ck_assert(rested_at(1000));
    ck_assert_int_eq(guest.offset.v, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hv/rest");
    TCase *tcase = tcase_create("rest");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, two_looks_in_a_row_are_no_rest);
    tcase_add_test(tcase, the_rest_begins_when_the_debt_is_paid);
    tcase_add_test(tcase, whoever_moves_does_not_rest);
    tcase_add_test(tcase, far_from_its_target_it_has_not_booted);
    tcase_add_test(tcase, stuck_where_we_sent_it_it_has_booted_all_the_same);
    tcase_add_test(tcase, after_a_save_it_is_measured_again);
    tcase_add_test(tcase, a_paravirtual_guest_has_nothing_to_measure);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
