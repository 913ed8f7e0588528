/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layers of settings: the newest that has a key wins, and taking one away brings back what the
 * others say. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/settings.h"
#include "daemon/settings/layers.h"

#define FIRST_ID 2 /* of a layer that comes and goes */

/* What the layers say of a key of a VM, the newest first; the fallback where none says anything. */
static int64_t said_of(const struct layers *layers, const char *name, unsigned key,
                       int64_t fallback)
{
    const struct setting_partial *out[LAYERS_MAX];
    size_t count = layers_of_vm(layers, name, out);

    for (size_t i = 0; i < count; i++)
        if (setting_has(out[i], key))
            return out[i]->value[key];
    return fallback;
}

static void say(struct layer *layer, const char *name, unsigned key, int64_t value)
{
    setting_put(layer_vm(layer, name), key, value);
}

START_TEST(newer_layers_win_key_by_key)
{
    struct layers *layers = layers_new();
    struct layer *timed = layers_add(layers, FIRST_ID, LAYER_TIMED, "", 5000);

    say(layers_find(layers, LAYER_ID_BASE), "web1", VM_KEY_PRIORITY, 10);
    say(layers_find(layers, LAYER_ID_BASE), "web1", VM_KEY_BUFFER, 30);
    say(timed, "web1", VM_KEY_PRIORITY, 90);
    ck_assert_int_eq(said_of(layers, "web1", VM_KEY_PRIORITY, -1), 90);
    ck_assert_int_eq(said_of(layers, "web1", VM_KEY_BUFFER, -1), 30);
    ck_assert_int_eq(said_of(layers, "web2", VM_KEY_PRIORITY, -1), -1);
    layers_free(layers);
}
END_TEST

/* Three layers over a base, taken away in every order: what is left is always the newest that is
 * left. */
START_TEST(removal_in_any_order_brings_back_what_the_others_say)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const int *order = orders[_i];
    struct layers *layers = layers_new();
    bool there[3] = {true, true, true};

    say(layers_find(layers, LAYER_ID_BASE), "web1", VM_KEY_PRIORITY, 1);
    for (int i = 0; i < 3; i++)
        say(layers_add(layers, FIRST_ID + i, i == 1 ? LAYER_POLICY : LAYER_TIMED, "", 0), "web1",
            VM_KEY_PRIORITY, 10 + i);
    for (int removed = 0; removed < 3; removed++) {
        int64_t expected = 1;

        ck_assert(layers_remove(layers, FIRST_ID + order[removed]));
        there[order[removed]] = false;
        for (int i = 0; i < 3; i++)
            if (there[i])
                expected = 10 + i;
        ck_assert_int_eq(said_of(layers, "web1", VM_KEY_PRIORITY, -1), expected);
    }
    layers_free(layers);
}
END_TEST

START_TEST(the_first_pattern_that_matches_counts)
{
    struct layers *layers = layers_new();
    struct layer *config = layers_find(layers, LAYER_ID_CONFIG);

    say(config, "db-*", VM_KEY_PRIORITY, 80);
    say(config, "*-prod", VM_KEY_PRIORITY, 70);
    say(config, "*", VM_KEY_PRIORITY, 10);
    ck_assert_int_eq(said_of(layers, "db-prod", VM_KEY_PRIORITY, -1), 80);
    ck_assert_int_eq(said_of(layers, "web-prod", VM_KEY_PRIORITY, -1), 70);
    ck_assert_int_eq(said_of(layers, "web", VM_KEY_PRIORITY, -1), 10);
    layers_free(layers);
}
END_TEST

START_TEST(names_of_the_base_are_not_patterns)
{
    struct layers *layers = layers_new();

    say(layers_find(layers, LAYER_ID_BASE), "*", VM_KEY_PRIORITY, 99);
    ck_assert_int_eq(said_of(layers, "web1", VM_KEY_PRIORITY, -1), -1);
    ck_assert_int_eq(said_of(layers, "*", VM_KEY_PRIORITY, -1), 99);
    layers_free(layers);
}
END_TEST

START_TEST(the_two_fixed_layers_stay)
{
    struct layers *layers = layers_new();

    ck_assert(!layers_remove(layers, LAYER_ID_CONFIG));
    ck_assert(!layers_remove(layers, LAYER_ID_BASE));
    ck_assert(!layers_remove(layers, FIRST_ID));
    ck_assert_ptr_nonnull(layers_find(layers, LAYER_ID_BASE));
    ck_assert_ptr_null(layers_find(layers, FIRST_ID));
    ck_assert_int_eq(layer_kind_of(layers_find(layers, LAYER_ID_CONFIG)), LAYER_CONFIG);
    layers_free(layers);
}
END_TEST

