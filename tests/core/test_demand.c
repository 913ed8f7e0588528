/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM needs, wants, and is not sent beyond. */
#include "core/demand.h"
#include "tests/core/suite.h"

#define HOUR_MS      INT64_C(3600000)
#define HALF_LIFE_MS INT64_C(600000)

static const struct host_settings settings = {.demand_half_life_ms = HALF_LIFE_MS};

static struct vm vm_of(int64_t minimum_mib, int64_t maximum_mib, int64_t need_mib)
{
    return (struct vm){
        .state = VM_RUNNING,
        .settings = {.startup = kib_mib(minimum_mib),
                     .minimum = kib_mib(minimum_mib),
                     .maximum = kib_mib(maximum_mib),
                     .buffer_percent = 20,
                     .priority = 50,
                     .mode = VM_MODE_DYNAMIC},
        .assigned = kib_mib(1000),
        .target = kib_mib(1000),
        .report = {.source = NEED_AGENT, .need = kib_mib(need_mib)},
        .fresh = true,
    };
}

static struct verdict judged(const struct vm *vm)
{
    struct vm_track track = {0};
    struct verdict verdict;

    demand_follow(vm, &settings, 0, &track);
    demand_judge(vm, &track, &verdict);
    return verdict;
}

START_TEST(the_floor_curve_goes_through_its_published_points)
{
    static const int64_t points[][2] = {{0, 0},      {128, 72},   {512, 168},
                                        {2048, 360}, {8192, 744}, {32768, 1512}};
    int64_t last = -1;

    for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
        ck_assert_int_eq(demand_floor_curve(kib_mib(points[i][0])).v, points[i][1] * 1024);
    for (int64_t mib = 0; mib < 70000; mib += 7) {
        int64_t floor = demand_floor_curve(kib_mib(mib)).v;

        ck_assert_int_ge(floor, last);
        ck_assert_int_le(floor, mib * 1024);
        last = floor;
    }
    ck_assert_int_lt(demand_floor_curve(kib(KIB_LIMIT)).v, KIB_LIMIT / 16);
}
END_TEST

START_TEST(a_rise_is_believed_at_once)
{
    struct vm vm = vm_of(256, 4096, 500);
    struct vm_track track = {0};

    demand_follow(&vm, &settings, 0, &track);
    vm.report.need = kib_mib(900);
    demand_follow(&vm, &settings, 1, &track);
    ck_assert_int_eq(track.demand.v, kib_mib(900).v);
}
END_TEST

START_TEST(a_rise_is_taken_to_go_on_by_as_much_again)
{
    const struct host_settings leads = {.demand_half_life_ms = HALF_LIFE_MS,
                                        .demand_lead_percent = 10};
    struct vm vm = vm_of(256, 4096, 500);
    struct vm_track track = {0};

    demand_follow(&vm, &leads, 0, &track);
    ck_assert_int_eq(track.demand.v, kib_mib(500).v); /* the first word is no rise */
    vm.report.need = kib_mib(530);
    demand_follow(&vm, &leads, 1, &track);
    ck_assert_int_eq(track.demand.v, kib_mib(560).v);
    vm.report.need = kib_mib(1000); /* as a burst: a tenth of the need is enough */
    demand_follow(&vm, &leads, 2, &track);
    ck_assert_int_eq(track.demand.v, kib_mib(1100).v);
    vm.report.need = kib_mib(4000);
    demand_follow(&vm, &leads, 3, &track);
    ck_assert_int_eq(track.demand.v, kib_mib(4096).v);
}
END_TEST

START_TEST(what_was_expected_and_did_not_come_falls_like_all_else)
{
    const struct host_settings leads = {.demand_half_life_ms = HALF_LIFE_MS,
                                        .demand_lead_percent = 10};
    struct vm vm = vm_of(256, 4096, 500);
    struct vm_track track = {0};

    demand_follow(&vm, &leads, 0, &track);
    vm.report.need = kib_mib(1000);
    demand_follow(&vm, &leads, 0, &track);
    for (int64_t now = 0; now <= HALF_LIFE_MS; now += 1000)
        demand_follow(&vm, &leads, now, &track);
    ck_assert_int_ge(track.demand.v, kib_mib(1048).v);
    ck_assert_int_le(track.demand.v, kib_mib(1052).v);
}
END_TEST

