/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine on a simulated host in this process, through minutes in milliseconds. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/edges.h"
#include "daemon/engine.h"
#include "daemon/events.h"
#include "daemon/layers.h"
#include "daemon/registry.h"
#include "daemon/snapshot.h"
#include "db/db.h"
#include "hv/hv_sim.h"
#include "hv/hv_sim_vm.h"
#include "hv/hv_sim_world.h"
#include "hv/hv_sim_xl.h"

static struct world *world;
static struct daemon host;
static char folder[64];
static int64_t now_ms;

static void add_vm(const char *name, const char *memory, const char *maxmem, const char *demand)
{
    struct sim_vm vm;

    sim_vm_init(&vm, name);
    ck_assert_int_eq(sim_vm_set(&vm, "memory", memory, NULL), 0);
    ck_assert_int_eq(sim_vm_set(&vm, "maxmem", maxmem, NULL), 0);
    ck_assert_int_eq(sim_vm_set(&vm, "demand", demand, NULL), 0);
    ck_assert_int_eq(sim_vm_complete(&vm, NULL), 0);
    ck_assert_int_eq(toolstack_settle(world, world_take_vm(world, &vm), NULL), 0);
}

/* All of the daemon but its loop and its socket. */
static void open_daemon(void)
{
    const struct db_limits limits = {0};
    struct setting_partial *said;
    char database[80];

    snprintf(database, sizeof(database), "%s/db", folder);
    ck_assert_int_eq(db_open(database, &limits, &host.db, NULL), 0);
    host.layers = layers_new();
    said = layer_vm(layers_find(host.layers, LAYER_ID_CONFIG), "*");
    setting_put(said, VM_KEY_MODE, VM_MODE_DYNAMIC);
    setting_put(said, VM_KEY_MINIMUM, 256 * 1024);
    host.registry = registry_new();
    host.events = events_new(&host);
    host.engine = engine_new(&host);
    hv_sim_local_open(world, &host.hv);
}

static void close_daemon(void)
{
    engine_free(host.engine);
    db_close(host.db);
    events_free(host.events);
    hv_close(host.hv);
    registry_free(host.registry);
    layers_free(host.layers);
    host = (struct daemon){0};
}

/* 4 GiB for three guests: busy, idle, helper. */
static void set_up(void)
{
    struct world_host sizes;

    log_set_level(LOG_LEVEL_ERROR);
    strcpy(folder, "/tmp/xenmem-engine-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    world_host_init(&sizes);
    sizes.size = kib_gib(4);
    sizes.dom0 = sizes.dom0_cap = kib_mib(512);
    ck_assert_int_eq(world_new(&sizes, &world, NULL), 0);
    add_vm("busy", "1g", "3g", "600m");
    add_vm("idle", "1g", "2g", "300m");
    add_vm("helper", "1g", "2g", "300m");
    now_ms = 0;
    open_daemon();
}

static void tear_down(void)
{
    char command[96];

    close_daemon();
    world = world_free(world);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void xl(const char *line)
{
    char text[128];
    const char *words[8];
    size_t n_words = 0;
    struct sim_xl_answer answer;

    snprintf(text, sizeof(text), "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        words[n_words++] = word;
    sim_xl_run(world, n_words, words, &answer);
    ck_assert_msg(answer.exit_code == SIM_XL_DONE, "xl %s: %s", line, answer.err.text);
    sim_xl_answer_fini(&answer);
}

/* Seconds of passes. Promise 1 is looked at after each of them, from the world's own figures. */
static void pass(int seconds)
{
    struct err err = {0};

    for (int i = 0; i < seconds; i++) {
        now_ms += 1000;
        ck_assert_msg(engine_tick(host.engine, now_ms, &err) == 0, "%s", err.text);
        ck_assert_msg(!engine_status(host.engine)->invariant_broken,
                      "promise 1 is broken at %d s: uncommitted %lld", (int)(now_ms / 1000),
                      (long long)engine_status(host.engine)->uncommitted.v);
    }
}

static const struct domain *domain_of(const char *name)
{
    const struct vm_entry *vm = registry_find(host.registry, name);

    ck_assert_ptr_nonnull(vm);
    ck_assert_ptr_nonnull(vm->domain);
    return vm->domain;
}

static int64_t target_mib(const char *name)
{
    return domain_of(name)->now.target.v / 1024;
}

/* --- what is in the journal ------------------------------------------------------------------ */

struct counting {
    const char *kind, *vm;
    int count;
    bool done;
};

static void count_rows(void *arg, int rc, const struct err *err, const struct db_event *rows,
                       size_t count)
{
    struct counting *counting = arg;

    ck_assert_msg(rc == 0, "%s", err ? err->text : "");
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].kind, counting->kind) == 0 &&
            (!counting->vm || (rows[i].vm && strcmp(rows[i].vm, counting->vm) == 0)))
            counting->count++;
    counting->done = true;
}

