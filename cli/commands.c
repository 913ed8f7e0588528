/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/commands.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "cli/cli.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

#define BIT(option) (1u << (option))
#define EVERYWHERE                                                                                 \
    (BIT(OPTION_SOCKET) | BIT(OPTION_FORMAT) | BIT(OPTION_HELP) | BIT(OPTION_VERSION))

const struct command commands[] = {
    {"host", "", "what the host has and where it goes", NULL, 0, 0, 0, run_host},
    {"list", "", "a line a VM", NULL, BIT(OPTION_WATCH), 0, 0, run_list},
    {"show", "VM", "everything about one VM", NULL, 0, 1, 1, run_show},
    {"explain", "VM", "why it has what it has, in numbered steps", NULL, 0, 1, 1, run_explain},
    {"set", "VM KEY=VALUE...", "change a VM's settings",
     "Keys:\n"
     "  minimum=SIZE startup=SIZE maximum=SIZE   such as 512m, 1.5g; minimum <= startup <= "
     "maximum\n"
     "  buffer=PERCENT                           of demand kept spare, 5 to 2000\n"
     "  priority=N                               0 to 100, 100 the most important\n"
     "  mode=dynamic|static|ignored              static: always startup; ignored: never touched\n"
     "  trust=yes|no                             may a floor that the guest reports bind?\n",
     BIT(OPTION_FOR) | BIT(OPTION_DRY_RUN) | BIT(OPTION_FORCE), 2, SIZE_MAX, run_set},
    {"forget", "VM", "drop the settings of a VM that is off", NULL, 0, 1, 1, run_forget},
    {"plan", "[--set VM KEY=VALUE...] [--start SIZE]", "what would happen, without doing it",
     "With the settings and with a start of that size, if given; keys are those of set. Numbered\n"
     "steps, in the order in which they would come; nothing is changed. Exit code 3 where the\n"
     "start would be refused.\n",
     BIT(OPTION_SET) | BIT(OPTION_START) | BIT(OPTION_PRIORITY), 0, SIZE_MAX, run_plan},
    {"balance", "", "one pass now, until settled", NULL,
     BIT(OPTION_CLEAR_OVERRIDES) | BIT(OPTION_TIMEOUT), 0, 0, run_balance},
    {"events", "", "what happened",
     "T is a duration before now, such as 15m, or a date: 2025-01-31, 2025-01-31T10:00,\n"
     "2025-01-31T10:00:30Z. Without --since: the newest 1000; with --follow: none.\n",
     BIT(OPTION_FOLLOW) | BIT(OPTION_SINCE) | BIT(OPTION_VM), 0, 0, run_events},
    {"doctor", "", "what is wrong or risky on this host, and how to mend it",
     "Exit code 1 where something is wrong.\n", BIT(OPTION_ROOT), 0, 0, run_doctor},
    {"metrics", "", "OpenMetrics text, for Prometheus", NULL, 0, 0, 0, run_metrics},
    {"policy", "check|apply|revert|list|active [FILE|NAME]", "settings for a while, from a file",
     "A policy is a file (with a slash or .policy in its name), or the name of one "
     "in\n" XENMEM_CONFDIR
     "/policies.d. check says what is wrong with it, apply puts it in force above\n"
     "all others, revert NAME takes it off, list shows the files, active what is in force.\n",
     BIT(OPTION_FOR) | BIT(OPTION_DRY_RUN), 1, 2, run_policy},
    {"hooks", "list|test [EVENT]", "programs that events run",
     "list shows which there are, and which are refused and why; test runs those of EVENT\n"
     "with a sample.\n",
     0, 1, 2, run_hooks},
    {"history", "VM|host", "what it had and needed, as samples",
     "T is as for events; a day ago if not given. Samples are of 10 s, 5 min or an hour, the "
     "finest\n"
     "that are kept for so long. --vm is for a VM that is named host.\n",
     BIT(OPTION_SINCE) | BIT(OPTION_PLOT) | BIT(OPTION_VM), 0, 1, run_history},
    {"top", "", "the live view",
     "Keys: n, a, d, p, m sort by name, assigned, demand, pressure, maximum; arrows, PgUp, PgDn\n"
     "move; q ends.\n",
     0, 0, 0, run_top},
    {"export", "", "all settings of VMs as text", NULL, 0, 0, 0, run_export},
    {"import", "FILE", "set what such a text says",
     "FILE is what 'export' wrote, or - for standard input. All of it is checked before anything "
     "is\n"
     "set. Keys that it does not name stay as they are.\n",
     BIT(OPTION_DRY_RUN), 1, 1, run_import},
    {"db", "backup FILE", "copy the database while xenmemd runs",
     "An older backup is replaced once the new one is whole; what is no backup is not touched.\n",
     0, 2, 2, run_db},
    {"reserve", "[SIZE]", "keep memory free for a start",
     "Refused at once where there is not enough, unless --wait says for how long it may queue;\n"
     "exit code 7 where that is over.\n"
     "Prints the id. --for NAME (here the name of the VM that is about to start) binds it to the\n"
     "domain of that name; it ends when that runs. Without a SIZE it is what that VM will be "
     "built\n"
     "with, by its settings.\n",
     BIT(OPTION_FOR) | BIT(OPTION_TTL) | BIT(OPTION_WAIT) | BIT(OPTION_PRIORITY) | BIT(OPTION_HOLD),
     0, 1, run_reserve},
    {"reservations", "", "memory that is kept for starts, and who waits for it", NULL, 0, 0, 0,
     run_reservations},
    {"release", "ID", "end a reservation", NULL, 0, 1, 1, run_release},
    {"start", "FILE [-- XL-ARGS]", "make room, and start a VM with xl create, or xl restore",
     "FILE is xl's configuration file, or a guest that xl saved. Refused without running xl where\n"
     "there is not enough memory. XENMEM_XL names another xl.\n",
     BIT(OPTION_WAIT) | BIT(OPTION_PRIORITY), 1, SIZE_MAX, run_start},
    {"freeze", "VM", "leave a VM alone, for a migration or other work",
     "Done as soon as its balloon is at rest. --for DURATION thaws it by itself.\n",
     BIT(OPTION_FOR), 1, 1, run_freeze},
    {"thaw", "VM", "end a freeze", NULL, 0, 1, 1, run_thaw},
    {"version", "", "of this program and of xenmemd", NULL, 0, 0, 0, run_version},
    {NULL, NULL, NULL, NULL, 0, 0, 0, NULL},
};

