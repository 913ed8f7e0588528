/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection without I/O: what is fed comes out as messages, and nothing wrong goes through. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libctl/xenmemctl.h"
#include "proto/proto.h"

#define HELLO                                                                                      \
    "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"protocol\":1,\"server\":"             \
    "\"xenmemd 9\",\"simulated\":true,\"features\":[\"events\"]}}\n"

static struct xenmemctl *connection;
static struct xenmemctl_message *message;
static struct xenmemctl_error error;

static void set_up(void)
{
    connection = xenmemctl_new();
    message = NULL;
    error = (struct xenmemctl_error){.code = XENMEMCTL_OK};
}

static void tear_down(void)
{
    xenmemctl_message_free(message);
    xenmemctl_free(connection);
}

static void feed(const char *text)
{
    ck_assert_msg(xenmemctl_feed(connection, text, strlen(text), &error) == 0, "%s", error.text);
}

/* The next message is there. */
static void take(void)
{
    xenmemctl_message_free(message);
    ck_assert_msg(xenmemctl_next(connection, &message, &error) == 1, "%s", error.text);
}

static void assert_fails(enum xenmemctl_code code, const char *what)
{
    ck_assert_int_eq(xenmemctl_next(connection, &message, &error), -1);
    ck_assert_ptr_null(message);
    ck_assert_msg(error.code == code, "code %d: %s", error.code, error.text);
    ck_assert_msg(strstr(error.text, what) != NULL, "'%s' does not say '%s'", error.text, what);
}

static void assert_output(const char *expected)
{
    size_t length;
    const char *output = xenmemctl_output(connection, &length);

    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_msg(length == 0 || memcmp(output, expected, length) == 0, "'%.*s'", (int)length,
                  output);
}

START_TEST(a_hello_is_read_and_not_handed_out)
{
    ck_assert_ptr_null(xenmemctl_server(connection));
    ck_assert(!xenmemctl_is_simulated(connection));
    ck_assert(!xenmemctl_has_feature(connection, "events"));
    feed(HELLO);
    ck_assert_int_eq(xenmemctl_next(connection, &message, &error), 0);
    ck_assert_str_eq(xenmemctl_server(connection), "xenmemd 9");
    ck_assert(xenmemctl_is_simulated(connection));
    ck_assert(xenmemctl_has_feature(connection, "events"));
    ck_assert(!xenmemctl_has_feature(connection, "reservations"));
    ck_assert_int_eq(xenmemctl_fd(connection), -1);
}
END_TEST

START_TEST(a_request_is_one_line_with_the_next_id)
{
    struct xenmemctl_request *request = xenmemctl_request_new("vm.set");

    xenmemctl_request_text(request, "name", "a\"b\n");
    xenmemctl_request_object_begin(request, "settings");
    xenmemctl_request_text(request, "minimum", "1g");
    xenmemctl_request_text(request, "maximum", "2g");
    xenmemctl_request_object_end(request);
    xenmemctl_request_boolean(request, "force", false);
    xenmemctl_request_integer(request, "limit", INT64_MIN);
    ck_assert_int_eq(xenmemctl_send(connection, request, &error), 1);
    ck_assert_int_eq(xenmemctl_send(connection, xenmemctl_request_new("host.get"), &error), 2);
    assert_output("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"vm.set\",\"params\":{\"name\":"
                  "\"a\\\"b\\u000a\",\"settings\":{\"minimum\":\"1g\",\"maximum\":\"2g\"},"
                  "\"force\":false,\"limit\":-9223372036854775808}}\n"
                  "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"host.get\",\"params\":{}}\n");
}
END_TEST

START_TEST(what_was_sent_is_not_sent_again)
{
    const char *second = "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"b\",\"params\":{}}\n";
    char both[200];

    ck_assert_int_eq(xenmemctl_send(connection, xenmemctl_request_new("a"), &error), 1);
    xenmemctl_output_sent(connection, strlen(second) - 2);
    assert_output("}\n");
    ck_assert_int_eq(xenmemctl_send(connection, xenmemctl_request_new("b"), &error), 2);
    snprintf(both, sizeof(both), "}\n%s", second);
    assert_output(both);
    xenmemctl_output_sent(connection, strlen(both));
    assert_output("");
}
END_TEST

START_TEST(an_object_that_was_left_open_ends_with_the_request)
{
    struct xenmemctl_request *request = xenmemctl_request_new("m");

    xenmemctl_request_object_begin(request, "a");
    xenmemctl_request_object_begin(request, "b");
    xenmemctl_send(connection, request, NULL);
    assert_output(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":{\"b\":{}}}}\n");
}
END_TEST

