/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests: what is right is understood, and everything else is refused by name. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "proto/proto.h"

static struct proto_request *decode_bytes(const char *bytes, size_t length, char *id_text,
                                          struct err *err)
{
    struct proto_request *request = NULL;
    /* Of exactly that size, so that a read behind the end is seen. */
    char *exact = malloc(length > 0 ? length : 1);
    int rc;

    ck_assert_ptr_nonnull(exact);
    memcpy(exact, bytes, length);
    rc = proto_request_decode(exact, length, &request, id_text, err);
    free(exact);
    ck_assert_int_eq(rc, request ? 0 : -1);
    return request;
}

static struct proto_request *decode(const char *text)
{
    char id_text[PROTO_ID_MAX];
    struct err err;
    struct proto_request *request = decode_bytes(text, strlen(text), id_text, &err);

    ck_assert_msg(request != NULL, "%s: %s", text, err.text);
    return request;
}

/* --- the envelope ----------------------------------------------------------------------------- */

START_TEST(a_request_has_method_id_and_parameters)
{
    struct proto_request *request = decode(
        "{\"jsonrpc\": \"2.0\", \"id\": 7, \"method\": \"vm.get\", \"params\": {\"name\": \"a\"}}");

    ck_assert_str_eq(proto_request_method(request), "vm.get");
    ck_assert_str_eq(proto_request_id(request), "7");
    ck_assert_str_eq(proto_request_text(request, "name", "none"), "a");
    ck_assert_str_eq(proto_request_text(request, "other", "none"), "none");
    proto_request_free(request);
    proto_request_free(NULL);
}
END_TEST

START_TEST(parameters_may_be_absent)
{
    static const struct proto_param none[] = {{NULL, PROTO_TEXT, false}};
    struct proto_request *request =
        decode(" {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"host.get\"} \r");

    ck_assert_int_eq(proto_request_check(request, none, NULL), 0);
    ck_assert_int_eq(proto_request_integer(request, "limit", 9), 9);
    ck_assert(proto_request_boolean(request, "force", true));
    ck_assert_int_eq(proto_request_each(request, "settings", NULL, NULL), 0);
    proto_request_free(request);
}
END_TEST

/* An id is echoed as JSON text; "" is a request that wants no answer. */
static const struct {
    const char *given, *echoed;
} ids[] = {
    {"", ""},
    {",\"id\":0", "0"},
    {",\"id\":-5", "-5"},
    {",\"id\":9223372036854775807", "9223372036854775807"},
    {",\"id\":-9223372036854775808", "-9223372036854775808"},
    {",\"id\":\"\"", "\"\""},
    {",\"id\":\"a\\\"b\\\\\"", "\"a\\\"b\\\\\""},
    {",\"id\":\"\\u00e9\"", "\"\\u00E9\""},
    {",\"id\":\"\\n\"", "\"\\n\""},
};

START_TEST(an_id_comes_back_as_it_was)
{
    char text[200];
    struct proto_request *request;

    snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"method\":\"m\"%s}", ids[_i].given);
    request = decode(text);
    ck_assert_str_eq(proto_request_id(request), ids[_i].echoed);
    proto_request_free(request);
}
END_TEST

/* What is refused, why, and with which id it is answered. */
static const struct {
    const char *text, *expected, *id;
} refused[] = {
    {"", "not JSON", "null"},
    {"nonsense", "not JSON", "null"},
    {"{", "not JSON", "null"},
    {"{}x", "not JSON", "null"},
    {"{} {}", "not JSON", "null"},
    {"5", "not JSON", "null"},
    {"null", "not JSON", "null"},
    {"\"text\"", "not JSON", "null"},
    {"[]", "not a JSON object", "null"},
    {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}]", "not a JSON object", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"m\"}", "duplicate", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":1,\"a\":2}}", "duplicate",
     "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\u0000\"}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\ud800\"}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc0\xaf\"}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\nb\"}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":'m'}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":9223372036854775808,\"method\":\"m\"}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"m\"}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":01,\"method\":\"m\"}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":NaN,\"method\":\"m\"}", "not JSON", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}", "id is neither", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"m\"}", "id is neither", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"m\"}", "id is neither", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"m\"}", "id is neither", "null"},
    {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"m\"}", "id is neither", "null"},
    {"{\"id\":1,\"method\":\"m\"}", "\"jsonrpc\": \"2.0\" is missing", "1"},
    {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"m\"}", "\"jsonrpc\": \"2.0\" is missing", "1"},
    {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}", "\"jsonrpc\": \"2.0\" is missing", "1"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1}", "method is missing", "1"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", "method is missing", "1"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":null}", "method is missing", "1"},
    {"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"m\",\"extra\":1}", "no member 'extra'",
     "\"x\""},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":[1]}", "params is not an object",
     "1"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":null}", "params is not an object",
     "1"},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "no member 'result'", "1"},
};

