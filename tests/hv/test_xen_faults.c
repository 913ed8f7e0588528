/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Xen backend on a Xen of which any call may fail: nothing is left half-written or open, what
 * was not done is told, and the next try mends it. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "hv/xen/xen.h"
#include "tests/hv/fake_xen.h"

#define MIB 1024 /* KiB */

static struct hv *hv;
static struct hv_view view;
static int64_t now_ms;

/* --- one step, which may fail ---------------------------------------------------------------- */

/* Calls whose failure costs nothing but a look's worth of news, and so fails no step. */
static const char *const borne[] = {
    "xc_sharing_freed_pages",
    "xc_numainfo",
    "xc_get_paging_mempool_size",
    "xc_domain_get_pod_target", /* asked at each look until the guest has booted */
    "xenevtchn_open",
    "xenevtchn_bind_virq",
    "xs_is_domain_introduced",
    "xs_watch",
    "xs_read", /* each tried again at the next look */
    "xs_unwatch",
};

/* Whether the operator has just set another target must be known before one is written. What is
 * written behind the target is written again with the next. */
static bool is_borne(const char *call, bool writes_target)
{
    if (writes_target && strcmp(call, "xs_read") == 0)
        return false;
    if (writes_target && strcmp(call, "xs_write") == 0)
        return true;
    for (size_t i = 0; i < sizeof(borne) / sizeof(*borne); i++)
        if (strcmp(call, borne[i]) == 0)
            return true;
    return false;
}

static struct hv_ref ref_of(uint32_t domid)
{
    struct hv_ref ref = {.domid = domid};

    memset(ref.uuid, (int)domid, sizeof(ref.uuid));
    return ref;
}

static int open_it(uint32_t domid, struct err *err)
{
    (void)domid;
    if (hv_xen_open(&hv, err))
        return -1;
    ((struct xen *)hv)->savers.proc = fake_xen_folder(); /* nobody is being saved */
    return 0;
}

static int look(uint32_t domid, struct err *err)
{
    (void)domid;
    now_ms += 1000;
    return hv_read(hv, now_ms, &view, err);
}

static int take_in(uint32_t domid, struct err *err)
{
    unsigned changes;

    (void)domid;
    return hv_drain(hv, &changes, err);
}

static int raise_target(uint32_t domid, struct err *err)
{
    const struct hv_ref ref = ref_of(domid);

    return hv_set_target(hv, &ref, kib(1200 * MIB), kib(1201 * MIB), err);
}

static int lower_target(uint32_t domid, struct err *err)
{
    const struct hv_ref ref = ref_of(domid);

    return hv_set_target(hv, &ref, kib(600 * MIB), kib(1025 * MIB), err);
}

static int cut_cap(uint32_t domid, struct err *err)
{
    const struct hv_ref ref = ref_of(domid);

    return hv_set_cap(hv, &ref, kib(601 * MIB), err);
}

static int adopt(uint32_t domid, struct err *err)
{
    const struct hv_ref ref = ref_of(domid);

    return hv_adopt_target(hv, &ref, err);
}

/* --- the story ------------------------------------------------------------------------------- */

/* What is in force when the step is done; 0: as it was before. */
static const struct step {
    const char *name;
    int (*take)(uint32_t domid, struct err *err);
    int64_t cap, target;
} steps[] = {
    {"open", open_it, 0, 0},
    {"look", look, 0, 0},
    {"take in", take_in, 0, 0},
    {"look at what came in", look, 0, 0},
    {"raise the target", raise_target, 1201 * MIB, 1200 * MIB},
    {"look again", look, 0, 0},
    {"lower the target", lower_target, 1025 * MIB, 600 * MIB},
    {"cut the cap", cut_cap, 601 * MIB, 0},
    {"adopt", adopt, 0, 0},
    {"take in again", take_in, 0, 0},
    {"look once more", look, 0, 0},
};

/* Of the domain that is written: as many times as it takes, but no more than there are faults. */
static struct fake_levers before;

