/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy's text: what it says is read as it stands, and what is wrong is refused with its line.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "core/settings.h"
#include "daemon/settings/layers.h"
#include "daemon/settings/policy.h"

#define GIB INT64_C(1048576)

static struct policy *read_text(const char *text)
{
    struct policy *policy;
    struct err err;

    ck_assert_msg(policy_read("p", text, &policy, &err) == 0, "%s", err.text);
    return policy;
}

static void assert_refused(const char *text, const char *expected)
{
    struct policy *policy;
    struct err err;

    ck_assert_msg(policy_read("p", text, &policy, &err) == -1, "accepted: %s", text);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_msg(strncmp(err.text, expected, strlen(expected)) == 0, "'%s' is not '%s…'", err.text,
                  expected);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

START_TEST(what_it_says_is_read)
{
    struct policy *policy = read_text("# by the clock\n"
                                      "[policy]\n"
                                      "name = night-1.b_c\n"
                                      "description = backups run\n"
                                      "[host]\n"
                                      "reserve = 1g\n"
                                      "[vm web*]\n"
                                      "priority = 20\n"
                                      "minimum = 2g\n"
                                      "[vm *]\n"
                                      "priority = 80\n");
    const struct setting_partial *said;

    ck_assert_str_eq(policy->name, "night-1.b_c");
    ck_assert_str_eq(layer_name(policy->layer), "night-1.b_c");
    ck_assert_str_eq(policy->description, "backups run");
    ck_assert_uint_eq(policy->n_patterns, 2);
    said = layer_host_says(policy->layer);
    ck_assert_int_eq(said->value[HOST_KEY_RESERVE], GIB);
    ck_assert(!setting_has(said, HOST_KEY_HEADROOM));
    said = layer_says(policy->layer, "web1");
    ck_assert_int_eq(said->value[VM_KEY_PRIORITY], 20);
    ck_assert_int_eq(said->value[VM_KEY_MINIMUM], 2 * GIB);
    said = layer_says(policy->layer, "db1");
    ck_assert_int_eq(said->value[VM_KEY_PRIORITY], 80);
    ck_assert(!setting_has(said, VM_KEY_MINIMUM));
    policy_free(policy);
}
END_TEST

START_TEST(the_first_pattern_that_fits_wins_whatever_follows)
{
    struct policy *policy = read_text("[policy]\nname = p\n"
                                      "[vm *]\npriority = 1\n"
                                      "[vm web1]\npriority = 2\nbuffer = 50\n");
    const struct setting_partial *said = layer_says(policy->layer, "web1");

    ck_assert_int_eq(said->value[VM_KEY_PRIORITY], 1);
    ck_assert(!setting_has(said, VM_KEY_BUFFER));
    policy_free(policy);
}
END_TEST

#define HEAD "[policy]\nname = p\n"

static const struct {
    const char *text, *refusal;
} wrong[] = {
    {HEAD "[vm *]\npriority = 5\npriority = 6\n", "p:5: "},
    {HEAD "[vm *]\npriority = 5\n[vm *]\nbuffer = 6\n", "p:5: "},
    {HEAD "[vm *]\npriority = 101\n", "p:4: "},
    {HEAD "[vm *]\npriority = five\n", "p:4: "},
    {HEAD "[vm *]\nminimum = 2048t\n", "p:4: "},
    {HEAD "[vm *]\nminimum = 3g\nmaximum = 2g\n", "p:5: "},
    {HEAD "[vm *]\ncolour = red\n", "p:4: unknown key 'colour'"},
    {HEAD "[vm *]\nminimum_kib = 5\n", "p:4: unknown key 'minimum_kib'"},
    {HEAD "[vm ]\npriority = 5\n", "p:3: "},
    {HEAD "[vm web*]\n[vm *]\npriority = 5\n", "p:4: [vm web*] before it says nothing"},
    {HEAD "[vm *]\n", "p: "},
    {HEAD "[nonsense]\npriority = 5\n", "p:3: unknown section [nonsense]"},
    {HEAD "[host]\npriority = 5\n", "p:4: unknown key 'priority'"},
    {HEAD, "p: says nothing"},
    {"[policy]\nname =\n[vm *]\npriority = 5\n", "p:2: "},
    {"[policy]\nname = a b\n[vm *]\npriority = 5\n", "p:2: "},
    {"[policy]\nname = ../p\n[vm *]\npriority = 5\n", "p:2: "},
    {"[policy]\nname = -p\n[vm *]\npriority = 5\n", "p:2: "},
    {"[policy]\nname = 12345678901234567890123456789012345678901\n", "p:2: "},
    {"[policy]\nnickname = p\n", "p:2: unknown key 'nickname'"},
    {"[vm *]\npriority = 5\n", "p: has no name"},
    {"priority = 5\n", "p:1: "},
    {"", "p: has no name"},
};

START_TEST(what_is_wrong_is_refused_with_its_line)
{
    assert_refused(wrong[_i].text, wrong[_i].refusal);
}
END_TEST

static char *with_patterns(int count)
{
    char *text = malloc(strlen(HEAD) + 32 * (size_t)count), *at = text;

    ck_assert_ptr_nonnull(text);
    at = stpcpy(at, HEAD);
    for (int i = 0; i < count; i++)
        at += sprintf(at, "[vm v%d]\nbuffer = 5\n", i);
    return text;
}

START_TEST(its_size_is_bounded)
{
    const size_t huge = 10 * 1024 * 1024;
    char *text = with_patterns(POLICY_PATTERNS_MAX);

    policy_free(read_text(text));
    free(text);
    text = with_patterns(POLICY_PATTERNS_MAX + 1);
    assert_refused(text, "p:259: more than 128 ");
    free(text);
    text = calloc(huge + 1, 1);
    ck_assert_ptr_nonnull(text);
    memset(text, '#', huge);
    assert_refused(text, "p: is longer than the 30000 bytes of a policy");
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *tests = tcase_create("policy");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, what_it_says_is_read);
    tcase_add_test(tests, the_first_pattern_that_fits_wins_whatever_follows);
    tcase_add_loop_test(tests, what_is_wrong_is_refused_with_its_line, 0,
                        (int)(sizeof(wrong) / sizeof(*wrong)));
    tcase_add_test(tests, its_size_is_bounded);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