START_TEST(without_a_half_life_a_fall_is_believed_at_once)
{
    const struct host_settings none = {0};
    struct vm vm = vm_of(256, 4096, 900);
    struct vm_track track = {0};

    demand_follow(&vm, &none, 0, &track);
    vm.report.need = kib_mib(500);
    demand_follow(&vm, &none, 1, &track);
    ck_assert_int_eq(track.demand.v, kib_mib(500).v);
}
END_TEST

START_TEST(half_of_a_fall_is_gone_after_the_half_life)
{
    struct vm vm = vm_of(256, 4096, 900);
    struct vm_track track = {0};

    demand_follow(&vm, &settings, 0, &track);
    vm.report.need = kib_mib(500);
    for (int64_t now = 0; now <= HALF_LIFE_MS; now += 1000)
        demand_follow(&vm, &settings, now, &track);
    ck_assert_int_ge(track.demand.v, kib_mib(694).v);
    ck_assert_int_le(track.demand.v, kib_mib(706).v);
    demand_follow(&vm, &settings, 24 * HOUR_MS, &track);
    ck_assert_int_eq(track.demand.v, kib_mib(500).v);
}
END_TEST

START_TEST(how_often_it_is_asked_does_not_change_the_fall)
{
    struct vm vm = vm_of(256, 4096, 900);
    struct vm_track often = {0};
    struct vm_track once = {0};

    demand_follow(&vm, &settings, 0, &often);
    demand_follow(&vm, &settings, 0, &once);
    vm.report.need = kib_mib(500);
    for (int64_t now = 0; now <= HOUR_MS; now += 700)
        demand_follow(&vm, &settings, now, &often);
    demand_follow(&vm, &settings, HOUR_MS, &often);
    demand_follow(&vm, &settings, HOUR_MS, &once);
    ck_assert_int_le(often.demand.v - once.demand.v, 2048);
    ck_assert_int_le(once.demand.v - often.demand.v, 2048);
}
END_TEST

START_TEST(years_without_a_report_cost_nothing)
{
    struct vm vm = vm_of(256, KIB_LIMIT / 1024, KIB_LIMIT / 1024);
    struct vm_track track = {0};

    demand_follow(&vm, &settings, 0, &track);
    vm.report.need = kib(0);
    demand_follow(&vm, &settings, INT64_MAX / 2, &track);
    ck_assert_int_eq(track.demand.v, 0);
}
END_TEST

START_TEST(wanted_is_demand_and_buffer_within_the_bounds)
{
    struct vm vm = vm_of(256, 4096, 1000);

    ck_assert_int_eq(judged(&vm).wanted.v, kib_mib(1200).v);
    vm.settings.buffer_percent = 2000;
    ck_assert_int_eq(judged(&vm).wanted.v, kib_mib(4096).v);
    vm.report.need = kib(0);
    ck_assert_int_eq(judged(&vm).wanted.v, kib_mib(256).v);
}
END_TEST

START_TEST(a_need_beyond_the_maximum_counts_as_the_maximum)
{
    struct vm vm = vm_of(256, 4096, KIB_LIMIT / 1024);

    ck_assert_int_eq(judged(&vm).demand.v, kib_mib(4096).v);
}
END_TEST

START_TEST(a_claimed_floor_binds_only_where_the_guest_is_trusted)
{
    struct vm vm = vm_of(256, 4096, 500);

    vm.report.floor = kib_mib(2000);
    ck_assert_int_eq(judged(&vm).low.v, kib_mib(256).v);
    ck_assert_int_eq(judged(&vm).demand.v, kib_mib(2000).v);
    vm.settings.trust = true;
    ck_assert_int_eq(judged(&vm).low.v, kib_mib(2000 + 24 + 2000 / 16).v); /* and its margin */
    ck_assert_int_eq(judged(&vm).demand.v, kib_mib(500).v);
    vm.report.floor = kib_mib(1 << 20);
    ck_assert_int_eq(judged(&vm).low.v, kib_mib(4096).v);
}
END_TEST

