/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file and the command line: what is written there is in force, what is wrong is
 * refused with its line, what a running daemon cannot change stays. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/options.h"
#include "daemon/settings/layers.h"

static char path[64];

static void make(void)
{
    int fd;

    strcpy(path, "/tmp/xenmem-test-options-XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void unmake(void)
{
    unlink(path);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static struct options *read_text(const char *text)
{
    struct options *options;
    struct err err;

    write_file(text);
    ck_assert_msg(options_read(path, &options, &err) == 0, "%s", err.text);
    return options;
}

/* Must be refused as "PATH:LINE: …", with all that is expected in it. */
static void assert_refused(const char *text, int line, const char *expected)
{
    struct options *options;
    struct err err;
    char start[96];

    write_file(text);
    ck_assert_msg(options_read(path, &options, &err) == -1, "accepted: %s", text);
    ck_assert_int_eq(err.code, ERR_INVALID);
    snprintf(start, sizeof(start), "%s:%d: ", path, line);
    ck_assert_msg(strncmp(err.text, start, strlen(start)) == 0, "'%s' is not at line %d", err.text,
                  line);
    ck_assert_msg(strstr(err.text, expected) != NULL, "'%s' does not say '%s'", err.text, expected);
}

START_TEST(without_a_file_there_are_defaults)
{
    struct options *options;

    ck_assert_int_eq(options_read(NULL, &options, NULL), 0);
    ck_assert_ptr_null(options->file);
    ck_assert_str_eq(options->socket, XENMEM_RUNDIR "/xenmemd.sock");
    ck_assert_str_eq(options->database, XENMEM_STATEDIR "/xenmem.db");
    ck_assert_str_eq(options->backend, "");
    ck_assert_int_eq(options->interval_ms, 1000);
    ck_assert_int_eq(options->log_level, LOG_LEVEL_INFO);
    ck_assert_int_eq(options->event_age_ms, INT64_C(90) * 24 * 3600 * 1000);
    ck_assert_int_eq(options->event_count, 1000000);
    ck_assert(access_root_only(&options->access));
    ck_assert_uint_eq(options->n_vms, 0);
    ck_assert_uint_eq(options->host.has, 0);
    options_free(options);
    options_free(NULL);
}
END_TEST

START_TEST(every_key_is_read)
{
    struct options *options = read_text("# all of them\n"
                                        "[daemon]\n"
                                        "socket = /run/a.sock\n"
                                        "database = /var/a.db\n"
                                        "backend = sim:/tmp/a=b.scenario\n"
                                        "interval = 500ms\n"
                                        "log-level = warning\n"
                                        "event-age = 7d\n"
                                        "event-count = 5000\n"
                                        "[access]\n"
                                        "read = daemon @daemon\n"
                                        "operate = @daemon\n"
                                        "admin = root\n"
                                        "[host]\n"
                                        "reserve = 128m\n"
                                        "headroom = 1g\n"
                                        "surplus = hold\n"
                                        "action = observe\n"
                                        "blind = yes\n"
                                        "demand-half-life = 1h\n"
                                        "demand-lead = 5\n"
                                        "[vm db-*]\n"
                                        "mode = dynamic\n"
                                        "minimum = 1g\n"
                                        "startup = 2g\n"
                                        "maximum = 8g\n"
                                        "buffer = 50\n"
                                        "priority = 90\n"
                                        "trust = yes\n");

    ck_assert_str_eq(options->file, path);
    ck_assert_str_eq(options->socket, "/run/a.sock");
    ck_assert_str_eq(options->database, "/var/a.db");
    ck_assert_str_eq(options->backend, "sim:/tmp/a=b.scenario");
    ck_assert_int_eq(options->interval_ms, 500);
    ck_assert_int_eq(options->log_level, LOG_LEVEL_WARNING);
    ck_assert_int_eq(options->event_age_ms, INT64_C(7) * 24 * 3600 * 1000);
    ck_assert_int_eq(options->event_count, 5000);
    ck_assert_uint_eq(options->access.lists[ACCESS_READ].n_uids, 1);
    ck_assert_uint_eq(options->access.lists[ACCESS_READ].n_gids, 1);
    ck_assert_uint_eq(options->access.lists[ACCESS_OPERATE].n_gids, 1);
    ck_assert_uint_eq(options->access.lists[ACCESS_ADMIN].n_uids, 1);
    ck_assert_int_eq(options->host.value[HOST_KEY_RESERVE], 128 * 1024);
    ck_assert_int_eq(options->host.value[HOST_KEY_SURPLUS], SURPLUS_HOLD);
    ck_assert_int_eq(options->host.value[HOST_KEY_ACTION], HOST_ACTION_OBSERVE);
    ck_assert_int_eq(options->host.value[HOST_KEY_DEMAND_HALF_LIFE], INT64_C(3600) * 1000);
    ck_assert_int_eq(options->host.value[HOST_KEY_DEMAND_LEAD], 5);
    ck_assert_uint_eq(options->host.has, (1u << HOST_KEY_COUNT) - 1);
    ck_assert_uint_eq(options->n_vms, 1);
    ck_assert_str_eq(options->vms[0].pattern, "db-*");
    ck_assert_uint_eq(options->vms[0].said.has, (1u << VM_KEY_COUNT) - 1);
    ck_assert_int_eq(options->vms[0].said.value[VM_KEY_MODE], VM_MODE_DYNAMIC);
    ck_assert_int_eq(options->vms[0].said.value[VM_KEY_MAXIMUM], 8 * 1024 * 1024);
    options_free(options);
}
END_TEST

START_TEST(what_the_manual_promises_at_the_ends_of_ranges_is_taken)
{
    struct options *options = read_text("[daemon]\n"
                                        "holder-grace = 0s\n"
                                        "reboot-grace = 0\n"
                                        "history-coarse = 3650d\n"
                                        "[host]\n"
                                        "demand-half-life = 0\n");

    ck_assert_int_eq(options->holder_grace_ms, 0);
    ck_assert_int_eq(options->reboot_grace_ms, 0);
    ck_assert_int_eq(options->host.value[HOST_KEY_DEMAND_HALF_LIFE], 0);
    options_free(options);
}
END_TEST

/* Each is refused at its last line. */
static const struct {
    const char *text;
    const char *expected;
} bad[] = {
    {"[deamon]", "unknown section [deamon]"},
    {"[vm]", "unknown section [vm]"},
    {"[vmx]", "unknown section [vmx]"},
    {"[Host]", "unknown section [Host]"},
    {"[policy night]", "unknown section"},
    {"socket = /a", "before any section"},
    {"[daemon]\nsokket = /a", "unknown key 'sokket' in [daemon]"},
    {"[daemon]\ninterval = 0", "interval: 0s is outside 100ms to 1m"},
    {"[daemon]\nreserve = 1g", "unknown key 'reserve' in [daemon]"},
    {"[host]\nsocket = /a", "unknown key 'socket' in [host]"},
    {"[host]\nreserve_kib = 5", "unknown key 'reserve_kib'"},
    {"[vm *]\nreserve = 1g", "unknown key 'reserve' in [vm *]"},
    {"[vm *]\nminimum_kib = 5", "unknown key 'minimum_kib'"},
    {"[daemon]\nsocket =", "socket is empty"},
    {"[daemon]\ndatabase =", "database is empty"},
    {"[daemon]\nbackend = kvm", "backend 'kvm' is neither"},
    {"[daemon]\nbackend = sim:", "backend 'sim:' is neither"},
    {"[daemon]\ninterval = 5", "interval"},
    {"[daemon]\ninterval = 8hh", "interval"},
    {"[daemon]\ninterval = 50ms", "interval: 50ms is outside 100ms to 1m"},
    {"[daemon]\ninterval = 61s", "is outside"},
    {"[daemon]\ninterval = -1s", "interval"},
    {"[daemon]\nlog-level = loud", "'loud' is none of error, warning, notice, info, debug"},
    {"[daemon]\nevent-count = 99", "event-count"},
    {"[daemon]\nevent-count = 99999999999999999999", "event-count"},
    {"[daemon]\nevent-age = 1s", "event-age"},
    {"[daemon]\nsocket = /a\nsocket = /b", "'socket' is there twice"},
    {"[daemon]\nsocket = /a\n[host]\n[daemon]", "[daemon] is there twice"},
    {"[access]\nread = nobody-like-this", "nobody-like-this"},
    {"[access]\nadmin = @no-such-group", "no-such-group"},
    {"[host]\nreserve = 12", "reserve"},
    {"[host]\nreserve = 2048t", "reserve"},
    {"[host]\nreserve = -5m", "reserve"},
    {"[host]\nsurplus = give", "'give' is none of keep, hold, share"},
    {"[host]\naction = maybe", "'maybe' is none of balance, observe"},
    {"[host]\ndemand-half-life = 2d", "demand-half-life: 2d is outside 0s to 1d"},
    {"[host]\ndemand-lead = 26", "demand-lead"},
    {"[host]\nblind = 1", "'1' is none of no, yes"},
    {"[vm *]\nbuffer = 4", "buffer: '4' is not a whole number from 5 to 2000"},
    {"[vm *]\nbuffer = 20%", "buffer"},
    {"[vm *]\npriority = 101", "priority"},
    {"[vm *]\nmode = on", "'on' is none of ignored, static, dynamic"},
    {"[vm *]\nminimum = 0", "minimum"},
    {"[vm *]\nmaximum = 1g\nminimum = 2g", "minimum 2g is above maximum 1g"},
    {"[vm *]\nminimum = 2g\nmaximum = 1g", "minimum 2g is above maximum 1g"},
    {"[vm *]\nstartup = 2g\nmaximum = 1g", "startup 2g is above maximum 1g"},
    {"[vm *]\nmaximum = 4g\nstartup = 1g\nminimum = 2g", "minimum 2g is above startup 1g"},
    {"[vm a]\npriority = 1\n[vm  a]", "[vm a] is there twice"},
    {"[vm a]\n[vm\ta]", "unknown section"},
    {"[vm a]\nnonsense", "neither"},
};

START_TEST(every_bad_line_is_refused_with_its_place)
{
    char text[256];
    int line = 1;

    for (const char *at = bad[_i].text; *at; at++)
        line += *at == '\n';
    snprintf(text, sizeof(text), "%s\n", bad[_i].text);
    assert_refused(text, line, bad[_i].expected);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
    struct options *options;
    struct err err;

    ck_assert_int_eq(options_read("/nowhere/xenmemd.conf", &options, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.text, "/nowhere/xenmemd.conf: No such file or directory");
    ck_assert_int_eq(options_read("/nowhere/xenmemd.conf", &options, NULL), -1);
}
END_TEST

/* --- the command line ------------------------------------------------------------------------- */

START_TEST(the_command_line_goes_before_the_file)
{
    struct options *options = read_text("[daemon]\nsocket = /a\ndatabase = /b\nbackend = xen\n");
    const struct options_given given = {.socket = "/x", .backend = "sim:/y"};

    ck_assert_int_eq(options_give(options, &given, NULL), 0);
    ck_assert_str_eq(options->socket, "/x");
    ck_assert_str_eq(options->database, "/b");
    ck_assert_str_eq(options->backend, "sim:/y");
    ck_assert(options->socket_given && options->backend_given && !options->database_given);
    options_free(options);
}
END_TEST

START_TEST(the_command_line_is_held_to_the_same_rules)
{
    static const struct options_given given[] = {
        {.socket = ""}, {.database = ""}, {.backend = "kvm"}, {.backend = "sim:"}};
    struct options *options = read_text("");
    struct err err;

    for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++) {
        ck_assert_int_eq(options_give(options, &given[i], &err), -1);
        ck_assert_int_eq(err.code, ERR_INVALID);
    }
    ck_assert(!options->socket_given && !options->backend_given && !options->database_given);
    options_free(options);
}
END_TEST

/* --- reading again ---------------------------------------------------------------------------- */

static struct options *read_again(const struct options *old, bool *needs_restart)
{
    struct options *now;
    struct err err;

    ck_assert_msg(options_read_again(old, &now, needs_restart, &err) == 0, "%s", err.text);
    return now;
}

START_TEST(a_reload_takes_what_can_be_changed_and_keeps_the_rest)
{
    struct options *old = read_text("[daemon]\nsocket = /a\ndatabase = /b\nbackend = xen\n"
                                    "interval = 1s\n[host]\nreserve = 1g\n[vm a]\npriority = 1\n");
    struct options *now;
    bool needs_restart = true;

    write_file("[daemon]\nsocket = /a\ndatabase = /b\nbackend = xen\n"
               "interval = 2s\nlog-level = debug\n[access]\nread = @daemon\n[vm b]\n");
    now = read_again(old, &needs_restart);
    ck_assert(!needs_restart);
    ck_assert_str_eq(now->file, path);
    ck_assert_int_eq(now->interval_ms, 2000);
    ck_assert_int_eq(now->log_level, LOG_LEVEL_DEBUG);
    ck_assert(!access_root_only(&now->access));
    ck_assert_uint_eq(now->host.has, 0);
    ck_assert_uint_eq(now->n_vms, 1);
    ck_assert_str_eq(now->vms[0].pattern, "b");
    options_free(old);
    options_free(now);
}
END_TEST

START_TEST(what_needs_a_restart_is_kept_and_said)
{
    static const char *const texts[] = {
        "[daemon]\nsocket = /other\ndatabase = /b\nbackend = xen\n",
        "[daemon]\nsocket = /a\ndatabase = /other\nbackend = xen\n",
        "[daemon]\nsocket = /a\ndatabase = /b\nbackend = sim:/other\n",
        "[daemon]\nsocket = /a\n",
    };
    struct options *old = read_text("[daemon]\nsocket = /a\ndatabase = /b\nbackend = xen\n");

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        bool needs_restart = false;
        struct options *now;

        write_file(texts[i]);
        now = read_again(old, &needs_restart);
        ck_assert(needs_restart);
        ck_assert_str_eq(now->socket, "/a");
        ck_assert_str_eq(now->database, "/b");
        ck_assert_str_eq(now->backend, "xen");
        options_free(now);
    }
    options_free(old);
}
END_TEST

START_TEST(what_the_command_line_gave_stays_whatever_the_file_says)
{
    struct options *old = read_text("[daemon]\nsocket = /a\n");
    const struct options_given given = {.socket = "/x", .database = "/y", .backend = "xen"};
    struct options *now, *later;
    bool needs_restart = true;

    ck_assert_int_eq(options_give(old, &given, NULL), 0);
    write_file("[daemon]\nsocket = /b\ndatabase = /c\nbackend = sim:/d\n");
    now = read_again(old, &needs_restart);
    ck_assert(!needs_restart);
    later = read_again(now, &needs_restart);
    ck_assert(!needs_restart);
    ck_assert_str_eq(later->socket, "/x");
    ck_assert_str_eq(later->database, "/y");
    ck_assert_str_eq(later->backend, "xen");
    options_free(old);
    options_free(now);
    options_free(later);
}
END_TEST

START_TEST(a_bad_file_changes_nothing)
{
    struct options *old = read_text("[daemon]\nsocket = /a\n"), *now = NULL;
    bool needs_restart;
    struct err err;

    write_file("[daemon]\nsocket = /b\nnonsense\n");
    ck_assert_int_eq(options_read_again(old, &now, &needs_restart, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, ":3: "));
    ck_assert_ptr_null(now);
    ck_assert_str_eq(old->socket, "/a");
    unlink(path);
    ck_assert_int_eq(options_read_again(old, &now, &needs_restart, &err), -1);
    options_free(old);
}
END_TEST

START_TEST(without_a_file_there_is_nothing_to_read_again)
{
    struct options *old, *now;
    bool needs_restart = true;

    ck_assert_int_eq(options_read(NULL, &old, NULL), 0);
    now = read_again(old, &needs_restart);
    ck_assert(!needs_restart);
    ck_assert_ptr_null(now->file);
    options_free(old);
    options_free(now);
}
END_TEST

/* --- as a layer ------------------------------------------------------------------------------- */

static int64_t priority_of(const struct layers *layers, const char *name)
{
    const struct setting_partial *said[LAYERS_MAX];
    size_t count = layers_of_vm(layers, name, said);

    return count > 0 && setting_has(said[0], VM_KEY_PRIORITY) ? said[0]->value[VM_KEY_PRIORITY]
                                                              : -1;
}

START_TEST(the_file_is_the_lowest_layer_and_its_first_match_wins)
{
    struct layers *layers = layers_new();
    struct layer *config = layers_find(layers, LAYER_ID_CONFIG);
    struct options *options = read_text("[host]\nreserve = 1g\n[vm db-*]\npriority = 80\n"
                                        "[vm *-test]\npriority = 5\n[vm *]\npriority = 40\n");

    options_fill_layer(options, config);
    ck_assert_int_eq(priority_of(layers, "db-test"), 80);
    ck_assert_int_eq(priority_of(layers, "web-test"), 5);
    ck_assert_int_eq(priority_of(layers, "web"), 40);
    ck_assert_int_eq(layer_host(config)->value[HOST_KEY_RESERVE], 1024 * 1024);
    options_free(options);
    options = read_text("[vm web]\npriority = 7\n");
    options_fill_layer(options, config);
    ck_assert_int_eq(priority_of(layers, "web"), 7);
    ck_assert_int_eq(priority_of(layers, "db-test"), -1);
    ck_assert(!setting_has(layer_host(config), HOST_KEY_RESERVE));
    options_free(options);
    layers_free(layers);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tests = tcase_create("options");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make, unmake);
    tcase_add_test(tests, without_a_file_there_are_defaults);
    tcase_add_test(tests, every_key_is_read);
    tcase_add_test(tests, what_the_manual_promises_at_the_ends_of_ranges_is_taken);
    tcase_add_loop_test(tests, every_bad_line_is_refused_with_its_place, 0,
                        sizeof(bad) / sizeof(*bad));
    tcase_add_test(tests, a_file_that_cannot_be_read_is_named);
    tcase_add_test(tests, the_command_line_goes_before_the_file);
    tcase_add_test(tests, the_command_line_is_held_to_the_same_rules);
    tcase_add_test(tests, a_reload_takes_what_can_be_changed_and_keeps_the_rest);
    tcase_add_test(tests, what_needs_a_restart_is_kept_and_said);
    tcase_add_test(tests, what_the_command_line_gave_stays_whatever_the_file_says);
    tcase_add_test(tests, a_bad_file_changes_nothing);
    tcase_add_test(tests, without_a_file_there_is_nothing_to_read_again);
    tcase_add_test(tests, the_file_is_the_lowest_layer_and_its_first_match_wins);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
