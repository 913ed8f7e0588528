/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random hosts and histories against every promise that a decision can break.
 *
 * XENMEM_PROPERTY_CASES says how many hosts (default 15000), XENMEM_PROPERTY_SECONDS for how long
 * instead, XENMEM_PROPERTY_SEED where to begin. A failing case is made as small as can be and
 * printed, as a scenario too; its seed brings it back with XENMEM_PROPERTY_CASES=1.
 * XENMEM_PROPERTY_SHOW=SEED prints the host of that seed as a scenario and does no more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/core/as_scenario.h"
#include "tests/core/promises.h"
#include "tests/core/shrink.h"
#include "tests/core/suite.h"

#define DEFAULT_CASES 15000
#define FAULT_CASES   3000 /* hosts within which a safety measure that is off must be noticed */

static struct world world, copy;

static uint64_t number_from(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 0) : fallback;
}

static bool keeps(const struct promise *promise, struct complaint *complaint)
{
    world_copy(&copy, &world);
    return promise->check(&copy, complaint);
}

static void print_decision(void)
{
    world_copy(&copy, &world);
    paper_decide(&copy.paper);
    for (size_t i = 0; i < copy.paper.snapshot.n_vms; i++) {
        const struct verdict *verdict = &copy.paper.verdicts[i];

        printf("verdict %zu: demand=%" PRId64 "k wanted=%" PRId64 "k low=%" PRId64 "k high=%" PRId64
               "k share=%" PRId64 "k goal=%" PRId64 "k %s\n",
               i, verdict->demand.v, verdict->wanted.v, verdict->low.v, verdict->high.v,
               verdict->share.v, verdict->goal.v, reason_name(verdict->reason));
    }
    for (size_t i = 0; i < copy.paper.decision.n_actions; i++) {
        const struct action *action = &copy.paper.actions[i];

        printf("action %zu: vm %u %s from=%" PRId64 "k target=%" PRId64 "k cap=%" PRId64 "k %s\n",
               i, action->vm, action->kind == ACTION_TARGET ? "target" : "cap", action->from.v,
               action->target.v, action->cap.v, reason_name(action->reason));
    }
}

static void report(const struct promise *promise, uint64_t seed, struct complaint *complaint)
{
    printf("\npromise %s: XENMEM_PROPERTY_SEED=%" PRIu64 "\n%zu VMs: %s\n", promise->name, seed,
           world.paper.snapshot.n_vms, complaint->text);
    shrink(&world, promise, complaint);
    printf("the least host found that still breaks it: %s\n", complaint->text);
    world_print(&world);
    print_decision();
    printf("\nas a scenario, for xenmem-sim run:\n\n");
    as_scenario_print(&world);
    fflush(stdout);
}

/* The first promise that the host of this seed breaks; NULL where it keeps them all. */
static const struct promise *first_broken(uint64_t seed, bool hold_all, struct complaint *complaint)
{
    struct random random = {seed ^ UINT64_C(0x5ca1ab1e)};

    for (size_t i = 0; i < n_promises; i++)
        if ((random_chance(&random, promises[i].percent) || hold_all) &&
            !keeps(&promises[i], complaint))
            return &promises[i];
    return NULL;
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

START_TEST(random_hosts_keep_every_promise)
{
    uint64_t seed = number_from("XENMEM_PROPERTY_SEED", 1);
    uint64_t seconds = number_from("XENMEM_PROPERTY_SECONDS", 0);
    uint64_t cases = number_from("XENMEM_PROPERTY_CASES", seconds ? UINT64_MAX : DEFAULT_CASES);
    double start = seconds_now();
    struct complaint complaint;
    uint64_t done;

    for (done = 0; done < cases; done++, seed++) {
        const struct promise *promise;

        if (seconds && seconds_now() - start >= (double)seconds)
            break;
        world_generate(&world, seed);
        promise = first_broken(seed, cases == 1, &complaint);
        if (promise) {
            report(promise, seed, &complaint);
            ck_abort_msg("promise %s is broken by the host of seed %" PRIu64, promise->name, seed);
        }
    }
    printf("%" PRIu64 " hosts, the last of seed %" PRIu64 ", in %.1f s\n", done, seed - 1,
           seconds_now() - start);
}
END_TEST

/* With a measure off, that very promise is seen to be broken. */
static void assert_noticed(struct decide_faults faults, promise_check *check)
{
    struct complaint complaint;

    for (uint64_t seed = 1; seed <= FAULT_CASES; seed++) {
        world_generate(&world, seed);
        world.paper.faults = faults;
        if (check(&world, &complaint))
            continue;
        printf("noticed at host %" PRIu64 ": %s\n", seed, complaint.text);
        return;
    }
    ck_abort_msg("it goes unnoticed");
}

START_TEST(growing_unverified_is_noticed)
{
    assert_noticed((struct decide_faults){.grow_unverified = true}, promise_each_action);
}
END_TEST

START_TEST(ignoring_floors_is_noticed)
{
    assert_noticed((struct decide_faults){.no_floors = true}, promise_bounds);
}
END_TEST

START_TEST(not_finding_the_stuck_is_noticed)
{
    assert_noticed((struct decide_faults){.no_settle = true}, promise_quiet);
}
END_TEST

START_TEST(writing_to_whoever_is_there_is_noticed)
{
    assert_noticed((struct decide_faults){.no_gate = true}, promise_untouchable);
}
END_TEST

int main(void)
{
    uint64_t shown = number_from("XENMEM_PROPERTY_SHOW", 0);

    if (shown > 0) {
        world_generate(&world, shown);
        as_scenario_print(&world);
        return EXIT_SUCCESS;
    }
    /* As long as it is told to take, and in one process, so that a debugger can follow. */
    (void)setenv("CK_FORK", "no", 0);
    (void)setenv("CK_DEFAULT_TIMEOUT", "0", 0);
    return suite_run("properties", (const TTest *const[]){
                                       random_hosts_keep_every_promise,
                                       growing_unverified_is_noticed,
                                       ignoring_floors_is_noticed,
                                       not_finding_the_stuck_is_noticed,
                                       writing_to_whoever_is_there_is_noticed,
                                       NULL,
                                   });
}
