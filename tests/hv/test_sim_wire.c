/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol of simulated hosts: whatever arrives, in whatever pieces, the host answers it or
 * closes the connection, and what is no sound message changes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv/sim/session.h"
#include "hv/sim/step.h"
#include "hv/sim/wire.h"
#include "tests/hv/story.h"

static struct sim_session *session;
static struct wire_out out;
static struct err err;

static void begin(void)
{
    size_t length;

    story_begin("16g");
    session = sim_session_new(world);
    (void)sim_session_output(session, &length);
    sim_session_sent(session, length);
}

static void end(void)
{
    wire_out_fini(&out);
    session = sim_session_free(session);
    story_end();
}

static int deliver(void)
{
    int rc;

    wire_end(&out);
    rc = sim_session_take(session, out.bytes, out.length, &err);
    out.length = 0;
    return rc;
}

/* The next message that the host has to say. */
static enum wire_kind fetch(struct wire_in *in)
{
    enum wire_kind kind = WIRE_HELLO;
    size_t length, size;
    const void *bytes = sim_session_output(session, &length);

    ck_assert_int_eq(wire_split(bytes, length, WIRE_MAX_REPLY, &kind, in, &size), 0);
    ck_assert_uint_gt(size, 0);
    sim_session_sent(session, size);
    return kind;
}

static size_t waiting(void)
{
    size_t length;

    (void)sim_session_output(session, &length);
    return length;
}

START_TEST(the_host_speaks_first)
{
    struct wire_in in;

    session = sim_session_free(session);
    session = sim_session_new(world);
    ck_assert_int_eq(fetch(&in), WIRE_HELLO);
    ck_assert_uint_eq(wire_get_u32(&in), WIRE_MAGIC);
    ck_assert_uint_eq(wire_get_u32(&in), WIRE_VERSION);
    ck_assert(wire_in_done(&in));
}
END_TEST

START_TEST(one_question_tells_all)
{
    struct sim_facts facts;
    struct hv_host host;
    struct wire_in in;

    story_vm("web1", "type=hvm memory=1g maxmem=2g");
    story_pass(1000);
    wire_begin(&out, WIRE_READ);
    wire_put_u64(&out, 0);
    ck_assert_int_eq(deliver(), 0);
    ck_assert_int_eq(fetch(&in), WIRE_OK);
    wire_get_host(&in, &host);
    assert_kib(host.total, kib_gib(16));
    ck_assert_uint_eq(wire_get_u64(&in), world->stamp);
    ck_assert_uint_eq(wire_get_u32(&in), 2);
    wire_get_facts(&in, &facts);
    ck_assert_str_eq(facts.name, "Domain-0");
    wire_get_facts(&in, &facts);
    ck_assert_str_eq(facts.name, "web1");
    assert_kib(facts.tot, story_domain("web1")->tot);
    assert_kib(facts.videoram, kib_mib(8));
    ck_assert_int_eq(facts.source, NEED_AGENT);
    ck_assert_uint_gt(facts.length[0], 20);
    ck_assert(wire_in_done(&in));
}
END_TEST

START_TEST(a_report_that_was_told_is_not_told_again)
{
    struct sim_facts facts;

    story_vm("web1", "memory=1g");
    story_pass(1000);
    sim_facts_of(story_domain("web1"), 0, &facts);
    ck_assert_ptr_nonnull(facts.text[0]);
    sim_facts_of(story_domain("web1"), world->stamp, &facts);
    ck_assert_ptr_null(facts.text[0]);
}
END_TEST

START_TEST(requests_may_come_byte_by_byte_and_several_at_once)
{
    struct wire_in in;

    for (int i = 0; i < 3; i++) {
        wire_begin(&out, WIRE_READ);
        wire_put_u64(&out, 0);
        wire_end(&out);
    }
    for (size_t i = 0; i < out.length; i++)
        ck_assert_int_eq(sim_session_take(session, out.bytes + i, 1, &err), 0);
    ck_assert_int_eq(sim_session_take(session, out.bytes, out.length, &err), 0);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(fetch(&in), WIRE_OK);
    ck_assert_uint_eq(waiting(), 0);
}
END_TEST

START_TEST(a_failure_arrives_with_its_code_and_words)
{
    const struct hv_ref nobody = {.domid = 99};
    struct wire_in in;
    char text[ERR_TEXT_MAX];

    wire_begin(&out, WIRE_CAP);
    wire_put_ref(&out, &nobody);
    wire_put_kib(&out, kib_gib(1));
    ck_assert_int_eq(deliver(), 0);
    ck_assert_int_eq(fetch(&in), WIRE_FAILED);
    ck_assert_uint_eq(wire_get_u32(&in), ERR_NOT_FOUND);
    wire_get_text(&in, text, sizeof(text));
    ck_assert_str_eq(text, "the domain is gone");
}
END_TEST

START_TEST(changes_add_up_while_nobody_listens)
{
    struct wire_in in;

    sim_session_tell(session, HV_DOMAINS);
    sim_session_tell(session, HV_REPORTS);
    sim_session_tell(session, HV_LOW_MEMORY);
    ck_assert_int_eq(fetch(&in), WIRE_EVENT);
    ck_assert_uint_eq(wire_get_u32(&in), HV_DOMAINS);
    ck_assert_uint_eq(waiting(), 0);
    sim_session_tell(session, 0);
    ck_assert_int_eq(fetch(&in), WIRE_EVENT);
    ck_assert_uint_eq(wire_get_u32(&in), HV_REPORTS | HV_LOW_MEMORY);
    sim_session_tell(session, 0);
    ck_assert_uint_eq(waiting(), 0);
}
END_TEST