START_TEST(a_request_that_no_server_takes_is_refused_and_the_next_one_is_not)
{
    struct xenmemctl_request *request = xenmemctl_request_new("m");
    size_t length = PROTO_IMPORT_MAX;
    char *text = malloc(length + 1);

    memset(text, 'x', length);
    text[length] = '\0';
    xenmemctl_request_text(request, "name", text);
    free(text);
    ck_assert_int_eq(xenmemctl_send(connection, request, &error), -1);
    ck_assert_int_eq(error.code, XENMEMCTL_INVALID);
    assert_output("");
    ck_assert_int_eq(xenmemctl_send(connection, xenmemctl_request_new("m"), &error), 1);
}
END_TEST

START_TEST(replies_come_byte_by_byte_as_well_as_at_once)
{
    const char *all = HELLO "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[7]}\n"
                            "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":null}\n";
    int n_messages = 0;

    for (const char *byte = all; *byte; byte++) {
        ck_assert_int_eq(xenmemctl_feed(connection, byte, 1, &error), 0);
        while (xenmemctl_next(connection, &message, &error) == 1) {
            n_messages++;
            ck_assert_int_eq(xenmemctl_message_kind(message), XENMEMCTL_RESULT);
            ck_assert_int_eq(xenmemctl_message_id(message), n_messages);
            xenmemctl_message_free(message);
        }
    }
    ck_assert_int_eq(n_messages, 2);
}
END_TEST

START_TEST(a_refusal_has_a_stable_code_and_one_line)
{
    feed(HELLO "{\"jsonrpc\":\"2.0\",\"id\":4,\"error\":{\"code\":-32003,\"message\":\"a\\nb\","
               "\"data\":{\"name\":\"no-memory\"}}}\n");
    take();
    ck_assert_int_eq(xenmemctl_message_kind(message), XENMEMCTL_REFUSAL);
    ck_assert_int_eq(xenmemctl_message_id(message), 4);
    ck_assert_int_eq(xenmemctl_message_error(message)->code, XENMEMCTL_NO_MEMORY);
    ck_assert_str_eq(xenmemctl_message_error(message)->text, "a?b");
    ck_assert_ptr_null(xenmemctl_message_value(message));
    ck_assert_ptr_null(xenmemctl_message_method(message));
}
END_TEST

START_TEST(each_name_of_an_error_has_its_code)
{
    static const struct {
        const char *name;
        enum xenmemctl_code code;
    } names[] = {
        {"failed", XENMEMCTL_FAILED},           {"invalid", XENMEMCTL_INVALID},
        {"no-memory", XENMEMCTL_NO_MEMORY},     {"not-found", XENMEMCTL_NOT_FOUND},
        {"unreachable", XENMEMCTL_UNREACHABLE}, {"denied", XENMEMCTL_DENIED},
        {"timeout", XENMEMCTL_TIMEOUT},         {"busy", XENMEMCTL_BUSY},
        {"unsupported", XENMEMCTL_UNSUPPORTED}, {"of-a-later-version", XENMEMCTL_FAILED},
    };
    char line[200];

    feed(HELLO);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(line, sizeof(line),
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"m\","
                 "\"data\":{\"name\":\"%s\"}}}\n",
                 names[i].name);
        feed(line);
        take();
        ck_assert_int_eq(xenmemctl_message_error(message)->code, names[i].code);
    }
}
END_TEST

START_TEST(notifications_come_in_their_order)
{
    feed(HELLO "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"id\":1}}\n"
               "{\"jsonrpc\":\"2.0\",\"method\":\"too-slow\",\"params\":{}}\n");
    take();
    ck_assert_int_eq(xenmemctl_message_kind(message), XENMEMCTL_NOTIFICATION);
    ck_assert_str_eq(xenmemctl_message_method(message), "event");
    ck_assert_int_eq(xenmemctl_message_id(message), -1);
    ck_assert_ptr_null(xenmemctl_message_error(message));
    take();
    ck_assert_str_eq(xenmemctl_message_method(message), "too-slow");
}
END_TEST

START_TEST(a_server_of_another_protocol_is_refused_by_name_and_for_good)
{
    feed("{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"protocol\":2,"
         "\"server\":\"xenmemd 7.0\"}}\n"
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}\n");
    assert_fails(XENMEMCTL_PROTOCOL, "xenmemd 7.0 speaks protocol 2, this client speaks 1");
    assert_fails(XENMEMCTL_PROTOCOL, "protocol 2");
    ck_assert_int_eq(xenmemctl_feed(connection, "x", 1, &error), -1);
    ck_assert_int_eq(error.code, XENMEMCTL_PROTOCOL);
    error.code = XENMEMCTL_OK;
    ck_assert_int_eq(xenmemctl_send(connection, xenmemctl_request_new("m"), &error), -1);
    ck_assert_int_eq(error.code, XENMEMCTL_PROTOCOL);
    ck_assert_ptr_null(xenmemctl_server(connection));
}
END_TEST

