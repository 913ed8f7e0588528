/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which hooks there are, in which order, and which of them are refused. */
#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/hooks/hook_files.h"

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void make(void)
{
    strcpy(folder, "/tmp/xenmem-test-hooks-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(mkdir(in_folder("vm-low"), 0755), 0);
}

static void unmake(void)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void put_hook(const char *name, mode_t mode)
{
    FILE *file = fopen(in_folder(name), "w");

    ck_assert_ptr_nonnull(file);
    fputs("#!/bin/sh\n", file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(in_folder(name), mode), 0);
}

/* "NAME NAME …", in order; refused ones with a '!'. */
static const char *found(const char *event)
{
    static char text[256];
    struct hook_files files = {0};

    text[0] = '\0';
    hook_files_add(&files, folder, event);
    for (size_t i = 0; i < files.count; i++) {
        const char *name = strrchr(files.files[i].path, '/') + 1;

        ck_assert_str_eq(files.files[i].event, event);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s", i > 0 ? " " : "",
                 files.files[i].refused[0] ? "!" : "", name);
    }
    hook_files_fini(&files);
    return text;
}

static void assert_judged(const char *name, const char *expected)
{
    char why[HOOK_REASON_MAX];

    hook_files_judge(in_folder(name), why);
    ck_assert_msg(strstr(why, expected) != NULL && (why[0] == '\0') == (expected[0] == '\0'),
                  "%s: '%s' does not say '%s'", name, why, expected);
}

START_TEST(they_come_in_the_order_of_their_names)
{
    put_hook("vm-low/20-b", 0755);
    put_hook("vm-low/10-a", 0700);
    put_hook("vm-low/5-c", 0644);
    put_hook("vm-low/.hidden", 0755);
    put_hook("vm-low/10-a~", 0755);
    ck_assert_str_eq(found("vm-low"), "10-a 20-b !5-c");
    ck_assert_str_eq(found("vm-ok"), "");
    ck_assert(hook_files_any(folder, "vm-low"));
    ck_assert(!hook_files_any(folder, "vm-ok"));
}
END_TEST

START_TEST(a_folder_that_is_a_link_or_a_file_is_refused_whole)
{
    put_hook("vm-low/fine", 0755);
    ck_assert_int_eq(symlink("vm-low", in_folder("host-low")), 0);
    put_hook("host-ok", 0755);
    ck_assert_str_eq(found("host-low"), "!host-low");
    ck_assert_str_eq(found("host-ok"), "!host-ok");
}
END_TEST

/* Else its hooks would be missing without a word. */
START_TEST(a_folder_that_cannot_be_listed_is_refused_whole)
{
    struct hook_files files = {0};
    struct rlimit before, none;

    put_hook("vm-low/fine", 0755);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    hook_files_add(&files, folder, "vm-low");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_uint_eq(files.count, 1);
    ck_assert_str_eq(files.files[0].path, in_folder("vm-low"));
    ck_assert_str_eq(files.files[0].refused, "cannot be listed: Too many open files");
    hook_files_fini(&files);
}
END_TEST

START_TEST(what_others_could_have_written_is_refused)
{
    put_hook("vm-low/fine", 0755);
    assert_judged("vm-low/fine", "");
    put_hook("vm-low/of-group", 0775);
    assert_judged("vm-low/of-group", "can be written by others");
    put_hook("vm-low/of-all", 0757);
    assert_judged("vm-low/of-all", "can be written by others");
    put_hook("vm-low/plain", 0644);
    assert_judged("vm-low/plain", "cannot be executed");
    ck_assert_int_eq(mkdir(in_folder("vm-low/folder"), 0755), 0);
    assert_judged("vm-low/folder", "is not a file");
    assert_judged("vm-low/nothing", "No such file");
    ck_assert_int_eq(chmod(in_folder("vm-low"), 0777), 0);
    assert_judged("vm-low/fine", "can be written by others");
    ck_assert_int_eq(chmod(in_folder("vm-low"), 0755), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(in_folder("vm-low/fine"), 65534, 65534), 0);
        assert_judged("vm-low/fine", "belongs to uid 65534, not to root");
    }
}
END_TEST

/* A link's own rights say nothing: what it leads to is judged, and every folder above that. */
START_TEST(a_link_is_judged_by_what_it_leads_to)
{
    ck_assert_int_eq(mkdir(in_folder("elsewhere"), 0755), 0);
    put_hook("elsewhere/tool", 0755);
    ck_assert_int_eq(symlink("../elsewhere/tool", in_folder("vm-low/tool")), 0);
    assert_judged("vm-low/tool", "");
    ck_assert_int_eq(chmod(in_folder("elsewhere"), 0757), 0);
    assert_judged("vm-low/tool", "elsewhere can be written by others");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hook files");
    TCase *tests = tcase_create("hook files");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make, unmake);
    tcase_add_test(tests, they_come_in_the_order_of_their_names);
    tcase_add_test(tests, a_folder_that_is_a_link_or_a_file_is_refused_whole);
    tcase_add_test(tests, a_folder_that_cannot_be_listed_is_refused_whole);
    tcase_add_test(tests, what_others_could_have_written_is_refused);
    tcase_add_test(tests, a_link_is_judged_by_what_it_leads_to);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
