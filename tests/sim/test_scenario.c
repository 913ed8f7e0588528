/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenario files: what they say happens, and what is wrong in them is named with its line. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "hv/sim/step.h"
#include "hv/sim/world.h"
#include "sim/scenario.h"

#define assert_kib(a, b) ck_assert_int_eq((a).v, (b).v)

static char folder[64], path[96], trace_path[96];
static struct world *world;
static struct err err;

static void make_folder(void)
{
    snprintf(folder, sizeof(folder), "/tmp/xenmem-test-scenario-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/a.scenario", folder);
    snprintf(trace_path, sizeof(trace_path), "%s/t.csv", folder);
}

static void remove_folder(void)
{
    world = world_free(world);
    unlink(path);
    unlink(trace_path);
    rmdir(folder);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void read_text(const char *text)
{
    write_file(path, text);
    ck_assert_msg(scenario_read(path, &world, NULL, &err) == 0, "%s", err.text);
}

/* The refusal begins with that file and line, and has why in it. */
static void assert_refused_in(const char *file, const char *text, int line, const char *why)
{
    char start[120];

    write_file(path, text);
    ck_assert_msg(scenario_read(path, &world, NULL, &err) == -1, "taken: %s", text);
    ck_assert_int_eq(err.code, ERR_INVALID);
    if (line > 0)
        snprintf(start, sizeof(start), "%s:%d: ", file, line);
    else
        snprintf(start, sizeof(start), "%s: ", file);
    ck_assert_msg(strstr(err.text, start) != NULL, "'%s' does not say '%s'", err.text, start);
    ck_assert_msg(strstr(err.text, why) != NULL, "'%s' does not say '%s'", err.text, why);
}

static void assert_refused(const char *text, int line, const char *why)
{
    assert_refused_in(path, text, line, why);
}

START_TEST(a_scenario_makes_a_host_and_its_vms)
{
    read_text("[host]\n"
              "size = 8g\n"
              "dom0 = 1g\n"
              "[vm web1]\n"
              "memory = 1g\n"
              "maxmem = 2g\n"
              "[vm db1]\n"
              "type = hvm\n"
              "memory = 2g\n"
              "[vm later]\n"
              "memory = 1g\n"
              "start = 10s\n"
              "[vm never]\n"
              "memory = 1g\n"
              "start = off\n");
    assert_kib(world->host.size, kib_gib(8));
    ck_assert_uint_eq(world->n_domains, 3);
    assert_kib(world_find_name(world, "web1")->static_max, kib_gib(2));
    ck_assert_int_eq(world_find_name(world, "db1")->vm->type, SIM_HVM);
    world_advance(world, 20000);
    ck_assert_ptr_nonnull(world_find_name(world, "later"));
    ck_assert_ptr_null(world_find_name(world, "never"));
    ck_assert_ptr_nonnull(world_find_vm(world, "never"));
}
END_TEST

START_TEST(an_empty_scenario_is_a_host_without_vms)
{
    read_text("");
    ck_assert_uint_eq(world->n_domains, 1);
}
END_TEST

START_TEST(what_is_to_happen_happens_at_its_time)
{
    read_text("[vm web1]\n"
              "memory = 1g\n"
              "[vm db1]\n"
              "memory = 1g\n"
              "[at 30s]\n"
              "destroy = web1\n"
              "[at 10s]\n"
              "pause = web1, db1\n"
              "mem-set = web1 512m, db1 768m\n");
    world_advance(world, 10000);
    ck_assert(world_find_name(world, "web1")->paused);
    ck_assert(world_find_name(world, "db1")->paused);
    assert_kib(world_find_name(world, "db1")->target, kib_mib(768));
    world_advance(world, 30000);
    ck_assert_ptr_null(world_find_name(world, "web1"));
}
END_TEST

START_TEST(what_is_to_happen_every_so_often_happens_so)
{
    read_text("[vm web1]\nmemory = 1g\n[every 10s]\nreboot = web1\n");
    world_advance(world, 9000);
    ck_assert_uint_eq(world_find_name(world, "web1")->ref.domid, 1);
    world_advance(world, 39000);
    ck_assert_uint_eq(world_find_name(world, "web1")->ref.domid, 4);
}
END_TEST

START_TEST(a_host_may_be_described_after_its_vms)
{
    read_text(
        "[vm web1]\nmemory = 40g\n[host]\nsize = 64g\nnodes = 4\nseed = 9\ndom0-cap = unlimited\n");
    ck_assert(world->domains[0]->cap_unlimited);
    ck_assert_int_eq(world->host.nodes, 4);
}
END_TEST

START_TEST(each_mistake_is_named_with_its_line)
{
    assert_refused("[host]\nsize = 8g\n\n[vm web1]\nmemory = 1g\n\nmaxmen = 2g\n", 7,
                   "no key 'maxmen'");
    assert_refused("[host]\nsize = big\n", 2, "size 'big'");
    assert_refused("[host]\nram = 8g\n", 2, "no key 'ram'");
    assert_refused("[host]\nnodes = 0\n", 2, "nodes");
    assert_refused("[host]\nstep = 1ms\n", 2, "10ms to 60s");
    assert_refused("[host]\nbuild-rate = 0\n", 2, "less than a page");
    assert_refused("[guests]\n", 1, "none of [host], [vm NAME], [at TIME], [every TIME]");
    assert_refused("size = 8g\n", 1, "in no section");
    assert_refused("[vm]\n", 1, "none of");
    assert_refused("[vm a b]\n", 1, "no VM's name");
    assert_refused("[vm Domain-0]\n", 1, "[host]");
    assert_refused("[vm  a]\nmemory = 1g\n[vm a]\n", 3, "twice");
    assert_refused("[vm web1]\nmemory = 1g\nstart = never\n", 3, "neither running, off");
    assert_refused("[vm web1]\nmemory = 1g\ndemand = step 0:1g 0:2g\n", 3, "forward");
    assert_refused("[at noon]\n", 1, "noon");
    assert_refused("[vm a]\nmemory = 1g\n[at 5s]\nfly = a\n", 4, "no command 'fly'");
    assert_refused("[vm a]\nmemory = 1g\n[at 5s]\nmem-set = a\n", 4, "usage: mem-set");
    assert_refused("[vm a]\nmemory = 1g\n[at 5s]\npause = b\n", 4, "about no VM");
    assert_refused("[vm a]\nmemory = 1g\n[at 5s]\npause = a,\n", 4, "usage: pause");
}
END_TEST

START_TEST(what_only_the_whole_file_shows_is_named_with_its_section)
{
    assert_refused("\n[vm web1]\nmaxmem = 2g\n", 2, "no memory=SIZE");
    assert_refused("[vm a]\nmemory = 2g\nmaxmem = 1g\n", 1, "below memory");
    assert_refused("[host]\nsize = 4g\n[vm a]\nmemory = 1g\n[vm b]\nmemory = 1g\n", 5,
                   "VM b: xc_dom_boot_mem_init");
    assert_refused("[host]\nsize = 1g\n", 0, "cannot hold Xen and dom0");
    assert_refused("[host]\ndom0 = 2g\ndom0-cap = 1g\n", 0, "dom0's cap");
    assert_refused("[host]\ndom0 = 0\n", 0, "dom0 has no memory");
}
END_TEST

START_TEST(a_file_that_is_not_there_is_named)
{
    ck_assert_int_eq(scenario_read("/nonexistent/a.scenario", &world, NULL, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/a.scenario"));
}
END_TEST

/* --- traces --- */

static const char with_trace[] = "[vm web1]\nmemory = 1g\ntrace = t.csv\n";

START_TEST(a_trace_is_followed)
{
    write_file(trace_path, "vm,timestamp_s,provisioned_kib,used_kib\n"
                           "web1,1000,4096,102400\n"
                           "db1,1000,4096,1\n"
                           "web1,1300,4096,204800\n");
    read_text(with_trace);
    world_advance(world, 1000);
    assert_kib(world_find_name(world, "web1")->inside.need, kib_mib(100));
    world_advance(world, 299000);
    assert_kib(world_find_name(world, "web1")->inside.need, kib_mib(100));
    world_advance(world, 300000);
    assert_kib(world_find_name(world, "web1")->inside.need, kib_mib(200));
}
END_TEST

START_TEST(a_trace_may_be_anothers_or_have_one_vm_only)
{
    write_file(trace_path, "used_kib,timestamp_s\n4096,5\n8192,10\n");
    read_text(with_trace);
    world = world_free(world);
    write_file(trace_path, "vm,timestamp_s,used_kib\r\n17,0,4096\r\n");
    read_text("[vm web1]\nmemory = 1g\ntrace = t.csv 17\n");
}
END_TEST

START_TEST(a_mistake_in_a_trace_is_named_with_its_line)
{
    static const struct {
        const char *text;
        int line;
        const char *why;
    } cases[] = {
        {"", 0, "no sample"},
        {"vm,timestamp_s\n", 1, "no columns"},
        {"vm,timestamp_s,used_kib\nweb1,0\n", 2, "3 columns"},
        {"vm,timestamp_s,used_kib\nweb1,0,1\nweb1,x,1\n", 3, "timestamp_s"},
        {"vm,timestamp_s,used_kib\nweb1,0,-1\n", 2, "used_kib"},
        {"vm,timestamp_s,used_kib\nweb1,0,100000000000000000000\n", 2, "used_kib"},
        {"vm,timestamp_s,used_kib\nweb1,5,1\nweb1,5,1\n", 3, "forward"},
        {"vm,timestamp_s,used_kib\ndb1,0,1\n", 0, "no sample of web1"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        write_file(trace_path, cases[i].text);
        assert_refused_in(trace_path, with_trace, cases[i].line, cases[i].why);
        assert_refused(with_trace, 3, "trace");
    }
    unlink(trace_path);
    assert_refused(with_trace, 3, "No such file");
}
END_TEST

/* --- what is shipped --- */

START_TEST(in_the_demo_needs_move_and_nobody_dies)
{
    char demo[4096];
    int64_t low = INT64_MAX, high = 0;

    snprintf(demo, sizeof(demo), "%s/sim/scenarios/demo.scenario", getenv("XENMEM_SRC"));
    ck_assert_msg(scenario_read(demo, &world, NULL, &err) == 0, "%s", err.text);
    ck_assert_uint_eq(world->n_domains, 13); /* a dozen, and dom0 */
    for (int64_t ms = 5000; ms <= 600000; ms += 500) {
        int64_t sum = 0;

        world_advance(world, ms);
        for (size_t i = 0; i < world->n_domains; i++)
            sum += world->domains[i]->inside.need.v;
        if (ms <= 30000) {
            low = sum < low ? sum : low;
            high = sum > high ? sum : high;
        }
    }
    ck_assert_int_gt(high - low, kib_gib(5).v);
    ck_assert_uint_eq(world->n_domains, 13);
    ck_assert_uint_eq(world->crashes + world->oom_kills, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scenario");
    TCase *tcase = tcase_create("files");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, make_folder, remove_folder);
    tcase_add_test(tcase, a_scenario_makes_a_host_and_its_vms);
    tcase_add_test(tcase, an_empty_scenario_is_a_host_without_vms);
    tcase_add_test(tcase, what_is_to_happen_happens_at_its_time);
    tcase_add_test(tcase, what_is_to_happen_every_so_often_happens_so);
    tcase_add_test(tcase, a_host_may_be_described_after_its_vms);
    tcase_add_test(tcase, each_mistake_is_named_with_its_line);
    tcase_add_test(tcase, what_only_the_whole_file_shows_is_named_with_its_section);
    tcase_add_test(tcase, a_file_that_is_not_there_is_named);
    tcase_add_test(tcase, a_trace_is_followed);
    tcase_add_test(tcase, a_trace_may_be_anothers_or_have_one_vm_only);
    tcase_add_test(tcase, a_mistake_in_a_trace_is_named_with_its_line);
    tcase_add_test(tcase, in_the_demo_needs_move_and_nobody_dies);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
