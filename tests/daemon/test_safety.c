/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps a host safe, each with the measure switched off where the story must then fail: the
 * account of promise 1, writes that fail at every place, reservations, freezes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "core/decide.h"
#include "core/settings.h"
#include "daemon/engine.h"
#include "daemon/freezes.h"
#include "daemon/options.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"
#include "daemon/settings/layers.h"
#include "db/db.h"
#include "hv/sim/fault.h"
#include "hv/sim/world.h"
#include "tests/daemon/stage.h"

/* --- operations that fail -------------------------------------------------------------------- */

static const struct fault {
    enum sim_op op;
    enum sim_fault_how how;
    int times;  /* that it fails, in a row */
    int places; /* of its calls, so many are the first that fails, each in a story of its own */
} faults[] = {
    {SIM_OP_READ, SIM_FAULT_NOTHING, 3, 6},         {SIM_OP_SET_TARGET, SIM_FAULT_NOTHING, 3, 6},
    {SIM_OP_SET_TARGET, SIM_FAULT_HALF, 3, 6},      {SIM_OP_SET_TARGET, SIM_FAULT_DONE, 3, 6},
    {SIM_OP_SET_CAP, SIM_FAULT_NOTHING, 3, 1},      {SIM_OP_SET_CAP, SIM_FAULT_DONE, 1, 1},
    {SIM_OP_ADOPT_TARGET, SIM_FAULT_NOTHING, 3, 3}, {SIM_OP_ADOPT_TARGET, SIM_FAULT_DONE, 1, 3},
};
#define N_FAULTS ((int)(sizeof(faults) / sizeof(*faults)))

static void arm(const struct fault *fault, int after)
{
    char line[96];

    snprintf(line, sizeof(line), "fault %s after=%d times=%d how=%s", sim_op_name(fault->op), after,
             fault->times, sim_fault_how_name(fault->how));
    stage_xl(line);
}

/* Passes that may fail; promise 1 holds after each of them. Returns how many said that they did. */
static int pass_anyhow(int seconds)
{
    struct err err;
    int failed = 0;

    for (int i = 0; i < seconds; i++) {
        stage.now_ms += 1000;
        failed += engine_tick(stage.host.engine, stage.now_ms, &err) != 0;
        ck_assert(!engine_status(stage.host.engine)->invariant_broken);
        db_dispatch(stage.host.db);
    }
    return failed;
}

/* --- helpers --------------------------------------------------------------------------------- */

static void reserve_until(int64_t id, const char *name, int64_t mib, int64_t expires_ms)
{
    const struct db_reservation row = {.id = id,
                                       .name = name,
                                       .size_kib = mib * 1024,
                                       .priority = 50,
                                       .expires_ms = expires_ms,
                                       .uid = -1};

    reservations_load(stage.host.reservations, &row);
}

static void reserve(int64_t id, const char *name, int64_t mib)
{
    reserve_until(id, name, mib, 0);
}

static const struct reservation *first(void)
{
    return reservations_first(stage.host.reservations);
}

static void freeze(const char *name)
{
    freezes_load(stage.host.freezes, &(struct db_freeze){.name = name});
}

/* --- stories --------------------------------------------------------------------------------- */

/* All operations come in it: one VM is set by hand and its cap lifted, and another one's need
 * rises. */
static void play_with(const struct fault *fault, int after)
{
    const char *const lines[] = {"mem-set helper 900m", "mem-max helper 1100m",
                                 "demand busy 1700m"};
    int failed;

    arm(fault, after);
    failed = pass_anyhow(6);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        stage_xl(lines[i]);
    failed += pass_anyhow(60);
    ck_assert_msg(stage.world->faults[fault->op].times == 0, "%s is not called so often",
                  sim_op_name(fault->op));
    if (fault->op != SIM_OP_READ)
        failed = stage_events_saying("action", "failed ");
    ck_assert_msg(failed > 0, "that %s failed is not told", sim_op_name(fault->op));
    ck_assert_int_ge(stage_target_mib("busy"), 1700);
    ck_assert_int_le(stage_domain("helper")->now.cap.v, (900 + 1) * 1024);
    ck_assert_int_eq(engine_status(stage.host.engine)->settled, 1);
}

/* _i: which operation, and how much of it is done all the same. */
START_TEST(every_operation_may_fail_and_the_host_ends_where_it_should)
{
    for (int after = 0; after < faults[_i].places; after++) {
        play_with(&faults[_i], after);
        stage_tear_down();
        stage_set_up();
    }
}
END_TEST