static const char *const nonsense[] = {
    "HTTP/1.0 400 Bad Request\r\n",
    "\n",
    "[]\n",
    "{}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1,\"a\":2}}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\\ud800\"}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\xff\"}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}{\n",
};
#define N_NONSENSE (int)(sizeof(nonsense) / sizeof(*nonsense))

START_TEST(nonsense_instead_of_a_hello_is_not_xenmemd)
{
    feed(nonsense[_i]);
    assert_fails(XENMEMCTL_PROTOCOL, "what listens there is not xenmemd");
}
END_TEST

START_TEST(nonsense_instead_of_a_reply_ends_it)
{
    feed(HELLO);
    feed(nonsense[_i]);
    assert_fails(XENMEMCTL_PROTOCOL, "xenmemd sent what cannot be understood");
}
END_TEST

START_TEST(who_does_not_begin_with_a_hello_is_not_xenmemd)
{
    feed("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}\n");
    assert_fails(XENMEMCTL_PROTOCOL, "did not begin with a hello");
}
END_TEST

START_TEST(a_hello_that_says_nothing_is_none)
{
    feed("{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"protocol\":\"1\"}}\n");
    assert_fails(XENMEMCTL_PROTOCOL, "hello says neither");
}
END_TEST

START_TEST(a_client_that_is_turned_away_learns_why)
{
    feed("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32008,\"message\":\"too many\","
         "\"data\":{\"name\":\"busy\"}}}\n");
    assert_fails(XENMEMCTL_BUSY, "too many");
    assert_fails(XENMEMCTL_BUSY, "too many");
}
END_TEST

START_TEST(an_end_is_told_after_all_that_came_before_it)
{
    feed(HELLO "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}\n");
    xenmemctl_end(connection);
    take();
    xenmemctl_message_free(message);
    assert_fails(XENMEMCTL_UNREACHABLE, "xenmemd closed the connection;");
}
END_TEST

START_TEST(an_end_within_a_line_is_said_to_be_one)
{
    feed(HELLO "{\"jsonrpc\":\"2.0\",\"id\":1,");
    xenmemctl_end(connection);
    assert_fails(XENMEMCTL_UNREACHABLE, "in the middle of a line");
}
END_TEST

START_TEST(an_end_without_a_word_is_said_to_be_one)
{
    xenmemctl_end(connection);
    assert_fails(XENMEMCTL_UNREACHABLE, "without a word");
}
END_TEST

/* Feeds without a newline until it is refused, or limit bytes were taken. Returns those. */
static size_t feed_endlessly(size_t limit)
{
    static char portion[1024 * 1024];
    size_t taken = 0;

    memset(portion, 'x', sizeof(portion));
    while (taken < limit && xenmemctl_feed(connection, portion, sizeof(portion), &error) == 0)
        taken += sizeof(portion);
    return taken;
}

START_TEST(a_line_without_an_end_is_bounded)
{
    feed(HELLO);
    ck_assert_int_eq(xenmemctl_next(connection, &message, &error), 0);
    ck_assert_uint_le(feed_endlessly((size_t)100 << 20), (size_t)64 << 20);
    ck_assert_int_eq(error.code, XENMEMCTL_PROTOCOL);
    assert_fails(XENMEMCTL_PROTOCOL, "a line of more than");
}
END_TEST

START_TEST(before_the_hello_hardly_anything_is_taken)
{
    ck_assert_uint_eq(feed_endlessly((size_t)100 << 20), 0);
    assert_fails(XENMEMCTL_PROTOCOL, "what listens there is not xenmemd");
}
END_TEST

static const struct xenmemctl_value *take_value(const char *json)
{
    char line[1000];

    snprintf(line, sizeof(line), HELLO "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}\n", json);
    feed(line);
    take();
    return xenmemctl_message_value(message);
}

START_TEST(values_can_be_looked_around_in)
{
    const struct xenmemctl_value *value =
        take_value("{\"vms\":[{\"name\":\"d\\u00fcrer\",\"id\":-3,\"on\":true}],\"none\":null}");
    const struct xenmemctl_value *vm = xenmemctl_at(xenmemctl_member(value, "vms"), 0);
    int64_t number = 0;
    bool truth = false;

    ck_assert_uint_eq(xenmemctl_count(xenmemctl_member(value, "vms")), 1);
    ck_assert_str_eq(xenmemctl_text(xenmemctl_member(vm, "name")), "d\u00fcrer");
    ck_assert(xenmemctl_integer(xenmemctl_member(vm, "id"), &number));
    ck_assert_int_eq(number, -3);
    ck_assert(xenmemctl_boolean(xenmemctl_member(vm, "on"), &truth));
    ck_assert(truth);
}
END_TEST

