/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explanations: which steps there are, and what their sentences are made from. */
#include <string.h>

#include "core/explain.h"
#include "tests/core/paper.h"
#include "tests/core/suite.h"

static struct paper paper;
static struct explain_step steps[EXPLAIN_VM_STEPS];

static size_t explain(size_t vm)
{
    paper_decide(&paper);
    return explain_vm(&paper.snapshot, &paper.decision, &paper.tracks[vm], vm, steps);
}

static void assert_codes(size_t n, const char *const *codes)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_str_eq(steps[i].code, codes[i]);
}

static int64_t figure(const struct explain_step *step, const char *name)
{
    for (size_t i = 0; i < step->n_figures; i++)
        if (strcmp(step->figures[i].name, name) == 0)
            return step->figures[i].value;
    ck_abort_msg("%s has no %s", step->code, name);
    return 0;
}

START_TEST(one_that_needs_more_is_explained_from_need_to_action)
{
    static const char *const codes[] = {"running", "need",  "demand",      "wanted",
                                        "bounds",  "share", "grow-demand", "grow-demand"};

    paper_init(&paper, 2000);
    paper_add(&paper, 256, 1000, 4096, 1500);
    ck_assert_uint_eq(explain(0), 8);
    assert_codes(8, codes);
    ck_assert_int_eq(figure(&steps[3], "wanted_kib"), kib_mib(1800).v);
    ck_assert_int_eq(figure(&steps[7], "to_kib"), kib_mib(1800).v);
    ck_assert_str_eq(steps[3].text, "With a buffer of 20% it wants 1.76 GiB, within its bounds.");
}
END_TEST

START_TEST(one_that_may_not_be_written_has_the_reason_alone)
{
    paper_init(&paper, 2000);
    paper_add(&paper, 256, 1000, 4096, 1500);
    paper.vms[0].state = VM_PAUSED;
    ck_assert_uint_eq(explain(0), 2);
    ck_assert_str_eq(steps[1].code, "state");
}
END_TEST

START_TEST(scarcity_says_how_much_is_lacking)
{
    paper_init(&paper, 1);
    paper_add(&paper, 256, 1000, 4096, 1500);
    ck_assert_uint_eq(explain(0), 8);
    ck_assert_str_eq(steps[6].code, "scarce");
    ck_assert_ptr_nonnull(strstr(steps[5].text, "There is too little for all: with priority 50"));
}
END_TEST

START_TEST(what_waits_for_memory_says_so)
{
    size_t needy;

    paper_init(&paper, 1);
    needy = paper_add(&paper, 256, 1000, 4096, 1500);
    paper_add(&paper, 256, 4000, 4096, 500);
    ck_assert_uint_eq(explain(needy), 8);
    ck_assert_str_eq(steps[7].code, "waits");
    ck_assert_int_eq(figure(&steps[7], "to_kib"), kib_mib(1800).v);
}
END_TEST

START_TEST(no_need_is_no_number)
{
    paper_init(&paper, 1000);
    paper_add(&paper, 256, 1000, 4096, -1);
    ck_assert_uint_eq(explain(0), 8);
    ck_assert_str_eq(steps[1].code, "no-data");
    ck_assert_uint_eq(steps[2].n_figures, 0);
    ck_assert_str_eq(steps[6].code, "no-data");
}
END_TEST

START_TEST(a_start_is_judged_to_the_kib)
{
    const struct admission found = {kib_mib(100), kib_mib(200)};
    struct explain_step step;

    ck_assert(explain_start(&found, kib_mib(100), 50, &step));
    ck_assert_str_eq(step.code, "start");
    ck_assert(explain_start(&found, kib_mib(300), 50, &step));
    ck_assert(!explain_start(&found, kib(kib_mib(300).v + 1), 50, &step));
    ck_assert_str_eq(step.code, "no-memory");
    ck_assert_int_eq(figure(&step, "missing_kib"), 1);
}
END_TEST

START_TEST(no_sentence_is_cut_whatever_its_figures)
{
    paper_init(&paper, 1);
    paper_add(&paper, KIB_LIMIT / 2048, KIB_LIMIT / 1024 - 1, KIB_LIMIT / 1024, KIB_LIMIT / 1024);
    paper_decide(&paper);
    for (size_t i = 0, n = explain(0); i < n; i++) {
        ck_assert_uint_lt(strlen(steps[i].text), EXPLAIN_TEXT - 1);
        ck_assert_int_eq(steps[i].text[strlen(steps[i].text) - 1], '.');
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        one_that_needs_more_is_explained_from_need_to_action,
        one_that_may_not_be_written_has_the_reason_alone,
        scarcity_says_how_much_is_lacking,
        what_waits_for_memory_says_so,
        no_need_is_no_number,
        a_start_is_judged_to_the_kib,
        no_sentence_is_cut_whatever_its_figures,
        NULL,
    };

    return suite_run("explain", tests);
}
