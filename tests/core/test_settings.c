/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings: what is accepted, which layer wins, and that the outcome is always consistent. */
#include <string.h>

#include "base/err.h"
#include "core/settings.h"
#include "tests/core/suite.h"

static struct setting_partial sizes(int64_t minimum_mib, int64_t startup_mib, int64_t maximum_mib)
{
    struct setting_partial said = {0};

    if (minimum_mib >= 0)
        setting_put(&said, VM_KEY_MINIMUM, minimum_mib * 1024);
    if (startup_mib >= 0)
        setting_put(&said, VM_KEY_STARTUP, startup_mib * 1024);
    if (maximum_mib >= 0)
        setting_put(&said, VM_KEY_MAXIMUM, maximum_mib * 1024);
    return said;
}

static int resolve(const struct setting_partial *said, struct vm_natural natural,
                   struct vm_settings *out, struct err *err)
{
    const struct setting_partial *layers[] = {said};

    return vm_settings_resolve(layers, 1, natural, out, err);
}

static const struct vm_natural no_domain;

START_TEST(the_tables_are_sound)
{
    for (int key = 0; key < VM_KEY_COUNT; key++) {
        const struct setting_def *def = &vm_setting_defs[key];

        ck_assert_int_eq(setting_find(vm_setting_defs, VM_KEY_COUNT, def->name), key);
        ck_assert_int_eq(setting_find(vm_setting_defs, VM_KEY_COUNT, def->wire_name), key);
        ck_assert_int_le(def->low, def->high);
        if (def->fallback != SETTING_UNSET)
            ck_assert_int_eq(setting_check(def, def->fallback, NULL), 0);
    }
    for (int key = 0; key < HOST_KEY_COUNT; key++)
        ck_assert_int_eq(
            setting_check(&host_setting_defs[key], host_setting_defs[key].fallback, NULL), 0);
    ck_assert_int_le(VM_KEY_COUNT, SETTINGS_MAX_KEYS);
    ck_assert_int_le(HOST_KEY_COUNT, SETTINGS_MAX_KEYS);
    ck_assert_int_eq(setting_find(vm_setting_defs, VM_KEY_COUNT, "maxmem"), -1);
}
END_TEST

static void assert_typed(const struct setting_def *def, int64_t value)
{
    char text[64];
    int64_t read;
    struct err err;

    setting_format(def, value, text, sizeof(text));
    ck_assert_msg(setting_parse(def, text, &read, &err) == 0, "%s", err.text);
    ck_assert_int_eq(read, value);
}

START_TEST(both_ends_of_a_range_can_be_typed)
{
    for (int key = 0; key < VM_KEY_COUNT; key++) {
        assert_typed(&vm_setting_defs[key], vm_setting_defs[key].low);
        assert_typed(&vm_setting_defs[key], vm_setting_defs[key].high);
    }
    for (int key = 0; key < HOST_KEY_COUNT; key++) {
        assert_typed(&host_setting_defs[key], host_setting_defs[key].low);
        assert_typed(&host_setting_defs[key], host_setting_defs[key].high);
    }
}
END_TEST

START_TEST(text_is_read_by_the_type_of_the_setting)
{
    static const struct {
        enum vm_key key;
        const char *text;
        int64_t value;
    } good[] = {
        {VM_KEY_MINIMUM, "512m", 512 * 1024},
        {VM_KEY_MAXIMUM, "1024t", KIB_LIMIT},
        {VM_KEY_BUFFER, "5", 5},
        {VM_KEY_BUFFER, "2000", 2000},
        {VM_KEY_PRIORITY, "0", 0},
        {VM_KEY_PRIORITY, "100", 100},
        {VM_KEY_MODE, "dynamic", VM_MODE_DYNAMIC},
        {VM_KEY_MODE, "ignored", VM_MODE_IGNORED},
        {VM_KEY_TRUST, "yes", 1},
        {VM_KEY_TRUST, "no", 0},
    };
    char text[64];
    int64_t value;

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        const struct setting_def *def = &vm_setting_defs[good[i].key];

        ck_assert_int_eq(setting_parse(def, good[i].text, &value, NULL), 0);
        ck_assert_int_eq(value, good[i].value);
        ck_assert_str_eq(setting_format(def, value, text, sizeof(text)), good[i].text);
    }
}
END_TEST