/* Growth is held to what is free: without that the account of promise 1 itself says so. */
START_TEST(growth_that_nothing_pays_for_breaks_promise_1_and_is_told)
{
    const struct decide_faults off = {.grow_unverified = true};
    bool is_broken = false;

    stage_pass(5);
    engine_switch_off(stage.host.engine, &off);
    stage_xl("inside idle stuck=always");
    stage_xl("inside helper stuck=always");
    stage_xl("demand busy 2500m");
    for (int i = 0; i < 30 && !is_broken; i++) {
        stage.now_ms += 1000;
        ck_assert_int_eq(engine_tick(stage.host.engine, stage.now_ms, NULL), 0);
        is_broken = engine_status(stage.host.engine)->invariant_broken;
    }
    ck_assert(is_broken);
    ck_assert_int_eq(stage_events("invariant-broken", NULL), 1);
    engine_switch_off(stage.host.engine, &(struct decide_faults){0});
    for (int i = 0; i < 300; i++) {
        stage.now_ms += 1000;
        ck_assert_int_eq(engine_tick(stage.host.engine, stage.now_ms, NULL), 0);
    }
    ck_assert(!engine_status(stage.host.engine)->invariant_broken);
    ck_assert_int_eq(stage_events("invariant-restored", NULL), 1);
}
END_TEST

START_TEST(what_is_reserved_is_nobodys_else)
{
    reserve(7, "new", 250);
    stage_xl("demand busy 1800m");
    stage_pass(90);
    ck_assert_int_eq(engine_status(stage.host.engine)->unbound.v, 250 * 1024);
    ck_assert_int_ge(engine_status(stage.host.engine)->host.free.v, 250 * 1024);
    stage_xl("create new memory=240m maxmem=240m demand=100m");
    stage_pass(30);
    ck_assert_ptr_null(first());
}
END_TEST

START_TEST(one_that_dies_half_built_gives_its_reservation_back)
{
    reserve(7, "new", 250);
    stage_pass(2);
    stage_xl("create new -p memory=240m maxmem=240m demand=100m");
    stage_pass(1);
    ck_assert_int_eq(first()->state, RESERVATION_BOUND);
    stage_xl("destroy new");
    stage_pass(3);
    ck_assert_ptr_null(first()->next);
    ck_assert_ptr_nonnull(first());
    ck_assert_int_eq(first()->state, RESERVATION_GRANTED);
    ck_assert_int_eq(engine_status(stage.host.engine)->unbound.v, 250 * 1024);
}
END_TEST

/* A daemon that is killed before finds it on disk again: its memory must still be there. */
START_TEST(what_was_reserved_is_nobodys_until_its_end_is_on_disk)
{
    reserve(7, "new", 250);
    stage_pass(5);
    reservations_release(stage.host.reservations, NULL, 7);
    ck_assert_ptr_null(first());
    for (int i = 0; i < 3; i++) { /* the disk has not answered yet */
        stage.now_ms += 1000;
        ck_assert_int_eq(engine_tick(stage.host.engine, stage.now_ms, NULL), 0);
        ck_assert_int_eq(engine_status(stage.host.engine)->unbound.v, 250 * 1024);
    }
    ck_assert_int_eq(stage_events("reservation-released", "new"), 1); /* now it has */
    stage_pass(1);
    ck_assert_int_eq(engine_status(stage.host.engine)->unbound.v, 0);
}
END_TEST

/* _i: whether its domain has come when its time is over. */
START_TEST(a_reservations_time_is_that_in_which_its_domain_has_to_come)
{
    if (_i == 1)
        stage_xl("create new -p memory=240m maxmem=240m demand=100m");
    reserve_until(7, "new", 250, 1); /* long ago */
    stage_pass(5);
    ck_assert_int_eq(first() != NULL, _i == 1);
    ck_assert_int_eq(stage_events("reservation-expired", "new"), _i == 0);
}
END_TEST

/* _i: whether the domain dies half-built, or comes to run. */
START_TEST(a_slow_build_ends_its_reservation_by_running_or_dying)
{
    stage_xl("create new -p memory=240m maxmem=240m demand=100m");
    reserve_until(7, "new", 250, 1);
    stage_pass(2);
    ck_assert_int_eq(first()->state, RESERVATION_BOUND);
    stage_xl(_i == 0 ? "destroy new" : "unpause new");
    stage_pass(2);
    ck_assert_ptr_null(first());
    ck_assert_int_eq(stage_events("reservation-expired", "new"), _i == 0);
    ck_assert_int_eq(stage_events("reservation-released", "new"), _i == 1);
}
END_TEST

