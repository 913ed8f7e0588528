/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing: one line of JSON each, whatever texts and numbers go in; and the records by the names
 * that clients rely on. */
#include <check.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "proto/proto.h"
#include "proto/records.h"

static struct proto_writer *writer;

static void make(void)
{
    writer = proto_writer_new();
}

static void unmake(void)
{
    proto_writer_free(writer);
}

/* What was written, as a text; valid until the next call. */
static const char *written(void)
{
    static char text[16384];
    size_t length;
    const char *bytes = proto_writer_bytes(writer, &length);

    ck_assert_uint_lt(length, sizeof(text));
    if (length > 0)
        memcpy(text, bytes, length);
    text[length] = '\0';
    return text;
}

static const char *as_text(const char *text)
{
    proto_writer_clear(writer);
    proto_put_text(writer, NULL, text);
    return written();
}

START_TEST(a_new_writer_has_nothing)
{
    size_t length = 5;

    (void)proto_writer_bytes(writer, &length);
    ck_assert_uint_eq(length, 0);
    proto_writer_free(NULL);
}
END_TEST

START_TEST(values_are_separated_where_they_must_be)
{
    proto_object_begin(writer, NULL);
    proto_put_text(writer, "a", "x");
    proto_put_integer(writer, "b", -1);
    proto_object_begin(writer, "c");
    proto_object_end(writer);
    proto_array_begin(writer, "d");
    proto_put_boolean(writer, NULL, true);
    proto_put_boolean(writer, NULL, false);
    proto_put_null(writer, NULL);
    proto_array_begin(writer, NULL);
    proto_array_end(writer);
    proto_object_begin(writer, NULL);
    proto_put_text(writer, "e", NULL);
    proto_object_end(writer);
    proto_array_end(writer);
    proto_put_integer(writer, "f", 0);
    proto_object_end(writer);
    ck_assert_str_eq(written(), "{\"a\":\"x\",\"b\":-1,\"c\":{},\"d\":[true,false,null,[],"
                                "{\"e\":null}],\"f\":0}");
}
END_TEST

START_TEST(whole_numbers_are_exact_to_their_limits)
{
    static const int64_t numbers[] = {
        0, 1, -1, 9, 10, -10, INT32_MAX, INT64_MAX, INT64_MIN, INT64_MIN + 1, 4096, 1000000007};
    char expected[32];

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        proto_writer_clear(writer);
        proto_put_integer(writer, NULL, numbers[i]);
        snprintf(expected, sizeof(expected), "%" PRId64, numbers[i]);
        ck_assert_str_eq(written(), expected);
    }
}
END_TEST