START_TEST(what_is_absent_null_or_of_another_type_is_nothing)
{
    const struct xenmemctl_value *value = take_value("{\"none\":null,\"text\":\"1\",\"big\":1.5}");
    int64_t number = 42;
    bool truth = true;

    ck_assert_ptr_null(xenmemctl_text(xenmemctl_member(value, "none")));
    ck_assert(!xenmemctl_integer(xenmemctl_member(value, "text"), &number));
    ck_assert(!xenmemctl_integer(xenmemctl_member(value, "big"), &number));
    ck_assert(!xenmemctl_boolean(xenmemctl_member(value, "text"), &truth));
    ck_assert(number == 42 && truth);
    ck_assert_uint_eq(xenmemctl_count(value), 0);
    ck_assert_ptr_null(xenmemctl_at(value, 0));
    ck_assert_ptr_null(xenmemctl_member(xenmemctl_at(xenmemctl_member(NULL, "a"), 7), "b"));
    ck_assert_ptr_null(xenmemctl_text(NULL));
    ck_assert(!xenmemctl_integer(NULL, &number) && !xenmemctl_boolean(NULL, &truth));
}
END_TEST

START_TEST(values_print_as_json)
{
    const struct xenmemctl_value *value = take_value("{\"a\":[1,\"x, \\n  y\"],\"b\":null}");
    char *text = xenmemctl_print(value, XENMEMCTL_INDENTED);

    ck_assert_str_eq(text, "{\n  \"a\": [\n    1,\n    \"x, \\n  y\"\n  ],\n  \"b\": null\n}");
    free(text);
    text = xenmemctl_print(value, XENMEMCTL_ONE_LINE);
    ck_assert_str_eq(text, "{\"a\": [1, \"x, \\n  y\"], \"b\": null}");
    free(text);
    text = xenmemctl_print(xenmemctl_member(value, "no"), XENMEMCTL_ONE_LINE);
    ck_assert_str_eq(text, "null");
    free(text);
}
END_TEST

START_TEST(waiting_needs_a_socket)
{
    ck_assert_int_eq(xenmemctl_call(connection, xenmemctl_request_new("m"), 10, &message, &error),
                     -1);
    ck_assert_int_eq(error.code, XENMEMCTL_INVALID);
    ck_assert_int_eq(xenmemctl_wait(connection, 10, &message, &error), -1);
    ck_assert_int_eq(error.code, XENMEMCTL_INVALID);
}
END_TEST

START_TEST(nothing_is_freed_without_harm)
{
    xenmemctl_free(NULL);
    xenmemctl_message_free(NULL);
    xenmemctl_request_free(NULL);
    xenmemctl_request_free(xenmemctl_request_new("m"));
    ck_assert_int_eq(xenmemctl_next(connection, &message, NULL), 0);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_hello_is_read_and_not_handed_out);
    tcase_add_test(tests, a_request_is_one_line_with_the_next_id);
    tcase_add_test(tests, what_was_sent_is_not_sent_again);
    tcase_add_test(tests, an_object_that_was_left_open_ends_with_the_request);
    tcase_add_test(tests, a_request_that_no_server_takes_is_refused_and_the_next_one_is_not);
    tcase_add_test(tests, replies_come_byte_by_byte_as_well_as_at_once);
    tcase_add_test(tests, a_refusal_has_a_stable_code_and_one_line);
    tcase_add_test(tests, each_name_of_an_error_has_its_code);
    tcase_add_test(tests, notifications_come_in_their_order);
    tcase_add_test(tests, a_server_of_another_protocol_is_refused_by_name_and_for_good);
    tcase_add_loop_test(tests, nonsense_instead_of_a_hello_is_not_xenmemd, 0, N_NONSENSE);
    tcase_add_loop_test(tests, nonsense_instead_of_a_reply_ends_it, 0, N_NONSENSE);
    tcase_add_test(tests, who_does_not_begin_with_a_hello_is_not_xenmemd);
    tcase_add_test(tests, a_hello_that_says_nothing_is_none);
    tcase_add_test(tests, a_client_that_is_turned_away_learns_why);
    tcase_add_test(tests, an_end_is_told_after_all_that_came_before_it);
    tcase_add_test(tests, an_end_within_a_line_is_said_to_be_one);
    tcase_add_test(tests, an_end_without_a_word_is_said_to_be_one);
    tcase_add_test(tests, a_line_without_an_end_is_bounded);
    tcase_add_test(tests, before_the_hello_hardly_anything_is_taken);
    tcase_add_test(tests, values_can_be_looked_around_in);
    tcase_add_test(tests, what_is_absent_null_or_of_another_type_is_nothing);
    tcase_add_test(tests, values_print_as_json);
    tcase_add_test(tests, waiting_needs_a_socket);
    tcase_add_test(tests, nothing_is_freed_without_harm);
}

int main(void)
{
    Suite *suite = suite_create("connection");
    TCase *tests = tcase_create("connection");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 60);
    add_tests(tests);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