static int events_of(const char *kind, const char *vm)
{
    struct counting counting = {kind, vm, 0, false};
    const struct db_filter all = {.limit = 100000};

    ck_assert_int_eq(db_query_events(host.db, &all, count_rows, &counting, NULL), 0);
    for (int i = 0; i < 10000 && !counting.done; i++) {
        usleep(1000);
        db_dispatch(host.db);
    }
    ck_assert(counting.done);
    return counting.count;
}

/* --- stories --------------------------------------------------------------------------------- */

START_TEST(memory_follows_need_and_promise_1_holds_at_every_pass)
{
    pass(10);
    xl("demand busy 1500m");
    pass(60);
    ck_assert_int_ge(target_mib("busy"), 1500);
    ck_assert_int_lt(target_mib("idle"), 1024);
    ck_assert_int_eq(engine_status(host.engine)->settled, 1);
}
END_TEST

START_TEST(a_domain_that_xl_works_on_is_left_alone_until_it_is_done)
{
    int64_t before;

    pass(10);
    before = target_mib("idle");
    xl("lock idle");
    xl("lock helper");
    xl("demand busy 1500m");
    pass(10);
    ck_assert_int_eq(target_mib("idle"), before);
    xl("unlock idle");
    xl("unlock helper");
    pass(30);
    ck_assert_int_ge(target_mib("busy"), 1500);
}
END_TEST

START_TEST(a_daemon_that_is_started_again_moves_nothing)
{
    int64_t busy, idle;

    xl("demand busy 1500m");
    pass(90);
    busy = target_mib("busy");
    idle = target_mib("idle");
    close_daemon();
    open_daemon();
    pass(30);
    ck_assert_int_eq(target_mib("busy"), busy);
    ck_assert_int_eq(target_mib("idle"), idle);
}
END_TEST

START_TEST(observing_writes_nothing_not_even_our_copy_of_a_target)
{
    struct setting_partial *said = layer_host(layers_find(host.layers, LAYER_ID_CONFIG));

    setting_put(said, HOST_KEY_ACTION, HOST_ACTION_OBSERVE);
    xl("demand busy 1500m");
    pass(30);
    ck_assert_int_eq(target_mib("busy"), 1024);
    ck_assert(!domain_of("busy")->now.has_own_target);
    ck_assert_int_eq(events_of("action", "busy"), 1); /* told once, though decided at every pass */
}
END_TEST

START_TEST(a_target_set_by_hand_before_we_ever_wrote_one_is_an_override)
{
    pass(3);
    xl("mem-set idle 700m");
    pass(5);
    ck_assert(domain_of("idle")->overridden);
    ck_assert_int_eq(target_mib("idle"), 700);
    ck_assert_int_eq((int)engine_clear_overrides(host.engine, "idle", NULL), 1);
    pass(2);
    ck_assert(!domain_of("idle")->overridden);
    ck_assert_int_eq(events_of("override-seen", "idle"), 1);
    ck_assert_int_eq(events_of("override-cleared", "idle"), 1);
}
END_TEST