START_TEST(everything_else_is_refused_by_name)
{
    char id_text[PROTO_ID_MAX];
    struct err err;

    ck_assert_ptr_null(decode_bytes(refused[_i].text, strlen(refused[_i].text), id_text, &err));
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strstr(err.text, refused[_i].expected) != NULL, "%s: '%s'", refused[_i].text,
                  err.text);
    ck_assert_str_eq(id_text, refused[_i].id);
}
END_TEST

START_TEST(a_nul_ends_nothing)
{
    static const char bytes[] = "{\"jsonrpc\":\"2.0\",\"method\":\"m\"}\0{}";
    char id_text[PROTO_ID_MAX];

    ck_assert_ptr_null(decode_bytes(bytes, sizeof(bytes) - 1, id_text, NULL));
}
END_TEST

START_TEST(an_id_has_a_longest)
{
    char text[400], name[200], id_text[PROTO_ID_MAX];
    struct proto_request *request;
    struct err err;

    memset(name, 'x', sizeof(name));
    snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":\"%.*s\"}",
             PROTO_ID_MAX - 3, name);
    request = decode(text);
    ck_assert_uint_eq(strlen(proto_request_id(request)), PROTO_ID_MAX - 1);
    proto_request_free(request);
    snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":\"%.*s\"}",
             PROTO_ID_MAX - 2, name);
    ck_assert_ptr_null(decode_bytes(text, strlen(text), id_text, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "id is neither"));
}
END_TEST

/* params is the second level: what is in it may be nested as deep as is left. */
static void nest(char *text, size_t room, int depth, const char *open, const char *close)
{
    snprintf(text, room, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":");
    for (int i = 2; i < depth; i++)
        strcat(text, open);
    for (int i = 2; i < depth; i++)
        strcat(text, close);
    strcat(text, "}}");
}

START_TEST(nesting_has_a_deepest)
{
    static const char *const pairs[][2] = {{"[", "]"}, {"{\"b\":", "}"}};
    char id_text[PROTO_ID_MAX], text[1000];
    struct err err;

    nest(text, sizeof(text), PROTO_DEPTH_MAX, "[", "]");
    proto_request_free(decode(text));
    for (size_t i = 0; i < 2; i++) {
        nest(text, sizeof(text), PROTO_DEPTH_MAX + 1, pairs[i][0], pairs[i][1]);
        ck_assert_ptr_null(decode_bytes(text, strlen(text), id_text, &err));
        ck_assert_str_eq(err.text, "nested deeper than 16");
    }
    /* Brackets in texts are no nesting. */
    proto_request_free(
        decode("{\"jsonrpc\":\"2.0\",\"method\":\"[[[[[[[[[[\\\"[[[[[[[[[[{{{{{{{\"}"));
}
END_TEST

START_TEST(ten_thousand_levels_are_refused_without_being_parsed)
{
    size_t length = 60000;
    char id_text[PROTO_ID_MAX], *text = malloc(length);
    struct err err;

    ck_assert_ptr_nonnull(text);
    memset(text, '[', length);
    ck_assert_ptr_null(decode_bytes(text, length, id_text, &err));
    ck_assert_str_eq(err.text, "nested deeper than 16");
    free(text);
}
END_TEST

/* Every request cut anywhere is refused, and nothing else. */
START_TEST(a_cut_request_is_refused)
{
    static const char text[] =
        "{\"jsonrpc\":\"2.0\",\"id\":\"\xc3\xa9\\u00e9\",\"method\":\"vm.set\","
        "\"params\":{\"n\":-12,\"s\":{\"a\":\"b\"},\"t\":true}}";
    char id_text[PROTO_ID_MAX];

    for (size_t length = 0; length < sizeof(text) - 1; length++)
        ck_assert_ptr_null(decode_bytes(text, length, id_text, NULL));
    proto_request_free(decode(text));
}
END_TEST

/* --- parameters ------------------------------------------------------------------------------- */

