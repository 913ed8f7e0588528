/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random histories of a simulated host: whatever xl, guests and a careless daemon do, pages add up
 * (world_advance checks that at each step), caps hold, and claims are kept. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hv/sim/sim.h"
#include "hv/sim/step.h"
#include "tests/hv/story.h"

#define HISTORIES 40
#define STEPS     1500
#define NAMES     8

static uint64_t seed, drawn;

static uint64_t draw(uint64_t below)
{
    return sim_random(seed, drawn++) % below;
}

static void do_xl(void)
{
    static const char *const plain[] = {"destroy", "shutdown", "reboot", "crash",
                                        "pause",   "unpause",  "save",   "migrate"};
    static const char *const types[] = {"pv", "pvh", "hvm"};
    struct sim_xl_answer answer;
    char words[8][64] = {"", "", "", "", "", "", "", ""};
    const char *argv[8];
    size_t n_words = 2;

    snprintf(words[1], 64, "vm%" PRIu64, draw(NAMES));
    switch (draw(5)) {
    case 0:
        snprintf(words[0], 64, "%s", plain[draw(8)]);
        break;
    case 1:
        snprintf(words[0], 64, "mem-%s", draw(4) ? "set" : "max");
        snprintf(words[2], 64, "%" PRIu64 "k", draw(4000000));
        n_words = 3;
        break;
    case 2:
        snprintf(words[0], 64, "demand");
        snprintf(words[2], 64, "%" PRIu64 "m", draw(3000));
        n_words = 3;
        break;
    default:
        snprintf(words[0], 64, "%s", draw(5) ? "create" : "receive");
        snprintf(words[2], 64, "memory=%" PRIu64 "k", 20000 + draw(3000000));
        snprintf(words[3], 64, "maxmem=4g");
        snprintf(words[4], 64, "type=%s", types[draw(3)]);
        snprintf(words[5], 64, "deflate=%s", draw(8) ? "no" : "yes");
        n_words = 6;
    }
    for (size_t i = 0; i < n_words; i++)
        argv[i] = words[i];
    sim_xl_run(world, n_words, argv, &answer);
    sim_xl_answer_fini(&answer);
}

/* Writes something to somebody, as a daemon without any sense would. */
static void do_write(struct hv *hv, const struct hv_view *view)
{
    const struct hv_domain *domain = &view->domains[draw(view->n_domains)];
    struct kib target = kib((int64_t)draw(4000000));
    struct kib cap = kib((int64_t)draw(4000000));

    if (draw(3))
        (void)hv_set_target(hv, &domain->ref, target, kib_add(target, kib_mib(16)), NULL);
    else
        (void)hv_set_cap(hv, &domain->ref, cap, NULL);
}

/* Nobody holds more than both its cap and what it held before. */
static void check_growth(const struct kib before[], uint32_t n_before)
{
    for (size_t i = 0; i < world->n_domains; i++) {
        const struct sim_domain *domain = world->domains[i];
        struct kib had = domain->ref.domid < n_before ? before[domain->ref.domid] : kib(0);

        ck_assert_msg(domain->tot.v <= domain->cap.v || domain->tot.v <= had.v,
                      "seed %" PRIu64 ": domain %" PRIu32 " grew beyond its cap", seed,
                      domain->ref.domid);
        if (domain->phase == PHASE_BUILDING)
            ck_assert_int_eq(domain->tot.v + domain->claim.v, domain->build_to.v);
    }
}

static void live_a_history(void)
{
    struct hv_view view;
    struct hv *hv;

    story_begin("8g");
    hv_sim_local_open(world, &hv);
    for (int step = 0; step < STEPS; step++) {
        uint32_t n_before = world->next_domid;
        struct kib *before = calloc(n_before, sizeof(*before));

        ck_assert_int_eq(hv_read(hv, world->now_ms, &view, NULL), 0);
        if (draw(3) == 0)
            do_xl();
        if (draw(3) == 0)
            do_write(hv, &view);
        for (size_t i = 0; i < world->n_domains; i++)
            if (world->domains[i]->ref.domid < n_before)
                before[world->domains[i]->ref.domid] = world->domains[i]->tot;
        story_pass(100);
        check_growth(before, n_before);
        free(before);
    }
    hv_close(hv);
    story_end();
}

START_TEST(in_random_histories_pages_add_up_and_caps_hold)
{
    const char *given = getenv("XENMEM_SEED");
    uint64_t first = given ? strtoull(given, NULL, 10) : 1;

    printf("seeds from %" PRIu64 "; XENMEM_SEED=N begins elsewhere\n", first);
    for (seed = first; seed < first + HISTORIES; seed++) {
        drawn = 0;
        live_a_history();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_random");
    TCase *tcase = tcase_create("histories");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, in_random_histories_pages_add_up_and_caps_hold);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