START_TEST(a_vm_that_lacks_memory_is_told_once_and_so_is_its_relief)
{
    pass(5);
    xl("demand busy 3g");
    pass(60);
    xl("demand busy 200m");
    pass(1200); /* need falls slowly */
    ck_assert_int_le(events_of("vm-low", "busy"), 1);
    ck_assert_int_eq(events_of("vm-warning", "busy"), 1);
    ck_assert_int_eq(events_of("vm-ok", "busy"), 1);
    ck_assert_int_eq(events_of("host-low", NULL), 1);
    ck_assert_int_eq(events_of("host-ok", NULL), 1);
}
END_TEST

START_TEST(a_stuck_guest_is_told_and_its_recovery_too)
{
    pass(5);
    xl("inside idle stuck=always");
    xl("demand busy 1800m");
    pass(60);
    ck_assert_int_eq(events_of("vm-unresponsive", "idle"), 1);
    xl("inside idle stuck=never");
    pass(600);
    ck_assert_int_eq(events_of("vm-recovered", "idle"), 1);
}
END_TEST

START_TEST(what_was_learnt_of_a_vm_outlives_the_daemon)
{
    xl("demand busy 1500m");
    pass(60);
    ck_assert_int_eq(registry_find(host.registry, "busy")->natural.target.v, 1024 * 1024);
    ck_assert(!registry_find(host.registry, "busy")->unsaved);
}
END_TEST

/* --- the small parts ------------------------------------------------------------------------- */

START_TEST(an_edge_is_told_once_it_has_lasted)
{
    struct edge edge = {0};

    ck_assert(!edge_follow(&edge, true, 1000, 5000));
    ck_assert(!edge_follow(&edge, true, 5999, 5000));
    ck_assert(edge_follow(&edge, true, 6000, 5000));
    ck_assert(!edge_follow(&edge, true, 7000, 5000));
    ck_assert(!edge_follow(&edge, false, 8000, 5000));
    ck_assert(!edge_follow(&edge, true, 9000, 5000)); /* it was back in time: nothing is told */
    ck_assert(!edge_follow(&edge, false, 10000, 5000));
    ck_assert(edge_follow(&edge, false, 15000, 5000));
}
END_TEST

START_TEST(each_source_of_need_has_its_own_idea_of_fresh)
{
    struct guest_report report = {.source = NEED_AGENT};

    ck_assert(snapshot_report_is_fresh(&report, 30000));
    ck_assert(!snapshot_report_is_fresh(&report, 30001));
    report.source = NEED_XENSERVER;
    ck_assert(snapshot_report_is_fresh(&report, 180000));
    ck_assert(!snapshot_report_is_fresh(&report, 180001));
    report.source = NEED_QUBES;
    ck_assert(snapshot_report_is_fresh(&report, INT64_C(1) << 40));
    report.source = NEED_NONE;
    ck_assert(!snapshot_report_is_fresh(&report, 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("engine");
    TCase *stories = tcase_create("stories");
    TCase *parts = tcase_create("parts");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(stories, set_up, tear_down);
    tcase_set_timeout(stories, 60);
    tcase_add_test(stories, memory_follows_need_and_promise_1_holds_at_every_pass);
    tcase_add_test(stories, a_domain_that_xl_works_on_is_left_alone_until_it_is_done);
    tcase_add_test(stories, a_daemon_that_is_started_again_moves_nothing);
    tcase_add_test(stories, observing_writes_nothing_not_even_our_copy_of_a_target);
    tcase_add_test(stories, a_target_set_by_hand_before_we_ever_wrote_one_is_an_override);
    tcase_add_test(stories, a_vm_that_lacks_memory_is_told_once_and_so_is_its_relief);
    tcase_add_test(stories, a_stuck_guest_is_told_and_its_recovery_too);
    tcase_add_test(stories, what_was_learnt_of_a_vm_outlives_the_daemon);
    tcase_add_test(parts, an_edge_is_told_once_it_has_lasted);
    tcase_add_test(parts, each_source_of_need_has_its_own_idea_of_fresh);
    suite_add_tcase(suite, stories);
    suite_add_tcase(suite, parts);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