static bool is_as_before(uint32_t domid)
{
    const struct fake_levers now = fake_xen_levers(domid);

    return now.cap == before.cap && now.target == before.target && now.vm == before.vm &&
           (now.pod == before.pod || before.pod < 0);
}

/* has_failed: something did; what is written for people only may then be missing. */
static bool is_done(uint32_t domid, const struct step *step, bool has_failed)
{
    const struct fake_levers now = fake_xen_levers(domid);
    bool is_pod_done = domid != FAKE_HVM || now.pod == step->target + CAP_SLACK.v;

    if (step->cap == 0)
        return true;
    if (step->target == 0)
        return now.cap == step->cap;
    return now.cap == step->cap && now.target == step->target && now.own == step->target &&
           (now.vm == step->target / MIB || has_failed) && is_pod_done;
}

/* failures: how many calls fail in a row. One failure leaves all as it was; after more, what should
 * have put it back may have failed too. */
static void take_step(uint32_t domid, const struct step *step, int failures)
{
    struct err err = {0};

    for (int tries = 0;; tries++) {
        const char *failed_before = fake_xen_failed(), *failed;
        int rc;

        ck_assert_msg(tries <= failures, "%s: no next try mends it: %s", step->name, err.text);
        before = fake_xen_levers(domid);
        err = (struct err){0};
        if (tries > 0 && step->cap > 0)
            (void)look(domid, NULL); /* as the next pass does */
        rc = step->take(domid, &err);
        failed = failed_before ? NULL : fake_xen_failed();
        if (rc == 0) {
            ck_assert_msg(fake_xen_held() <= 4, "%s: %zu held", step->name, fake_xen_held());
            ck_assert_msg(!failed || is_borne(failed, step->target > 0),
                          "%s: that %s failed is not told", step->name, failed);
            ck_assert_msg(is_done(domid, step, failed), "%s: done, and not in force", step->name);
            return;
        }
        ck_assert_msg(err.code != ERR_NONE && err.text[0] != '\0', "%s: says nothing", step->name);
        ck_assert_msg(!failed || step->cap == 0 || err.code != ERR_NOT_FOUND,
                      "%s: the domain is there, and %s failed", step->name, failed);
        ck_assert_msg(failures > 1 || is_as_before(domid), "%s: %s left it half-written",
                      step->name, failed);
    }
}

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static const struct hv_domain *find(uint32_t domid)
{
    for (size_t i = 0; i < view.n_domains; i++)
        if (view.domains[i].ref.domid == domid)
            return &view.domains[i];
    ck_abort_msg("domain %u is not seen", domid);
    return NULL;
}

/* All that was missed is seen now, and what others do from now on. */
static void assert_sees_all(uint32_t domid)
{
    struct err err = {0};

    fake_xen_write(domid, "memory/target", "921600");
    fake_xen_write(domid, "name", "renamed");
    ck_assert_int_eq(take_in(domid, &err), 0);
    ck_assert_int_eq(look(domid, &err), 0);
    ck_assert_int_eq(view.n_domains, 4);
    ck_assert_str_eq(find(0)->name, "Domain-0");
    ck_assert_str_eq(find(domid)->name, "renamed");
    ck_assert_int_eq(find(domid)->target.v, 921600);
    ck_assert_int_eq(find(domid)->own_target.v, 600 * MIB);
    ck_assert_int_eq(find(domid)->static_max.v, 2097152);
    ck_assert_int_eq(find(domid)->cap.v, 601 * MIB);
    ck_assert(!find(domid)->stub);
    ck_assert(find(FAKE_STUB)->stub);
}

/* False where the story ends before the nth call. */
static bool play(uint32_t domid, int nth, int failures)
{
    const int descriptors = open_descriptors();
    bool has_failed;

    fake_xen_begin();
    now_ms = 0;
    fake_xen_fail(nth, failures);
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        take_step(domid, &steps[i], failures);
    has_failed = fake_xen_failed() != NULL;
    fake_xen_fail(-1, 0);
    assert_sees_all(domid);
    hv_close(hv);
    ck_assert_uint_eq(fake_xen_held(), 0);
    ck_assert_int_eq(open_descriptors(), descriptors);
    fake_xen_end();
    return has_failed;
}