static const struct proto_param params[] = {
    {"name", PROTO_TEXT, true},      {"limit", PROTO_INTEGER, false},
    {"force", PROTO_BOOLEAN, false}, {"settings", PROTO_TEXTS, false},
    {NULL, PROTO_TEXT, false},
};

static int check_params(const char *given, struct err *err)
{
    char text[500];
    struct proto_request *request;
    int rc;

    snprintf(text, sizeof(text),
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"vm.set\",\"params\":{%s}}", given);
    request = decode(text);
    rc = proto_request_check(request, params, err);
    proto_request_free(request);
    return rc;
}

static const struct {
    const char *given, *expected;
} wrong[] = {
    {"", "vm.set: parameter 'name' is missing"},
    {"\"limit\":1", "vm.set: parameter 'name' is missing"},
    {"\"name\":\"a\",\"nmae\":\"b\"", "vm.set has no parameter 'nmae'"},
    {"\"name\":\"a\",\"\":\"b\"", "vm.set has no parameter ''"},
    {"\"name\":5", "vm.set: parameter 'name' is not a text"},
    {"\"name\":null", "vm.set: parameter 'name' is not a text"},
    {"\"name\":\"a\",\"limit\":1.0", "vm.set: parameter 'limit' is not a whole number"},
    {"\"name\":\"a\",\"limit\":\"1\"", "vm.set: parameter 'limit' is not a whole number"},
    {"\"name\":\"a\",\"limit\":true", "vm.set: parameter 'limit' is not a whole number"},
    {"\"name\":\"a\",\"force\":1", "vm.set: parameter 'force' is not true or false"},
    {"\"name\":\"a\",\"force\":\"true\"", "vm.set: parameter 'force' is not true or false"},
    {"\"name\":\"a\",\"settings\":[]", "vm.set: parameter 'settings' is not an object of texts"},
    {"\"name\":\"a\",\"settings\":{\"minimum\":5}",
     "vm.set: parameter 'settings' is not an object of texts"},
    {"\"name\":\"a\",\"settings\":{\"a\":\"b\",\"c\":null}",
     "vm.set: parameter 'settings' is not an object of texts"},
};

START_TEST(a_wrong_parameter_is_named)
{
    struct err err;

    ck_assert_int_eq(check_params(wrong[_i].given, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.text, wrong[_i].expected);
}
END_TEST

static int collect(void *arg, const char *key, const char *value)
{
    char *text = arg;

    sprintf(text + strlen(text), "%s=%s ", key, value);
    return strcmp(value, "stop") == 0 ? 42 : 0;
}

START_TEST(right_parameters_are_read)
{
    struct proto_request *request =
        decode("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"vm.set\",\"params\":{\"force\":false,"
               "\"settings\":{\"b\":\"1\",\"a\":\"stop\",\"c\":\"\"},\"name\":\"w\xc3\xa9\","
               "\"limit\":-9223372036854775808}}");
    char text[100] = "";

    ck_assert_int_eq(proto_request_check(request, params, NULL), 0);
    ck_assert_str_eq(proto_request_text(request, "name", ""), "w\xc3\xa9");
    ck_assert_int_eq(proto_request_integer(request, "limit", 0), INT64_MIN);
    ck_assert(!proto_request_boolean(request, "force", true));
    ck_assert_int_eq(proto_request_each(request, "settings", collect, text), 42);
    ck_assert_str_eq(text, "b=1 a=stop ");
    proto_request_free(request);
    ck_assert_int_eq(check_params("\"name\":\"\",\"settings\":{}", NULL), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proto: requests");
    TCase *tests = tcase_create("requests");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, a_request_has_method_id_and_parameters);
    tcase_add_test(tests, parameters_may_be_absent);
    tcase_add_loop_test(tests, an_id_comes_back_as_it_was, 0, sizeof(ids) / sizeof(*ids));
    tcase_add_loop_test(tests, everything_else_is_refused_by_name, 0,
                        sizeof(refused) / sizeof(*refused));
    tcase_add_test(tests, a_nul_ends_nothing);
    tcase_add_test(tests, an_id_has_a_longest);
    tcase_add_test(tests, nesting_has_a_deepest);
    tcase_add_test(tests, ten_thousand_levels_are_refused_without_being_parsed);
    tcase_add_test(tests, a_cut_request_is_refused);
    tcase_add_loop_test(tests, a_wrong_parameter_is_named, 0, sizeof(wrong) / sizeof(*wrong));
    tcase_add_test(tests, right_parameters_are_read);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