static const struct {
    const char *name;
    const char *value; /* NULL: takes none */
    const char *help;
} options[OPTION_COUNT] = {
    [OPTION_SOCKET] = {"socket", "PATH", "where xenmemd listens (or XENMEM_SOCKET)"},
    [OPTION_FORMAT] = {"format", "table|json|csv", "how the output looks"},
    [OPTION_HELP] = {"help", NULL, "this; after a command: about that"},
    [OPTION_VERSION] = {"version", NULL, "of this program"},
    [OPTION_CLEAR_OVERRIDES] = {"clear-overrides", NULL,
                                "take back targets that were set by hand (xl mem-set)"},
    [OPTION_DRY_RUN] = {"dry-run", NULL, "show what would be set, and change nothing"},
    [OPTION_FOLLOW] = {"follow", NULL, "go on, as it happens"},
    [OPTION_FOR] = {"for", "DURATION|NAME",
                    "how long, such as 8h; of a reservation: the VM that it is for"},
    [OPTION_FORCE] = {"force", NULL, "also what can never be fulfilled on this host"},
    [OPTION_HOLD] = {"hold", NULL, "tie it to this process, which goes on until interrupted"},
    [OPTION_PLOT] = {"plot", NULL, "draw it"},
    [OPTION_PRIORITY] =
        {"priority", "N",
         "0 to 100: whom it may take memory from; if not given, the VM's own, or 50"},
    [OPTION_ROOT] = {"root", "FOLDER", "look at the files below it instead of this host's"},
    [OPTION_SET] = {"set", "VM", "as if the KEY=VALUE that follow were set for it"},
    [OPTION_SINCE] = {"since", "T", "no older ones"},
    [OPTION_START] = {"start", "SIZE", "as if a VM of that size were to start"},
    [OPTION_TIMEOUT] = {"timeout", "DURATION", "wait no longer than this (60s)"},
    [OPTION_TTL] = {"ttl", "DURATION", "then it ends by itself"},
    [OPTION_WAIT] = {"wait", "DURATION", "may queue for so long where there is not enough now"},
    [OPTION_VM] = {"vm", "VM", "only those about this VM"},
    [OPTION_WATCH] = {"watch", NULL, "again every second, until interrupted"},
};

