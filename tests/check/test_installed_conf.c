/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file that is installed: accepted as it is, and what is commented out in it is
 * the default. */
#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/options.h"

static const char *installed(void)
{
    static char path[4096];
    const char *source = getenv("XENMEM_SRC");

    snprintf(path, sizeof(path), "%s/etc/xenmemd.conf", source ? source : ".");
    return path;
}

static struct options *read_file(const char *path)
{
    struct options *options = NULL;
    struct err err;

    ck_assert_msg(options_read(path, &options, &err) == 0, "%s", err.text);
    return options;
}

/* Comments have a blank behind the '#', options that are commented out have none. */
static struct options *read_with_all_in_force(void)
{
    char path[] = "/tmp/xenmem-conf-XXXXXX";
    FILE *in = fopen(installed(), "r");
    FILE *out = fdopen(mkstemp(path), "w");
    struct options *options;
    char line[512];

    ck_assert(in && out);
    while (fgets(line, sizeof(line), in))
        fputs(line[0] == '#' && !isspace((unsigned char)line[1]) ? line + 1 : line, out);
    fclose(in);
    fclose(out);
    options = read_file(path);
    unlink(path);
    return options;
}

START_TEST(as_it_is_it_says_nothing)
{
    struct options *options = read_file(installed());

    ck_assert_uint_eq(options->host.has, 0);
    ck_assert_uint_eq(options->n_vms, 0);
    options_free(options);
}
END_TEST

START_TEST(what_is_commented_out_is_the_default)
{
    struct options *said = read_with_all_in_force();
    struct options *defaults = read_file(NULL);

    ck_assert_str_eq(said->socket, "/run/xenmem/xenmemd.sock");
    ck_assert_str_eq(said->database, "/var/lib/xenmem/xenmem.db");
    ck_assert_str_eq(said->backend, "xen");
    ck_assert_int_eq(said->interval_ms, defaults->interval_ms);
    ck_assert_int_eq(said->log_level, defaults->log_level);
    ck_assert_int_eq(said->event_age_ms, defaults->event_age_ms);
    ck_assert_int_eq(said->event_count, defaults->event_count);
    ck_assert(access_root_only(&said->access));
    for (unsigned key = 0; key < HOST_KEY_COUNT; key++) {
        const struct setting_def *def = &host_setting_defs[key];

        ck_assert_msg(setting_has(&said->host, key), "%s", def->name);
        ck_assert_msg(said->host.value[key] == def->fallback, "%s", def->name);
    }
    options_free(said);
    options_free(defaults);
}
END_TEST

START_TEST(the_example_has_every_setting_of_a_vm)
{
    struct options *said = read_with_all_in_force();

    ck_assert_uint_eq(said->n_vms, 1);
    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        ck_assert_msg(setting_has(&said->vms[0].said, key), "%s", vm_setting_defs[key].name);
    options_free(said);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("installed_conf");
    TCase *tests = tcase_create("installed_conf");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, as_it_is_it_says_nothing);
    tcase_add_test(tests, what_is_commented_out_is_the_default);
    tcase_add_test(tests, the_example_has_every_setting_of_a_vm);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