static void assert_thrown_out(const char *why)
{
    ck_assert_int_eq(deliver(), -1);
    ck_assert_msg(strstr(err.text, why) != NULL, "'%s' does not say '%s'", err.text, why);
    end();
    begin();
}

START_TEST(what_is_no_request_ends_the_connection)
{
    wire_begin(&out, WIRE_OK);
    assert_thrown_out("not a request");
    wire_begin(&out, WIRE_HELLO);
    assert_thrown_out("not a request");
    wire_begin(&out, (enum wire_kind)77);
    assert_thrown_out("no request");
    wire_begin(&out, WIRE_READ); /* nothing in it */
    assert_thrown_out("not sound");
    wire_begin(&out, WIRE_READ);
    wire_put_u64(&out, 0);
    wire_put_u32(&out, 1); /* too much in it */
    assert_thrown_out("not sound");
}
END_TEST

START_TEST(a_request_without_end_ends_the_connection)
{
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0x7f, WIRE_READ, 0, 0, 0};
    static const uint8_t none[] = {0, 0, 0, 0, WIRE_READ, 0, 0, 0};

    ck_assert_int_eq(sim_session_take(session, huge, sizeof(huge), &err), -1);
    end();
    begin();
    ck_assert_int_eq(sim_session_take(session, none, sizeof(none), &err), -1);
}
END_TEST

START_TEST(the_longest_request_fits_and_a_longer_one_does_not)
{
    char word[1000];

    memset(word, 'x', sizeof(word));
    wire_begin(&out, WIRE_XL);
    wire_put_u32(&out, 8);
    for (int i = 0; i < 8; i++)
        wire_put_bytes(&out, word, sizeof(word));
    ck_assert_int_eq(deliver(), 0);
    wire_begin(&out, WIRE_XL);
    wire_put_u32(&out, 9);
    for (int i = 0; i < 9; i++)
        wire_put_bytes(&out, word, sizeof(word));
    ck_assert_int_eq(deliver(), -1);
}
END_TEST

START_TEST(who_asks_and_does_not_fetch_is_thrown_out)
{
    int rc = 0;
    int asked;

    for (int i = 0; i < 2000; i++) {
        char name[16];

        snprintf(name, sizeof(name), "vm%d", i);
        story_vm(name, "memory=4m");
    }
    for (asked = 0; rc == 0 && asked < 10000; asked++) {
        wire_begin(&out, WIRE_READ);
        wire_put_u64(&out, 0);
        rc = deliver();
    }
    ck_assert_int_eq(rc, -1);
    ck_assert_int_gt(asked, 10);
    ck_assert_ptr_nonnull(strstr(err.text, "does not fetch"));
}
END_TEST

START_TEST(words_with_nul_or_too_many_are_not_sound)
{
    wire_begin(&out, WIRE_XL);
    wire_put_u32(&out, 1);
    wire_put_bytes(&out, "li\0st", 5);
    assert_thrown_out("not sound");
    wire_begin(&out, WIRE_XL);
    wire_put_u32(&out, 1000);
    assert_thrown_out("not sound");
    wire_begin(&out, WIRE_XL);
    wire_put_u32(&out, 0);
    ck_assert_int_eq(deliver(), 0); /* answered with xl's usage */
}
END_TEST

/* Ten thousand sound requests, each with a few bytes changed: the host stands, and its pages add up
 * (world_advance checks that). */
START_TEST(damaged_requests_do_no_harm)
{
    const struct hv_ref ref = story_vm("web1", "memory=1g maxmem=2g")->ref;
    uint64_t random = 0;

    for (int i = 0; i < 10000; i++) {
        int kind = WIRE_READ + (int)(sim_random(1, random++) % 5);

        wire_begin(&out, (enum wire_kind)kind);
        if (kind == WIRE_READ)
            wire_put_u64(&out, 0);
        else if (kind == WIRE_XL) {
            wire_put_u32(&out, 2);
            wire_put_text(&out, "pause");
            wire_put_text(&out, "web1");
        } else {
            wire_put_ref(&out, &ref);
            for (int k = kind == WIRE_TARGET ? 3 : 1; k > 0; k--)
                wire_put_kib(&out, kib_gib(1));
        }
        wire_end(&out);
        for (uint64_t k = sim_random(1, random++) % 4; k > 0; k--) {
            uint8_t *damaged = out.bytes + sim_random(1, random++) % out.length;

            *damaged = (uint8_t)sim_random(1, random++);
        }
        if (sim_session_take(session, out.bytes, out.length, &err) || waiting() > 1000000) {
            session = sim_session_free(session);
            session = sim_session_new(world);
        }
        out.length = 0;
        story_pass(100);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_wire");
    TCase *tcase = tcase_create("messages");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_host_speaks_first);
    tcase_add_test(tcase, one_question_tells_all);
    tcase_add_test(tcase, a_report_that_was_told_is_not_told_again);
    tcase_add_test(tcase, requests_may_come_byte_by_byte_and_several_at_once);
    tcase_add_test(tcase, a_failure_arrives_with_its_code_and_words);
    tcase_add_test(tcase, changes_add_up_while_nobody_listens);
    tcase_add_test(tcase, what_is_no_request_ends_the_connection);
    tcase_add_test(tcase, a_request_without_end_ends_the_connection);
    tcase_add_test(tcase, the_longest_request_fits_and_a_longer_one_does_not);
    tcase_add_test(tcase, who_asks_and_does_not_fetch_is_thrown_out);
    tcase_add_test(tcase, words_with_nul_or_too_many_are_not_sound);
    tcase_add_test(tcase, damaged_requests_do_no_harm);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