START_TEST(nobody_is_sent_below_what_its_kernel_takes)
{
    struct vm vm = vm_of(1, 4096, 10);

    ck_assert_int_eq(judged(&vm).low.v, kib_mib(64).v); /* a 64th of the maximum */
    vm.settings.startup = kib_mib(2048);
    ck_assert_int_eq(judged(&vm).low.v, kib_mib(360).v); /* the curve */
}
END_TEST

START_TEST(pressure_lifts_need_and_by_no_more_than_a_quarter)
{
    struct vm vm = vm_of(256, 4096, 1000);

    vm.report.psi_some = 1000; /* hundredths of a percent */
    ck_assert_int_eq(judged(&vm).demand.v, kib_mib(1050).v);
    vm.report.psi_some = 10000;
    ck_assert_int_eq(judged(&vm).demand.v, kib_mib(1250).v);
    vm.settings.maximum = kib_mib(1100);
    ck_assert_int_eq(judged(&vm).demand.v, kib_mib(1100).v);
}
END_TEST

START_TEST(more_in_use_than_it_has_is_suspicious)
{
    struct vm vm = vm_of(256, 4096, 1000 + 16 + 1000 / 16);

    ck_assert(!judged(&vm).suspicious);
    vm.report.need = kib_add(vm.report.need, kib_mib(1));
    ck_assert(judged(&vm).suspicious);
    vm.report.swap_used = kib_mib(10); /* it may be there */
    ck_assert(!judged(&vm).suspicious);
    vm.report.need = kib(KIB_LIMIT);
    ck_assert(judged(&vm).suspicious);
    vm.fresh = false; /* what it said long ago says nothing of now */
    ck_assert(!judged(&vm).suspicious);
    vm.fresh = true;
    vm.report.source = NEED_QUBES; /* its one figure has the swap in it */
    ck_assert(!judged(&vm).suspicious);
}
END_TEST

START_TEST(status_and_pressure_are_hyper_vs)
{
    static const struct {
        int64_t need_mib;
        enum vm_status status;
        int32_t pressure;
    } cases[] = {
        {1001, VM_STATUS_WARNING, 120}, {1000, VM_STATUS_LOW, 120}, {863, VM_STATUS_LOW, 103},
        {861, VM_STATUS_OK, 103},       {100, VM_STATUS_OK, 12},    {0, VM_STATUS_OK, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct vm vm = vm_of(256, 4096, cases[i].need_mib);
        struct verdict verdict = judged(&vm);

        ck_assert_msg(verdict.status == cases[i].status, "need %d: %s", (int)cases[i].need_mib,
                      vm_status_name(verdict.status));
        ck_assert_int_eq(verdict.pressure, cases[i].pressure);
    }
}
END_TEST

START_TEST(without_a_fresh_report_nothing_is_known)
{
    struct vm vm = vm_of(256, 4096, 1000);

    vm.fresh = false;
    ck_assert_int_eq(judged(&vm).demand.v, -1);
    ck_assert_int_eq(judged(&vm).pressure, -1);
    ck_assert_int_eq(judged(&vm).status, VM_STATUS_UNKNOWN);
}
END_TEST

int main(void)
{
    return suite_run("demand", (const TTest *const[]){
                                   the_floor_curve_goes_through_its_published_points,
                                   a_rise_is_believed_at_once,
                                   a_rise_is_taken_to_go_on_by_as_much_again,
                                   what_was_expected_and_did_not_come_falls_like_all_else,
                                   without_a_half_life_a_fall_is_believed_at_once,
                                   half_of_a_fall_is_gone_after_the_half_life,
                                   how_often_it_is_asked_does_not_change_the_fall,
                                   years_without_a_report_cost_nothing,
                                   wanted_is_demand_and_buffer_within_the_bounds,
                                   a_need_beyond_the_maximum_counts_as_the_maximum,
                                   a_claimed_floor_binds_only_where_the_guest_is_trusted,
                                   nobody_is_sent_below_what_its_kernel_takes,
                                   pressure_lifts_need_and_by_no_more_than_a_quarter,
                                   more_in_use_than_it_has_is_suspicious,
                                   status_and_pressure_are_hyper_vs,
                                   without_a_fresh_report_nothing_is_known,
                                   NULL,
                               });
}