START_TEST(texts_are_escaped)
{
    ck_assert_str_eq(as_text(""), "\"\"");
    ck_assert_str_eq(as_text("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
    ck_assert_str_eq(as_text("\n\t\r\b\f\x01\x1f\x7f"),
                     "\"\\u000a\\u0009\\u000d\\u0008\\u000c\\u0001\\u001f\x7f\"");
    ck_assert_str_eq(as_text("</script>%s%n"), "\"</script>%s%n\"");
}
END_TEST

START_TEST(what_is_utf8_stays_and_what_is_not_is_repaired)
{
    static const char *const good[] = {
        "\xc2\x80",         "\xdf\xbf",         "\xe0\xa0\x80",
        "\xed\x9f\xbf",     "\xee\x80\x80",     "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "gr\xc3\xbc\xc3\x9f dich"};
    static const char *const bad[][2] = {
        {"\x80", "?"},                 /* continuation alone */
        {"\xc0\xaf", "??"},            /* overlong */
        {"\xc1\xbf", "??"},            /* overlong */
        {"\xe0\x9f\xbf", "???"},       /* overlong */
        {"\xed\xa0\x80", "???"},       /* surrogate */
        {"\xf0\x8f\xbf\xbf", "????"},  /* overlong */
        {"\xf4\x90\x80\x80", "????"},  /* beyond Unicode */
        {"\xf5\x80\x80\x80", "????"},  /* beyond Unicode */
        {"\xff", "?"},                 /* never */
        {"\xc3", "?"},                 /* cut */
        {"a\xe2\x82", "a??"},          /* cut */
        {"\xf0\x9f\x98", "???"},       /* cut */
        {"\xc3\xc3\xa9", "?\xc3\xa9"}, /* cut, then good */
        {"\xe2\x82\"", "??\\\""},      /* cut by a quote, which must not end the text */
        {"\xe2\x82\n", "??\\u000a"},
    };
    char expected[64];

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        snprintf(expected, sizeof(expected), "\"%s\"", good[i]);
        ck_assert_str_eq(as_text(good[i]), expected);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        snprintf(expected, sizeof(expected), "\"%s\"", bad[i][1]);
        ck_assert_str_eq(as_text(bad[i][0]), expected);
    }
}
END_TEST

/* All texts of two bytes, and a good many of more: always one valid line. */
START_TEST(whatever_goes_in_comes_out_as_json)
{
    uint32_t seed = 12345;

    for (int i = 0; i < 70000; i++) {
        char text[12] = {0};
        json_t *read;

        for (size_t at = 0; at < sizeof(text) - 1; at++) {
            seed = seed * 1664525 + 1013904223;
            text[at] = (char)(seed >> 24);
        }
        if (i < 65536)
            memcpy(text, (char[]){(char)(i >> 8), (char)i, '\0'}, 3);
        as_text(text);
        ck_assert_ptr_null(strchr(written(), '\n'));
        read = json_loads(written(), JSON_DECODE_ANY, NULL);
        ck_assert_msg(read != NULL, "%s", written());
        json_decref(read);
    }
}
END_TEST

START_TEST(long_texts_grow_the_buffer)
{
    size_t length = 3 * 1000 * 1000;
    char *text = malloc(length + 1);
    size_t total;

    ck_assert_ptr_nonnull(text);
    memset(text, '"', length);
    text[length] = '\0';
    proto_put_text(writer, NULL, text);
    (void)proto_writer_bytes(writer, &total);
    ck_assert_uint_eq(total, 2 * length + 2);
    free(text);
}
END_TEST

/* --- lines ------------------------------------------------------------------------------------ */

START_TEST(every_line_is_what_json_rpc_says)
{
    static const char *const features[] = {"events", "x", NULL};
    struct err err;

    proto_write_hello(writer, "xenmemd 1", true, features);
    proto_reply_begin(writer, "\"id\"");
    proto_array_begin(writer, NULL);
    proto_put_integer(writer, NULL, 1);
    proto_array_end(writer);
    proto_reply_end(writer);
    proto_notification_begin(writer, "event");
    proto_object_begin(writer, NULL);
    proto_object_end(writer);
    proto_notification_end(writer);
    proto_request_begin(writer, 5, "host.get");
    proto_object_begin(writer, NULL);
    proto_object_end(writer);
    proto_request_end(writer);
    err_set(&err, ERR_BUSY, "later \"please\"");
    proto_write_error(writer, "5", &err);
    proto_error_begin(writer, "6", &err);
    proto_put_integer(writer, "left_kib", 4);
    proto_error_end(writer);
    proto_write_unknown_method(writer, "null", "vm.fly");
    ck_assert_str_eq(
        written(),
        "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"protocol\":1,\"server\":\"xenmemd "
        "1\",\"simulated\":true,\"features\":[\"events\",\"x\"]}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":\"id\",\"result\":[1]}\n"
        "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"host.get\",\"params\":{}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":-32008,\"message\":\"later "
        "\\\"please\\\"\",\"data\":{\"name\":\"busy\"}}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":6,\"error\":{\"code\":-32008,\"message\":\"later "
        "\\\"please\\\"\",\"data\":{\"name\":\"busy\",\"left_kib\":4}}}\n"
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32601,\"message\":\"no such method "
        "as vm.fly\",\"data\":{\"name\":\"invalid\"}}}\n");
}
END_TEST

START_TEST(what_is_cleared_is_begun_anew)
{
    proto_object_begin(writer, NULL);
    proto_put_integer(writer, "a", 1);
    proto_writer_clear(writer);
    proto_put_integer(writer, NULL, 2);
    ck_assert_str_eq(written(), "2");
}
END_TEST

/* --- records ---------------------------------------------------------------------------------- */

/* The members of the object that was written, in their order: "name id …". To be freed. */
static json_t *read_written(char *names, size_t room)
{
    json_t *object = json_loads(written(), JSON_REJECT_DUPLICATES, NULL), *value;
    const char *key;

    ck_assert_msg(json_is_object(object), "%s", written());
    names[0] = '\0';
    json_object_foreach(object, key, value)
    {
        snprintf(names + strlen(names), room - strlen(names), "%s%s", names[0] ? " " : "", key);
    }
    return object;
}

static bool is_null(const json_t *object, const char *key)
{
    return json_is_null(json_object_get(object, key));
}

static int64_t number(const json_t *object, const char *key)
{
    ck_assert_msg(json_is_integer(json_object_get(object, key)), "%s", key);
    return json_integer_value(json_object_get(object, key));
}

#define LIST_NAMES                                                                                 \
    "name id state assigned_kib demand_kib pressure status target_kib minimum_kib startup_kib "    \
    "maximum_kib buffer_percent priority mode trust overridden reason"

START_TEST(a_vm_in_a_list_has_these_members)
{
    const struct proto_vm vm = {.name = "web1",
                                .id = 3,
                                .state = "running",
                                .assigned_kib = 1,
                                .demand_kib = PROTO_UNKNOWN,
                                .pressure = PROTO_UNKNOWN,
                                .status = "unknown",
                                .target_kib = INT64_C(1) << 40,
                                .minimum_kib = 2,
                                .startup_kib = 3,
                                .maximum_kib = 4,
                                .buffer_percent = 20,
                                .priority = 50,
                                .mode = "dynamic"};
    char names[1000];
    json_t *object;

    proto_put_vm(writer, NULL, &vm, false);
    object = read_written(names, sizeof(names));
    ck_assert_str_eq(names, LIST_NAMES);
    ck_assert_str_eq(json_string_value(json_object_get(object, "name")), "web1");
    ck_assert_int_eq(number(object, "id"), 3);
    ck_assert_int_eq(number(object, "target_kib"), INT64_C(1) << 40);
    ck_assert(is_null(object, "demand_kib") && is_null(object, "pressure"));
    ck_assert(is_null(object, "reason"));
    ck_assert(json_is_false(json_object_get(object, "trust")));
    json_decref(object);
}
END_TEST

START_TEST(a_vm_shown_alone_has_more)
{
    const struct proto_vm vm = {.name = "off",
                                .id = PROTO_UNKNOWN,
                                .state = "off",
                                .assigned_kib = PROTO_UNKNOWN,
                                .target_kib = PROTO_UNKNOWN,
                                .status = "unknown",
                                .mode = "ignored",
                                .floor_kib = 7};
    char names[1000];
    json_t *object;

    proto_put_vm(writer, NULL, &vm, true);
    object = read_written(names, sizeof(names));
    ck_assert_str_eq(
        names, LIST_NAMES
        " uuid reason_text need_kib wanted_kib goal_kib lowest_kib cap_kib static_max_kib "
        "offset_kib source fresh report_age_ms available_kib swap_used_kib cache_kib "
        "floor_kib psi_some psi_full oom_kills frozen frozen_until_ms origins");
    ck_assert(is_null(object, "origins"));
    ck_assert(is_null(object, "id") && is_null(object, "assigned_kib"));
    ck_assert(is_null(object, "uuid") && is_null(object, "source"));
    ck_assert_int_eq(number(object, "floor_kib"), 7);
    json_decref(object);
}
END_TEST

START_TEST(a_host_has_these_members)
{
    const struct proto_node nodes[] = {{10, 5}, {20, 6}};
    const struct proto_host host = {.backend = "simulated",
                                    .simulated = true,
                                    .total_kib = 30,
                                    .available_kib = -4,
                                    .demand_kib = PROTO_UNKNOWN,
                                    .action = "balance",
                                    .surplus = "keep",
                                    .nodes = nodes,
                                    .n_nodes = 2};
    char names[1000];
    json_t *object, *node;

    proto_put_host(writer, NULL, &host);
    object = read_written(names, sizeof(names));
    ck_assert_str_eq(names, "backend simulated total_kib free_kib reserve_kib headroom_kib "
                            "reserved_kib claimed_kib promised_kib available_kib dom0_kib "
                            "assigned_kib demand_kib shared_kib vms managed action surplus settled "
                            "invariant_broken nodes");
    ck_assert_int_eq(number(object, "available_kib"), -4);
    ck_assert(is_null(object, "demand_kib"));
    node = json_array_get(json_object_get(object, "nodes"), 1);
    ck_assert_int_eq(number(node, "total_kib"), 20);
    ck_assert_int_eq(number(node, "free_kib"), 6);
    ck_assert_uint_eq(json_object_size(node), 2);
    json_decref(object);
}
END_TEST

START_TEST(an_event_has_these_members)
{
    const struct proto_event about_host = {
        .id = 1, .time_ms = 2, .kind = "host-low", .domid = -1, .uid = -1, .detail = "a=1"};
    const struct proto_event about_vm = {.id = 1,
                                         .time_ms = 2,
                                         .kind = "action",
                                         .vm = "web1",
                                         .domid = 0,
                                         .uid = 0,
                                         .reason = "lend",
                                         .detail = ""};
    char names[200];
    json_t *object;

    proto_put_event(writer, NULL, &about_host);
    object = read_written(names, sizeof(names));
    ck_assert_str_eq(names, "id time_ms event vm domid uid reason detail");
    ck_assert(is_null(object, "vm") && is_null(object, "domid") && is_null(object, "uid") &&
              is_null(object, "reason"));
    json_decref(object);
    proto_writer_clear(writer);
    proto_put_event(writer, NULL, &about_vm);
    object = read_written(names, sizeof(names));
    ck_assert_int_eq(number(object, "domid"), 0);
    ck_assert_int_eq(number(object, "uid"), 0);
    json_decref(object);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto: writing");
    TCase *tests = tcase_create("writing");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make, unmake);
    tcase_add_test(tests, a_new_writer_has_nothing);
    tcase_add_test(tests, values_are_separated_where_they_must_be);
    tcase_add_test(tests, whole_numbers_are_exact_to_their_limits);
    tcase_add_test(tests, texts_are_escaped);
    tcase_add_test(tests, what_is_utf8_stays_and_what_is_not_is_repaired);
    tcase_add_test(tests, whatever_goes_in_comes_out_as_json);
    tcase_add_test(tests, long_texts_grow_the_buffer);
    tcase_add_test(tests, every_line_is_what_json_rpc_says);
    tcase_add_test(tests, what_is_cleared_is_begun_anew);
    tcase_add_test(tests, a_vm_in_a_list_has_these_members);
    tcase_add_test(tests, a_vm_shown_alone_has_more);
    tcase_add_test(tests, a_host_has_these_members);
    tcase_add_test(tests, an_event_has_these_members);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
