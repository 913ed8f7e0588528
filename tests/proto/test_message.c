/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's side: what servers say is understood, also where they say more than we know. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "proto/proto.h"

static struct proto_message message;
static struct err failure;

static void decode(const char *text)
{
    struct err err;

    ck_assert_msg(proto_message_decode(text, strlen(text), &message, &failure, &err) == 0, "%s: %s",
                  text, err.text);
}

START_TEST(a_hello_is_told_from_other_notifications)
{
    int64_t protocol;

    decode("{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"protocol\":1,\"future\":[]}}");
    ck_assert_int_eq(message.kind, PROTO_HELLO);
    ck_assert_int_eq(message.id, -1);
    ck_assert(proto_value_integer(proto_value_member(message.value, "protocol"), &protocol));
    ck_assert_int_eq(protocol, 1);
    proto_message_fini(&message);
    decode("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"id\":7}}");
    ck_assert_int_eq(message.kind, PROTO_NOTIFICATION);
    ck_assert_str_eq(message.method, "event");
    proto_message_fini(&message);
    ck_assert_ptr_null(message.root);
}
END_TEST

START_TEST(a_result_has_the_id_of_its_request)
{
    decode("{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":[1,2,3],\"took_ms\":4}");
    ck_assert_int_eq(message.kind, PROTO_RESULT);
    ck_assert_int_eq(message.id, 5);
    ck_assert_uint_eq(proto_value_count(message.value), 3);
    proto_message_fini(&message);
}
END_TEST

START_TEST(a_result_may_be_anything)
{
    static const char *const texts[] = {
        "{\"id\":1,\"result\":null}",
        "{\"id\":1,\"result\":0,\"error\":null}",
        "{\"id\":1,\"result\":false}",
        "{\"id\":\"one\",\"result\":\"\"}",
        "{\"result\":{}}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        decode(texts[i]);
        ck_assert_int_eq(message.kind, PROTO_RESULT);
        ck_assert_ptr_nonnull(message.value);
        proto_message_fini(&message);
    }
}
END_TEST

START_TEST(a_failure_has_its_code_by_name)
{
    decode("{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-1,\"message\":\"no such VM\","
           "\"data\":{\"name\":\"not-found\",\"more\":1}}}");
    ck_assert_int_eq(message.kind, PROTO_ERROR);
    ck_assert_int_eq(message.id, 5);
    ck_assert_int_eq(failure.code, ERR_NOT_FOUND);
    ck_assert_str_eq(failure.text, "no such VM");
    proto_message_fini(&message);
}
END_TEST

/* A newer server may have names that we do not know; a broken one may say nothing at all. */
START_TEST(a_failure_of_an_unknown_kind_is_one_all_the_same)
{
    static const char *const texts[] = {
        "{\"id\":null,\"error\":{\"message\":\"m\",\"data\":{\"name\":\"sorrowful\"}}}",
        "{\"error\":{\"message\":\"m\",\"data\":{\"name\":\"none\"}}}",
        "{\"error\":{\"message\":\"m\",\"data\":{\"name\":5}}}",
        "{\"error\":{\"message\":\"m\",\"data\":7}}",
        "{\"error\":{\"message\":\"m\"}}",
        "{\"error\":{}}",
        "{\"error\":5}",
        "{\"error\":[],\"result\":1}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        decode(texts[i]);
        ck_assert_int_eq(message.kind, PROTO_ERROR);
        ck_assert_int_eq(message.id, -1);
        ck_assert_int_eq(failure.code, ERR_FAILED);
        ck_assert_str_eq(failure.text, i < 5 ? "m" : "the server gave no reason");
        proto_message_fini(&message);
    }
}
END_TEST

START_TEST(a_failures_text_stays_one_line)
{
    decode("{\"error\":{\"message\":\"a\\nb\\u001b[2J\"}}");
    ck_assert_str_eq(failure.text, "a?b?[2J");
    proto_message_fini(&message);
}
END_TEST

