/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the journal says of writes that fail: each kind of failure once, not at every pass. */
#include <check.h>
#include <stdlib.h>

#include "base/err.h"
#include "daemon/apply.h"
#include "daemon/memory.h"
#include "daemon/registry.h"
#include "hv/hv_ops.h"
#include "tests/daemon/stage.h"

static enum err_code failure; /* of every write; ERR_NONE: none fails */

static int set_target(struct hv *hv, const struct hv_ref *ref, struct kib target, struct kib cap,
                      struct err *err)
{
    (void)hv;
    (void)ref;
    (void)target;
    (void)cap;
    return failure ? err_set(err, failure, "an injected fault") : 0;
}

static void write_busy(void)
{
    const struct domain *busy = stage_domain("busy");
    const struct action action = {.vm = (uint32_t)(busy - stage.host.registry->domains),
                                  .kind = ACTION_TARGET,
                                  .from = busy->now.target,
                                  .target = busy->now.target,
                                  .cap = busy->now.cap,
                                  .reason = REASON_GROW_DEMAND};
    struct vm *vms = memory_new(stage.host.registry->n_domains, sizeof(*vms));
    struct kib lowest = kib(0);

    (void)apply_actions(&stage.host, &action, 1, vms, &lowest);
    free(vms);
}

/* Writes so often, with that outcome: how many rows of the journal came of it. */
static int rows_of(int writes, enum err_code code)
{
    static const struct hv_ops ops = {.kind = "simulated", .set_target = set_target};
    struct hv *real = stage.host.hv;
    struct hv failing = {&ops};
    int before = stage_events("action", "busy");

    failure = code;
    stage.host.hv = &failing;
    for (int i = 0; i < writes; i++)
        write_busy();
    stage.host.hv = real;
    return stage_events("action", "busy") - before;
}

START_TEST(a_failure_is_told_once_until_a_write_succeeds)
{
    ck_assert_int_eq(rows_of(5, ERR_FAILED), 1);
    ck_assert_int_eq(rows_of(1, ERR_NONE), 1);
    ck_assert_int_eq(rows_of(5, ERR_FAILED), 1);
}
END_TEST

START_TEST(who_only_waits_for_xl_is_told_after_a_while)
{
    ck_assert_int_eq(rows_of(29, ERR_BUSY), 0);
    ck_assert_int_eq(rows_of(30, ERR_BUSY), 1);
}
END_TEST

/* What lasts is no less news because somebody's lock was in the way first. */
START_TEST(a_failure_behind_a_lock_is_told)
{
    ck_assert_int_eq(rows_of(3, ERR_BUSY), 0);
    ck_assert_int_eq(rows_of(1, ERR_FAILED), 1);
    ck_assert_int_eq(rows_of(5, ERR_FAILED), 0);
}
END_TEST

START_TEST(that_a_domain_went_away_is_no_failure)
{
    ck_assert_int_eq(rows_of(50, ERR_NOT_FOUND), 0);
}
END_TEST

static void set_up(void)
{
    stage_set_up();
    stage_pass(2);
}

int main(void)
{
    Suite *suite = suite_create("apply");
    TCase *tests = tcase_create("apply");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, stage_tear_down);
    tcase_add_test(tests, a_failure_is_told_once_until_a_write_succeeds);
    tcase_add_test(tests, who_only_waits_for_xl_is_told_after_a_while);
    tcase_add_test(tests, a_failure_behind_a_lock_is_told);
    tcase_add_test(tests, that_a_domain_went_away_is_no_failure);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
