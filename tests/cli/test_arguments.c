/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: what is understood, and what is refused with which words. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

static struct cli cli;
static struct arguments arguments;
static char *complaint;
static size_t complaint_length;

static void set_up(void)
{
    cli = (struct cli){.out = fopen("/dev/null", "w")};
    cli.err = open_memstream(&complaint, &complaint_length);
    ck_assert(cli.out && cli.err);
}

static void tear_down(void)
{
    arguments_free(&arguments);
    fclose(cli.out);
    fclose(cli.err);
    free(complaint);
}

/* Reads words, up to a NULL. */
static int read_words(const char *const *words)
{
    char *argv[16] = {(char *)"xenmemctl"};
    int argc = 1;

    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    return arguments_read(&cli, argc, argv, &arguments);
}

#define READ(...) read_words((const char *const[]){__VA_ARGS__, NULL})

#define ASSERT_READ(...)                                                                           \
    do {                                                                                           \
        int code_ = READ(__VA_ARGS__);                                                             \
        fflush(cli.err);                                                                           \
        ck_assert_msg(code_ == EXIT_DONE, "%s", complaint);                                        \
    } while (0)

static void assert_refused(int code, const char *what)
{
    fflush(cli.err);
    ck_assert_int_eq(code, EXIT_USAGE);
    ck_assert_msg(strstr(complaint, what) != NULL, "'%s' does not say '%s'", complaint, what);
    ck_assert_msg(strchr(complaint, '\n') == complaint + strlen(complaint) - 1, "one line: %s",
                  complaint);
}

START_TEST(a_command_and_its_words_are_told_apart)
{
    ASSERT_READ("set", "web1", "minimum=512m", "maximum=2g");
    ck_assert_str_eq(arguments.command->name, "set");
    ck_assert_uint_eq(arguments.n_words, 3);
    ck_assert_str_eq(arguments.words[0], "web1");
    ck_assert_str_eq(arguments.words[2], "maximum=2g");
}
END_TEST

START_TEST(options_may_be_anywhere_and_written_both_ways)
{
    ASSERT_READ("--socket", "/a", "set", "--for=8h", "web1", "--format", "json", "minimum=1g",
                "--dry-run");
    ck_assert_str_eq(arguments.options[OPTION_SOCKET], "/a");
    ck_assert_str_eq(arguments.options[OPTION_FOR], "8h");
    ck_assert_str_eq(arguments.options[OPTION_FORMAT], "json");
    ck_assert_str_eq(arguments.options[OPTION_DRY_RUN], "");
    ck_assert_ptr_null(arguments.options[OPTION_FORCE]);
    ck_assert_uint_eq(arguments.n_words, 2);
}
END_TEST

START_TEST(the_last_of_two_options_counts)
{
    ASSERT_READ("--format", "csv", "list", "--format=json");
    ck_assert_str_eq(arguments.options[OPTION_FORMAT], "json");
}
END_TEST

START_TEST(after_two_dashes_there_are_no_options)
{
    ASSERT_READ("show", "--", "--vm");
    ck_assert_str_eq(arguments.words[0], "--vm");
}
END_TEST

START_TEST(help_needs_nothing_else)
{
    ASSERT_READ("--help");
    ck_assert_ptr_null(arguments.command);
    arguments_free(&arguments);
    ASSERT_READ("set", "-h");
    ck_assert_str_eq(arguments.command->name, "set");
    ck_assert_ptr_nonnull(arguments.options[OPTION_HELP]);
    arguments_free(&arguments);
    ASSERT_READ("--version");
    ck_assert_ptr_nonnull(arguments.options[OPTION_VERSION]);
}
END_TEST

static const struct {
    const char *words[8];
    const char *what;
} wrong[] = {
    {{NULL}, "what is to be done? see 'xenmemctl --help'"},
    {{"lst"}, "there is no command 'lst'"},
    {{"set", "web1"}, "something is missing: xenmemctl set VM KEY=VALUE..."},
    {{"show"}, "something is missing: xenmemctl show VM"},
    {{"show", "a", "b"}, "'b' is one word too many: xenmemctl show VM"},
    {{"list", "web1"}, "'web1' is one word too many: xenmemctl list"},
    {{"list", "--follow"}, "list has no option '--follow'"},
    {{"list", "--fo"}, "there is no option '--fo'"},
    {{"list", "--"
              "bogus=1"},
     "there is no option '--bogus'"},
    {{"list", "-x"}, "there is no option '-x'"},
    {{"events", "--since"}, "--since needs a value: --since T"},
    {{"events", "--follow=yes"}, "--follow takes no value, but was given 'yes'"},
    {{"show", "d\xfcrer"}, "'d?rer' is not UTF-8"},
    {{"show", ""}, "the name of a VM is empty"},
    {{"plan", "--set", "a", "minimum=1g", "--set", "b", "maximum=2g"}, "plan takes one --set VM"},
};

START_TEST(what_cannot_be_understood_is_named)
{
    assert_refused(read_words(wrong[_i].words), wrong[_i].what);
}
END_TEST

START_TEST(all_that_a_command_may_have_is_in_its_help)
{
    char *help;
    size_t length;

    for (const struct command *command = commands; command->name; command++) {
        fclose(cli.out);
        cli.out = open_memstream(&help, &length);
        help_put(&cli, command);
        fflush(cli.out);
        ck_assert_ptr_nonnull(strstr(help, command->name));
        ck_assert_ptr_nonnull(strstr(help, command->arguments));
        ck_assert_ptr_nonnull(strstr(help, command->help));
        ck_assert(!(command->options & 1u << OPTION_FOLLOW) || strstr(help, "--follow"));
        fclose(cli.out);
        free(help);
        cli.out = fopen("/dev/null", "w");
    }
}
END_TEST

START_TEST(the_help_lists_every_command)
{
    char *help;
    size_t length;

    fclose(cli.out);
    cli.out = open_memstream(&help, &length);
    help_put(&cli, NULL);
    fflush(cli.out);
    for (const struct command *command = commands; command->name; command++)
        ck_assert_ptr_nonnull(strstr(help, command->help));
    fclose(cli.out);
    free(help);
    cli.out = fopen("/dev/null", "w");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arguments");
    TCase *tests = tcase_create("arguments");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_command_and_its_words_are_told_apart);
    tcase_add_test(tests, options_may_be_anywhere_and_written_both_ways);
    tcase_add_test(tests, the_last_of_two_options_counts);
    tcase_add_test(tests, after_two_dashes_there_are_no_options);
    tcase_add_test(tests, help_needs_nothing_else);
    tcase_add_loop_test(tests, what_cannot_be_understood_is_named, 0,
                        (int)(sizeof(wrong) / sizeof(*wrong)));
    tcase_add_test(tests, all_that_a_command_may_have_is_in_its_help);
    tcase_add_test(tests, the_help_lists_every_command);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