/* Whatever goes out as an error comes in as the same. */
START_TEST(codes_survive_the_wire)
{
    struct proto_writer *writer = proto_writer_new();
    struct err sent, err;
    const char *bytes;
    size_t length;

    err_set(&sent, (enum err_code)_i, "what \"%d\" is", _i);
    proto_write_error(writer, "9", &sent);
    bytes = proto_writer_bytes(writer, &length);
    ck_assert_int_eq(proto_message_decode(bytes, length - 1, &message, &failure, &err), 0);
    ck_assert_int_eq(message.kind, PROTO_ERROR);
    ck_assert_int_eq(message.id, 9);
    ck_assert_int_eq(failure.code, sent.code);
    ck_assert_str_eq(failure.text, sent.text);
    proto_message_fini(&message);
    proto_writer_free(writer);
}
END_TEST

START_TEST(what_is_no_message_is_refused)
{
    static const char *const texts[] = {
        "", "{", "[]", "5", "{}", "{\"id\":1}", "{\"method\":5}", "{\"error\":null}", "{}{}",
    };
    struct err err;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        ck_assert_int_eq(proto_message_decode(texts[i], strlen(texts[i]), &message, &failure, &err),
                         -1);
        ck_assert_int_eq(err.code, ERR_INVALID);
    }
}
END_TEST

START_TEST(values_are_looked_at_without_surprises)
{
    const struct proto_value *value;
    int64_t number = 77;
    bool truth = true;
    char *text;

    decode("{\"result\":{\"a\":[10,\"x\",false,1.5,null,{\"b\":-3}]}}");
    value = proto_value_member(message.value, "a");
    ck_assert_uint_eq(proto_value_count(value), 6);
    ck_assert(proto_value_integer(proto_value_at(value, 0), &number) && number == 10);
    ck_assert_str_eq(proto_value_text(proto_value_at(value, 1)), "x");
    ck_assert(proto_value_boolean(proto_value_at(value, 2), &truth) && !truth);
    /* Of another type, absent, beyond the end, not an array, or nothing at all. */
    number = 77;
    ck_assert(!proto_value_integer(proto_value_at(value, 3), &number));
    ck_assert(!proto_value_integer(proto_value_at(value, 1), &number));
    ck_assert_int_eq(number, 77);
    ck_assert(!proto_value_boolean(proto_value_at(value, 0), &truth));
    ck_assert_ptr_null(proto_value_text(proto_value_at(value, 4)));
    ck_assert_ptr_null(proto_value_at(value, 6));
    ck_assert_ptr_null(proto_value_at(message.value, 0));
    ck_assert_ptr_null(proto_value_member(value, "b"));
    ck_assert_ptr_null(proto_value_member(message.value, "z"));
    ck_assert_uint_eq(proto_value_count(message.value), 0);
    ck_assert_uint_eq(proto_value_count(NULL), 0);
    ck_assert_ptr_null(proto_value_member(NULL, "a"));
    ck_assert_ptr_null(proto_value_text(NULL));
    ck_assert(!proto_value_integer(NULL, &number) && !proto_value_boolean(NULL, &truth));
    text = proto_value_print(proto_value_at(value, 5));
    ck_assert_str_eq(text, "{\n  \"b\": -3\n}");
    free(text);
    proto_message_fini(&message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto: messages");
    TCase *tests = tcase_create("messages");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, a_hello_is_told_from_other_notifications);
    tcase_add_test(tests, a_result_has_the_id_of_its_request);
    tcase_add_test(tests, a_result_may_be_anything);
    tcase_add_test(tests, a_failure_has_its_code_by_name);
    tcase_add_test(tests, a_failure_of_an_unknown_kind_is_one_all_the_same);
    tcase_add_test(tests, a_failures_text_stays_one_line);
    tcase_add_loop_test(tests, codes_survive_the_wire, ERR_FAILED, ERR_CODE_COUNT);
    tcase_add_test(tests, what_is_no_message_is_refused);
    tcase_add_test(tests, values_are_looked_at_without_surprises);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