START_TEST(a_refusal_names_the_setting_the_value_and_the_rule)
{
    static const struct {
        enum vm_key key;
        const char *text, *part;
    } bad[] = {
        {VM_KEY_MINIMUM, "512", "unit"},    {VM_KEY_MINIMUM, "0", "minimum"},
        {VM_KEY_MAXIMUM, "1025t", "1024t"}, {VM_KEY_BUFFER, "4", "5 to 2000"},
        {VM_KEY_BUFFER, "2001", "2000"},    {VM_KEY_BUFFER, "20%", "20%"},
        {VM_KEY_PRIORITY, "101", "100"},    {VM_KEY_PRIORITY, "-1", "-1"},
        {VM_KEY_MODE, "Dynamic", "static"}, {VM_KEY_TRUST, "1", "yes"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const struct setting_def *def = &vm_setting_defs[bad[i].key];
        int64_t value = -77;
        struct err err;

        ck_assert_int_eq(setting_parse(def, bad[i].text, &value, &err), -1);
        ck_assert_int_eq(err.code, ERR_INVALID);
        ck_assert_msg(strstr(err.text, def->name) && strstr(err.text, bad[i].part), "%s", err.text);
        ck_assert_int_eq(value, -77);
    }
}
END_TEST

START_TEST(a_value_that_came_as_a_number_keeps_to_its_range_too)
{
    ck_assert_int_eq(setting_check(&vm_setting_defs[VM_KEY_PRIORITY], 100, NULL), 0);
    ck_assert_int_eq(setting_check(&vm_setting_defs[VM_KEY_PRIORITY], 101, NULL), -1);
    ck_assert_int_eq(setting_check(&vm_setting_defs[VM_KEY_MAXIMUM], INT64_MAX, NULL), -1);
    ck_assert_int_eq(setting_check(&vm_setting_defs[VM_KEY_MAXIMUM], INT64_MIN, NULL), -1);
    ck_assert_int_eq(setting_check(&vm_setting_defs[VM_KEY_MODE], VM_MODE_DYNAMIC + 1, NULL), -1);
}
END_TEST

START_TEST(the_newest_layer_that_has_a_key_wins)
{
    struct setting_partial night = {0};
    struct setting_partial base = sizes(256, 512, 1024);
    const struct setting_partial *layers[] = {&night, &base};
    struct vm_settings out;

    setting_put(&base, VM_KEY_PRIORITY, 10);
    setting_put(&night, VM_KEY_PRIORITY, 90);
    ck_assert_int_eq(vm_settings_resolve(layers, 2, no_domain, &out, NULL), 0);
    ck_assert_int_eq(out.priority, 90);
    ck_assert_int_eq(out.minimum.v, 256 * 1024);
    ck_assert_int_eq(out.buffer_percent, 20);
    ck_assert_int_eq(vm_settings_resolve(layers + 1, 1, no_domain, &out, NULL), 0);
    ck_assert_int_eq(out.priority, 10);
}
END_TEST

START_TEST(nobody_configured_it_so_it_is_ignored)
{
    struct vm_settings out;

    ck_assert_int_eq(
        vm_settings_resolve(NULL, 0, (struct vm_natural){kib_mib(512), kib_mib(1024)}, &out, NULL),
        0);
    ck_assert_int_eq(out.mode, VM_MODE_IGNORED);
    ck_assert_int_eq(out.startup.v, 512 * 1024);
    ck_assert_int_eq(out.minimum.v, 512 * 1024);
    ck_assert_int_eq(out.maximum.v, 1024 * 1024);
}
END_TEST

START_TEST(sizes_that_nobody_gave_follow_from_one_another)
{
    struct setting_partial only_maximum = sizes(-1, -1, 1024);
    struct setting_partial only_minimum = sizes(256, -1, -1);
    struct vm_settings out;

    ck_assert_int_eq(resolve(&only_maximum, no_domain, &out, NULL), 0);
    ck_assert_int_eq(out.startup.v, 1024 * 1024);
    ck_assert_int_eq(out.minimum.v, 1024 * 1024);
    ck_assert_int_eq(resolve(&only_minimum, no_domain, &out, NULL), 0);
    ck_assert_int_eq(out.startup.v, 256 * 1024);
    ck_assert_int_eq(out.maximum.v, 256 * 1024);
}
END_TEST

START_TEST(static_max_cuts_without_a_word)
{
    struct setting_partial said = sizes(256, 512, 4096);
    struct vm_settings out;

    ck_assert_int_eq(resolve(&said, (struct vm_natural){kib_mib(512), kib_mib(1024)}, &out, NULL),
                     0);
    ck_assert_int_eq(out.maximum.v, 1024 * 1024);
}
END_TEST

START_TEST(what_breaks_the_order_is_refused_and_cut)
{
    static const int64_t cases[][3] = {
        {2048, -1, 1024}, {256, 2048, 1024}, {512, 256, 1024}, {2048, 2048, 1024}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct setting_partial said = sizes(cases[i][0], cases[i][1], cases[i][2]);
        struct vm_settings out;
        struct err err;

        ck_assert_int_eq(resolve(&said, no_domain, &out, &err), -1);
        ck_assert_int_eq(err.code, ERR_INVALID);
        ck_assert_msg(strstr(err.text, "is above") != NULL, "%s", err.text);
        ck_assert_int_le(out.minimum.v, out.startup.v);
        ck_assert_int_le(out.startup.v, out.maximum.v);
    }
}
END_TEST

START_TEST(any_layers_resolve_to_something_consistent)
{
    static const int64_t values[] = {-1, 0, 1, 512, 1024, KIB_LIMIT / 1024};
    enum { N = sizeof(values) / sizeof(*values) };

    for (int c = 0; c < N * N * N * N * N; c++) {
        struct setting_partial said =
            sizes(values[c % N], values[c / N % N], values[c / N / N % N]);
        struct vm_natural natural = {
            kib_mib(values[c / N / N / N % N] < 0 ? 0 : values[c / N / N / N % N]),
            kib_mib(values[c / N / N / N / N % N] < 0 ? 0 : values[c / N / N / N / N % N])};
        struct vm_settings out;

        (void)resolve(&said, natural, &out, NULL);
        ck_assert_int_ge(out.minimum.v, 0);
        ck_assert_int_le(out.minimum.v, out.startup.v);
        ck_assert_int_le(out.startup.v, out.maximum.v);
    }
}
END_TEST

START_TEST(the_host_has_its_defaults)
{
    struct setting_partial said = {0};
    const struct setting_partial *layers[] = {&said};
    struct host_settings out;

    setting_put(&said, HOST_KEY_SURPLUS, SURPLUS_HOLD);
    host_settings_resolve(layers, 1, &out);
    ck_assert_int_eq(out.surplus, SURPLUS_HOLD);
    ck_assert_int_eq(out.reserve.v, 64 * 1024);
    ck_assert_int_eq(out.headroom.v, 0);
    ck_assert_int_eq(out.action, HOST_ACTION_BALANCE);
    ck_assert(!out.blind);
}
END_TEST

START_TEST(each_key_comes_out_as_it_went_in)
{
    struct setting_partial of_host = {.has = 0}, of_vm = {.has = 0};
    const struct setting_partial *host_layers[] = {&of_host}, *vm_layers[] = {&of_vm};
    const struct vm_natural unknown = {kib(0), kib(0)};
    int64_t host_values[HOST_KEY_COUNT], vm_values[VM_KEY_COUNT];
    struct host_settings host;
    struct vm_settings vm;
    struct err err;

    for (unsigned key = 0; key < HOST_KEY_COUNT; key++)
        setting_put(&of_host, key, host_setting_defs[key].high);
    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        setting_put(&of_vm, key, vm_setting_defs[key].high);
    host_settings_resolve(host_layers, 1, &host);
    host_settings_values(&host, host_values);
    ck_assert_int_eq(vm_settings_resolve(vm_layers, 1, unknown, &vm, &err), 0);
    vm_settings_values(&vm, vm_values);
    for (unsigned key = 0; key < HOST_KEY_COUNT; key++)
        ck_assert_int_eq(host_values[key], of_host.value[key]);
    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        ck_assert_int_eq(vm_values[key], of_vm.value[key]);
}
END_TEST

int main(void)
{
    return suite_run("settings", (const TTest *const[]){
                                     the_tables_are_sound,
                                     both_ends_of_a_range_can_be_typed,
                                     text_is_read_by_the_type_of_the_setting,
                                     a_refusal_names_the_setting_the_value_and_the_rule,
                                     a_value_that_came_as_a_number_keeps_to_its_range_too,
                                     the_newest_layer_that_has_a_key_wins,
                                     nobody_configured_it_so_it_is_ignored,
                                     sizes_that_nobody_gave_follow_from_one_another,
                                     static_max_cuts_without_a_word,
                                     what_breaks_the_order_is_refused_and_cut,
                                     each_key_comes_out_as_it_went_in,
                                     any_layers_resolve_to_something_consistent,
                                     the_host_has_its_defaults,
                                     NULL,
                                 });
}
