/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a start takes from the host, as libxl reckons it. */
#include "core/build.h"
#include "tests/core/suite.h"

static struct build build;

/* As xl reads a file that says no more than memory, of one vCPU. */
static void make(enum build_type type, int64_t memory_mib, int64_t maxmem_mib)
{
    build = (struct build){.memory = kib_mib(memory_mib),
                           .maxmem = kib_mib(maxmem_mib),
                           .type = type,
                           .vcpus = 1,
                           .video = kib(-1),
                           .shadow = kib(-1)};
}

static int64_t needs_kib(void)
{
    return build_needs(&build).v;
}

/* Each figure is rounded up to 2 MiB once it is whole. */
START_TEST(each_type_has_its_overhead)
{
    make(BUILD_PV, 1024, 1024);
    ck_assert_int_eq(needs_kib(), 1024 * 1024 + 6 * 1024); /* 1 slack, 1 + 4 shadow */
    make(BUILD_PVH, 1024, 1024);
    ck_assert_int_eq(needs_kib(), 1024 * 1024 + 8 * 1024); /* 2 slack, 1 + 4 shadow */
    make(BUILD_HVM, 1024, 1024);
    ck_assert_int_eq(needs_kib(), 1024 * 1024 + 16 * 1024); /* a screen of 8 besides */
}
END_TEST

START_TEST(a_larger_maximum_costs_page_tables)
{
    make(BUILD_PVH, 1024, 4096);
    ck_assert_int_eq(needs_kib(), 1024 * 1024 + 20 * 1024);
    build.vcpus = 8;
    ck_assert_int_eq(needs_kib(), 1024 * 1024 + 26 * 1024);
}
END_TEST

START_TEST(what_is_said_counts_as_it_is_said)
{
    make(BUILD_HVM, 1024, 4096);
    build.video = kib_mib(16);
    build.shadow = kib(0);
    ck_assert_int_eq(needs_kib(), 1024 * 1024 + 18 * 1024);
    build.stub = true;
    ck_assert_int_eq(needs_kib(), 1024 * 1024 + 50 * 1024);
    build.passthrough = true;
    ck_assert_int_eq(needs_kib(), 1024 * 1024 + 60 * 1024);
}
END_TEST

START_TEST(what_is_usual_lacks_nothing_that_most_vms_take)
{
    build = build_usual(kib_gib(1), kib_gib(4));
    ck_assert_int_ge(needs_kib(), kib_mib(1024 + 8 + 16 + 16 + 2 + 8 + 1).v);
    ck_assert_int_le(needs_kib(), kib_mib(1024 + 64).v);
}
END_TEST

START_TEST(the_largest_of_all_is_reckoned_too)
{
    make(BUILD_HVM, KIB_LIMIT / 1024, KIB_LIMIT / 1024);
    build.vcpus = BUILD_VCPUS_MOST;
    build.video = build.shadow = kib(KIB_LIMIT);
    build.passthrough = true;
    ck_assert_int_gt(needs_kib(), KIB_LIMIT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_type_has_its_overhead,         a_larger_maximum_costs_page_tables,
        what_is_said_counts_as_it_is_said,  what_is_usual_lacks_nothing_that_most_vms_take,
        the_largest_of_all_is_reckoned_too, NULL,
    };

    return suite_run("build", tests);
}