/* _i: how many calls fail in a row, less one, and which guest is written. */
START_TEST(any_call_may_fail_and_the_next_try_mends_it)
{
    int nth = 0;

    while (play(_i % 2 == 0 ? FAKE_PV : FAKE_HVM, nth, _i / 2 + 1))
        nth++;
    ck_assert_int_gt(nth, 80); /* the story has so many calls at least */
}
END_TEST

/* A daemon that is killed between two of its writes leaves one of these. */
START_TEST(a_target_is_known_to_be_ours_wherever_its_writing_ended)
{
    static const struct {
        const char *own, *target;
        int64_t ours;
    } left[] = {
        {"921600 1048576", "1048576", 1048576},
        {"921600 1048576", "921600", 921600},
        {"921600", "921600", 921600},
        {"921600 1048576", "819200", 921600}, /* that is somebody else's */
        {"921600 x", "921600", -1},
        {"921600 ", "921600", -1},
    };
    struct err err = {0};

    fake_xen_begin();
    fake_xen_write(FAKE_PV, "memory/target", left[_i].target);
    fake_xen_write(FAKE_PV, "memory/xenmem-target", left[_i].own);
    now_ms = 0;
    ck_assert_int_eq(open_it(0, &err), 0);
    ck_assert_int_eq(look(0, &err), 0);
    ck_assert_int_eq(find(FAKE_PV)->has_own_target, left[_i].ours >= 0);
    if (left[_i].ours >= 0)
        ck_assert_int_eq(find(FAKE_PV)->own_target.v, left[_i].ours);
    hv_close(hv);
    fake_xen_end();
}
END_TEST

static int64_t free_and_held(void)
{
    int64_t sum = view.host.free.v;

    for (size_t i = 0; i < view.n_domains; i++)
        sum += view.domains[i].assigned.v;
    return sum;
}

START_TEST(a_look_in_which_two_balloons_move_is_taken_again)
{
    struct err err = {0};
    int64_t sum;

    fake_xen_begin();
    ck_assert_int_eq(open_it(0, &err), 0);
    ck_assert_int_eq(look(0, &err), 0);
    sum = free_and_held();
    fake_xen_move_balloons(512);
    ck_assert_int_eq(look(0, &err), 0);
    ck_assert_int_eq(free_and_held(), sum);
    hv_close(hv);
    fake_xen_end();
}
END_TEST

/* A pool that is taken after free was read is not gone from that free. */
START_TEST(a_pool_counts_once_free_was_read_without_it)
{
    struct err err = {0};
    int64_t sum;

    fake_xen_begin();
    ck_assert_int_eq(open_it(0, &err), 0);
    ck_assert_int_eq(look(0, &err), 0);
    sum = free_and_held();
    ck_assert_int_eq(find(FAKE_HVM)->pool.v, 0);
    for (int64_t pool = 16; pool <= 32; pool += 16) {
        fake_xen_build(16 * MIB / 4);
        ck_assert_int_eq(look(0, &err), 0);
        ck_assert_int_eq(find(FAKE_HVM)->state, VM_BUILDING);
        ck_assert_int_eq(find(FAKE_HVM)->pool.v, pool * MIB);
        ck_assert_int_eq(free_and_held(), sum - pool * MIB);
    }
    fake_xen_die();
    ck_assert_int_eq(look(0, &err), 0);
    ck_assert_int_eq(find(FAKE_HVM)->pool.v, 32 * MIB); /* what it had */
    hv_close(hv);
    fake_xen_end();
}
END_TEST