static const struct command *find_command(const char *name)
{
    for (const struct command *command = commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

/* --- the command line ------------------------------------------------------------------------ */

/* The option whose name is the first length bytes of name; OPTION_COUNT where there is none. */
static unsigned find_option(const char *name, size_t length)
{
    unsigned i;

    for (i = 0; i < OPTION_COUNT; i++)
        if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0)
            break;
    return i;
}

/* "--name", "--name=value", "--name" "value". Moves *at to the last argument that it took. */
static int read_option(struct cli *cli, int argc, char **argv, int *at, struct arguments *out)
{
    const char *name = argv[*at] + 2;
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    unsigned option = find_option(name, length);

    if (option == OPTION_COUNT)
        return cli_complain(cli, EXIT_USAGE, "there is no option '--%.*s'; see 'xenmemctl --help'",
                            (int)length, name);
    if (!options[option].value && value)
        return cli_complain(cli, EXIT_USAGE, "--%s takes no value, but was given '%s'",
                            options[option].name, value);
    if (options[option].value && !value) {
        if (*at + 1 >= argc)
            return cli_complain(cli, EXIT_USAGE, "--%s needs a value: --%s %s",
                                options[option].name, options[option].name, options[option].value);
        value = argv[++*at];
    }
    /* The words behind each would all count for the last. */
    if (option == OPTION_SET && out->options[option])
        return cli_complain(cli, EXIT_USAGE,
                            "plan takes one --set VM, and all KEY=VALUE are for it");
    out->options[option] = value ? value : "";
    return EXIT_DONE;
}

static int read_word(struct cli *cli, const char *word, struct arguments *out)
{
    if (out->command) {
        out->words[out->n_words++] = word;
        return EXIT_DONE;
    }
    out->command = find_command(word);
    if (!out->command)
        return cli_complain(cli, EXIT_USAGE, "there is no command '%s'; see 'xenmemctl --help'",
                            word);
    return EXIT_DONE;
}

static int check_arguments(struct cli *cli, const struct arguments *arguments)
{
    const struct command *command = arguments->command;

    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (arguments->options[i] && !((command->options | EVERYWHERE) & BIT(i)))
            return cli_complain(cli, EXIT_USAGE,
                                "%s has no option '--%s'; see 'xenmemctl %s --help'", command->name,
                                options[i].name, command->name);
    for (size_t i = 0; i < arguments->n_words; i++)
        if (arguments->words[i][0] == '\0')
            return cli_complain(cli, EXIT_USAGE,
                                i == 0 ? "the name of a VM is empty"
                                       : "an empty word is not KEY=VALUE");
    if (arguments->n_words > command->most)
        return cli_complain(cli, EXIT_USAGE, "'%s' is one word too many: xenmemctl %s%s%s",
                            arguments->words[command->most], command->name,
                            command->arguments[0] ? " " : "", command->arguments);
    if (arguments->n_words < command->least)
        return cli_complain(cli, EXIT_USAGE, "something is missing: xenmemctl %s %s", command->name,
                            command->arguments);
    return EXIT_DONE;
}

int arguments_read(struct cli *cli, int argc, char **argv, struct arguments *out)
{
    bool options_end = false;
    int code = EXIT_DONE;

    *out = (struct arguments){.words = calloc((size_t)argc + 1, sizeof(*out->words))};
    invariant(out->words);
    for (int i = 1; i < argc && code == EXIT_DONE; i++) {
        if (!text_is_utf8(argv[i]))
            code = cli_complain(cli, EXIT_USAGE, "'%s' is not UTF-8", argv[i]);
        else if (!options_end && strcmp(argv[i], "--") == 0)
            options_end = true;
        else if (!options_end && strcmp(argv[i], "-h") == 0)
            out->options[OPTION_HELP] = "";
        else if (!options_end && strncmp(argv[i], "--", 2) == 0)
            code = read_option(cli, argc, argv, &i, out);
        else if (!options_end && argv[i][0] == '-' && argv[i][1] != '\0')
            code = cli_complain(cli, EXIT_USAGE, "there is no option '%s'; see 'xenmemctl --help'",
                                argv[i]);
        else
            code = read_word(cli, argv[i], out);
    }
    if (code != EXIT_DONE || out->options[OPTION_HELP] || out->options[OPTION_VERSION])
        return code;
    if (!out->command)
        return cli_complain(cli, EXIT_USAGE, "what is to be done? see 'xenmemctl --help'");
    return check_arguments(cli, out);
}

void arguments_free(struct arguments *arguments)
{
    free(arguments->words);
}

/* --- help ------------------------------------------------------------------------------------ */

static void put_options(struct cli *cli, unsigned which)
{
    char text[64];

    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (!(which & BIT(i)))
            continue;
        snprintf(text, sizeof(text), "--%s%s%s", options[i].name, options[i].value ? " " : "",
                 options[i].value ? options[i].value : "");
        fprintf(cli->out, "  %-24s %s\n", text, options[i].help);
    }
}

static void put_command(struct cli *cli, const struct command *command)
{
    fprintf(cli->out, "usage: xenmemctl %s", command->name);
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (command->options & BIT(i))
            fprintf(cli->out, " [--%s%s%s]", options[i].name, options[i].value ? " " : "",
                    options[i].value ? options[i].value : "");
    fprintf(cli->out, "%s%s\n\n%s: %s\n\n", command->arguments[0] ? " " : "", command->arguments,
            command->name, command->help);
    if (command->more)
        fprintf(cli->out, "%s\n", command->more);
    fputs("Options:\n", cli->out);
    put_options(cli, command->options | EVERYWHERE);
}

void help_put(struct cli *cli, const struct command *command)
{
    char text[64];

    if (command) {
        put_command(cli, command);
        return;
    }
    fputs("usage: xenmemctl [--socket PATH] [--format table|json|csv] COMMAND\n"
          "\n"
          "Shows and steers how xenmemd shares this host's memory among its VMs.\n"
          "\n"
          "Commands:\n",
          cli->out);
    for (command = commands; command->name; command++) {
        snprintf(text, sizeof(text), "%s %s", command->name, command->arguments);
        fprintf(cli->out, "  %-24s %s\n", text, command->help);
    }
    fputs("\nOptions, before or after the command:\n", cli->out);
    put_options(cli, EVERYWHERE);
    fprintf(cli->out, "\nThe socket, if none is given: %s\n", xenmemctl_default_socket());
}