START_TEST(the_first_end_is_found)
{
    struct layers *layers = layers_new();
    int64_t end = -1;

    ck_assert_ptr_null(layers_first_to_end(layers, &end));
    ck_assert_int_eq(end, -1);
    layers_add(layers, FIRST_ID, LAYER_POLICY, "night", 0);
    layers_add(layers, FIRST_ID + 1, LAYER_TIMED, "", 9000);
    layers_add(layers, FIRST_ID + 2, LAYER_TIMED, "", 4000);
    layers_add(layers, FIRST_ID + 3, LAYER_TIMED, "", 7000);
    ck_assert_int_eq(layer_id(layers_first_to_end(layers, &end)), FIRST_ID + 2);
    ck_assert_int_eq(end, 4000);
    layers_free(layers);
}
END_TEST

START_TEST(a_forgotten_vm_leaves_patterns_alone)
{
    struct layers *layers = layers_new();

    say(layers_find(layers, LAYER_ID_CONFIG), "web*", VM_KEY_PRIORITY, 5);
    say(layers_find(layers, LAYER_ID_BASE), "web1", VM_KEY_PRIORITY, 50);
    say(layers_find(layers, LAYER_ID_BASE), "web2", VM_KEY_PRIORITY, 60);
    say(layers_add(layers, FIRST_ID, LAYER_TIMED, "", 1), "web1", VM_KEY_PRIORITY, 55);
    layers_forget(layers, "web1");
    ck_assert_int_eq(said_of(layers, "web1", VM_KEY_PRIORITY, -1), 5);
    ck_assert_int_eq(said_of(layers, "web2", VM_KEY_PRIORITY, -1), 60);
    layers_free(layers);
}
END_TEST

START_TEST(a_cleared_layer_says_nothing)
{
    struct layers *layers = layers_new();
    struct layer *config = layers_find(layers, LAYER_ID_CONFIG);
    const struct setting_partial *out[LAYERS_MAX];

    say(config, "*", VM_KEY_PRIORITY, 5);
    setting_put(layer_host(config), HOST_KEY_RESERVE, 1024);
    layer_clear(config);
    ck_assert_int_eq(said_of(layers, "web1", VM_KEY_PRIORITY, -1), -1);
    ck_assert_uint_eq(layers_of_host(layers, out), 2);
    ck_assert(!setting_has(out[0], HOST_KEY_RESERVE));
    ck_assert(!setting_has(out[1], HOST_KEY_RESERVE));
    layers_free(layers);
}
END_TEST

START_TEST(there_is_an_end_to_layers)
{
    struct layers *layers = layers_new();
    const struct setting_partial *out[LAYERS_MAX];

    for (int i = 0; i < LAYERS_MAX - 2; i++)
        ck_assert_ptr_nonnull(layers_add(layers, FIRST_ID + i, LAYER_TIMED, "", 0));
    ck_assert_ptr_null(layers_add(layers, FIRST_ID + LAYERS_MAX, LAYER_TIMED, "", 0));
    ck_assert_uint_eq(layers_of_host(layers, out), LAYERS_MAX);
    ck_assert(layers_remove(layers, FIRST_ID));
    ck_assert_ptr_nonnull(layers_add(layers, FIRST_ID + LAYERS_MAX, LAYER_TIMED, "", 0));
    layers_free(layers);
}
END_TEST

static void count_visit(void *arg, const char *name)
{
    ck_assert(strcmp(name, "web1") == 0 || strcmp(name, "web2") == 0);
    (*(int *)arg)++;
}

START_TEST(names_are_visited_but_patterns_are_not)
{
    struct layers *layers = layers_new();
    int visits = 0;

    say(layers_find(layers, LAYER_ID_CONFIG), "pattern*", VM_KEY_PRIORITY, 5);
    say(layers_find(layers, LAYER_ID_BASE), "web1", VM_KEY_PRIORITY, 50);
    say(layers_add(layers, FIRST_ID, LAYER_TIMED, "", 1), "web2", VM_KEY_PRIORITY, 55);
    layers_each_name(layers, count_visit, &visits);
    ck_assert_int_eq(visits, 2);
    layers_free(layers);
}
END_TEST

START_TEST(freeing_nothing_is_fine)
{
    layers_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layers");
    TCase *tests = tcase_create("layers");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, newer_layers_win_key_by_key);
    tcase_add_loop_test(tests, removal_in_any_order_brings_back_what_the_others_say, 0, 6);
    tcase_add_test(tests, the_first_pattern_that_matches_counts);
    tcase_add_test(tests, names_of_the_base_are_not_patterns);
    tcase_add_test(tests, the_two_fixed_layers_stay);
    tcase_add_test(tests, the_first_end_is_found);
    tcase_add_test(tests, a_forgotten_vm_leaves_patterns_alone);
    tcase_add_test(tests, a_cleared_layer_says_nothing);
    tcase_add_test(tests, there_is_an_end_to_layers);
    tcase_add_test(tests, names_are_visited_but_patterns_are_not);
    tcase_add_test(tests, freeing_nothing_is_fine);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