/* What is not known of a pool is left with what is kept for the domain. */
START_TEST(a_pool_that_cannot_be_asked_for_is_none)
{
    struct err err = {0};

    fake_xen_begin();
    ck_assert_int_eq(open_it(0, &err), 0);
    fake_xen_build(16 * MIB / 4);
    ck_assert_int_eq(look(0, &err), 0);
    for (int nth = 0;; nth++) {
        fake_xen_fail(nth, 1);
        if (look(0, &err) == 0 && !fake_xen_failed())
            break;
        if (strcmp(fake_xen_failed(), "xc_get_paging_mempool_size") == 0)
            ck_assert_int_eq(find(FAKE_HVM)->pool.v, 0);
        fake_xen_fail(-1, 0);
        ck_assert_int_eq(look(0, &err), 0);
        ck_assert_int_eq(find(FAKE_HVM)->pool.v, 16 * MIB);
    }
    hv_close(hv);
    fake_xen_end();
}
END_TEST

START_TEST(where_processes_cannot_be_seen_nothing_is_written)
{
    struct err err = {0};

    fake_xen_begin();
    now_ms = 0;
    ck_assert_int_eq(open_it(0, &err), 0);
    ck_assert_int_eq(look(0, &err), 0);
    ((struct xen *)hv)->savers.proc = "/nowhere";
    ((struct xen *)hv)->savers.seen = false;
    before = fake_xen_levers(FAKE_PV);
    ck_assert_int_eq(lower_target(FAKE_PV, &err), -1);
    ck_assert_int_eq(err.code, ERR_BUSY);
    ck_assert_int_eq(cut_cap(FAKE_PV, &err), -1);
    ck_assert_int_eq(err.code, ERR_BUSY);
    ck_assert(is_as_before(FAKE_PV));
    hv_close(hv);
    fake_xen_end();
}
END_TEST

/* Looks again, time and again, until all is seen. */
static void look_on(void)
{
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(take_in(0, NULL), 0);
        ck_assert_int_eq(look(0, NULL), 0);
    }
}

/* True where the nth call at the look that listens to it again was the first watch. */
static bool is_heard_again_though_it_fails(int nth)
{
    bool is_watch;

    fake_xen_begin();
    now_ms = 0;
    ck_assert_int_eq(open_it(0, NULL), 0);
    look_on();
    for (int i = 0; i <= NOISE_MOST; i++)
        fake_xen_write(FAKE_PV, "memory/meminfo", "200000");
    look_on();
    ck_assert(find(FAKE_PV)->noisy);
    now_ms += NOISE_DEAF_MS;
    fake_xen_fail(nth, 3); /* as many as there are watches of reports */
    (void)look(0, NULL);
    is_watch = fake_xen_failed() && strcmp(fake_xen_failed(), "xs_watch") == 0;
    fake_xen_fail(-1, 0);
    fake_xen_write(FAKE_PV, "memory/meminfo", "300000");
    look_on();
    ck_assert_int_eq(find(FAKE_PV)->report.need.v, 300000);
    hv_close(hv);
    fake_xen_end();
    return is_watch;
}

START_TEST(a_noisy_guest_whose_watches_cannot_be_set_again_is_still_heard)
{
    int nth = 0;

    while (!is_heard_again_though_it_fails(nth))
        ck_assert_int_lt(++nth, 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("xen-faults");
    TCase *tests = tcase_create("xen-faults");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tests, any_call_may_fail_and_the_next_try_mends_it, 0, 6);
    tcase_add_loop_test(tests, a_target_is_known_to_be_ours_wherever_its_writing_ended, 0, 6);
    tcase_add_test(tests, a_look_in_which_two_balloons_move_is_taken_again);
    tcase_add_test(tests, a_pool_counts_once_free_was_read_without_it);
    tcase_add_test(tests, a_pool_that_cannot_be_asked_for_is_none);
    tcase_add_test(tests, where_processes_cannot_be_seen_nothing_is_written);
    tcase_add_test(tests, a_noisy_guest_whose_watches_cannot_be_set_again_is_still_heard);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