START_TEST(a_frozen_vm_is_not_written_until_it_is_thawed_over_restarts_too)
{
    int64_t before;

    stage_pass(5);
    before = stage_target_mib("busy");
    freeze("busy");
    stage_xl("demand busy 1500m");
    stage_pass(60);
    ck_assert_int_eq(stage_target_mib("busy"), before);
    ck_assert_int_eq(stage_domain("busy")->verdict.state, VM_FROZEN);
    registry_find(stage.host.registry, "busy")->frozen = false;
    stage_pass(60);
    ck_assert_int_ge(stage_target_mib("busy"), 1500);
}
END_TEST

START_TEST(without_the_gate_a_frozen_vm_is_written)
{
    const struct decide_faults off = {.no_gate = true};

    stage_pass(5);
    freeze("busy");
    engine_switch_off(stage.host.engine, &off);
    stage_xl("demand busy 1500m");
    stage_pass(60);
    ck_assert_int_ge(stage_target_mib("busy"), 1500);
}
END_TEST

START_TEST(a_freeze_that_was_for_a_while_ends_by_itself)
{
    struct vm_entry *vm;

    stage_pass(2);
    freeze("idle");
    vm = registry_find(stage.host.registry, "idle");
    vm->frozen_until_ms = 1; /* long ago */
    stage_pass(1);
    ck_assert(!vm->frozen);
    ck_assert_int_eq(stage_events("freeze-cleared", "idle"), 1);
}
END_TEST

/* True where promise 1 held all the while, and the VM runs again. */
static bool reboots_well(const char *name)
{
    bool is_well = true;

    stage_xl("reboot idle");
    for (int i = 0; i < 20; i++) {
        stage.now_ms += 1000;
        ck_assert_int_eq(engine_tick(stage.host.engine, stage.now_ms, NULL), 0);
        is_well &= !engine_status(stage.host.engine)->invariant_broken;
        db_dispatch(stage.host.db);
    }
    return is_well && registry_find(stage.host.registry, name)->domain;
}

/* _i: whether nothing is kept for it. Then its neighbour, whose need rises, takes its memory. */
START_TEST(a_reboots_memory_is_kept_from_its_neighbours)
{
    stage_pass(5);
    if (_i == 1)
        stage.host.options->reboot_grace_ms = 0;
    stage_xl("demand busy 2700m");
    ck_assert_int_eq(reboots_well("idle"), _i == 0);
}
END_TEST

START_TEST(a_reboot_after_ballooning_is_raised_to_its_startup)
{
    stage_xl("demand busy 1700m");
    stage_pass(60);
    ck_assert_int_lt(stage_target_mib("idle"), 700);
    stage_xl("demand busy 300m");
    stage_xl("reboot idle");
    stage_pass(60);
    ck_assert_int_ge(stage_target_mib("idle"), 1000);
}
END_TEST

START_TEST(a_hypervisor_that_runs_low_is_told_at_once)
{
    stage_pass(5);
    engine_note_low_memory(stage.host.engine);
    stage_pass(1);
    ck_assert_int_eq(stage_events("host-low", NULL), 1);
    engine_note_low_memory(stage.host.engine);
    stage_pass(60);
    ck_assert_int_eq(stage_events("host-low", NULL), 1);
    ck_assert_int_eq(stage_events("host-ok", NULL), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("safety");
    TCase *stories = tcase_create("stories");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(stories, stage_set_up, stage_tear_down);
    tcase_set_timeout(stories, 120);
    tcase_add_loop_test(stories, every_operation_may_fail_and_the_host_ends_where_it_should, 0,
                        N_FAULTS);
    tcase_add_test(stories, growth_that_nothing_pays_for_breaks_promise_1_and_is_told);
    tcase_add_test(stories, what_is_reserved_is_nobodys_else);
    tcase_add_test(stories, one_that_dies_half_built_gives_its_reservation_back);
    tcase_add_test(stories, what_was_reserved_is_nobodys_until_its_end_is_on_disk);
    tcase_add_loop_test(stories, a_reservations_time_is_that_in_which_its_domain_has_to_come, 0, 2);
    tcase_add_loop_test(stories, a_slow_build_ends_its_reservation_by_running_or_dying, 0, 2);
    tcase_add_test(stories, a_frozen_vm_is_not_written_until_it_is_thawed_over_restarts_too);
    tcase_add_test(stories, without_the_gate_a_frozen_vm_is_written);
    tcase_add_test(stories, a_freeze_that_was_for_a_while_ends_by_itself);
    tcase_add_loop_test(stories, a_reboots_memory_is_kept_from_its_neighbours, 0, 2);
    tcase_add_test(stories, a_reboot_after_ballooning_is_raised_to_its_startup);
    tcase_add_test(stories, a_hypervisor_that_runs_low_is_told_at_once);
    suite_add_tcase(suite, stories);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
