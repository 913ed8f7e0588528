/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: command line → options → daemon. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/daemon.h"
#include "daemon/options.h"

#define DEFAULT_FILE XENMEM_CONFDIR "/xenmemd.conf"

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_DENIED = 6 };

enum long_option {
    OPTION_BACKEND = 256,
    OPTION_SOCKET,
    OPTION_DATABASE,
    OPTION_CHECK_CONFIG,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"backend", required_argument, NULL, OPTION_BACKEND},
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"database", required_argument, NULL, OPTION_DATABASE},
    {"check-config", no_argument, NULL, OPTION_CHECK_CONFIG},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: xenmemd [-c FILE] [--backend xen|sim:FILE] [--socket PATH] [--database PATH]\n"
    "               [--check-config]\n"
    "\n"
    "Moves memory between the VMs of this Xen host. Stays in the foreground and logs to stderr.\n"
    "\n"
    "  -c, --config FILE   the configuration (default " DEFAULT_FILE ")\n"
    "  --backend xen       this host's hypervisor (default)\n"
    "  --backend sim:FILE  a simulated host; starts it where it does not run yet\n"
    "  --socket PATH       where clients connect\n"
    "  --database PATH     where settings and events are kept\n"
    "  --check-config      read the configuration, say what is wrong with it, and exit\n"
    "  --help, --version\n";

/* What the command line asks for. Texts are argv's. */
struct command {
    const char *file; /* NULL: the default, where it exists */
    struct options_given given;
    bool check_only;
};

static int complain(const struct err *err)
{
    fprintf(stderr, "xenmemd: %s\n", err->text);
    switch (err->code) {
    case ERR_DENIED:
        return EXIT_DENIED;
    case ERR_INVALID:
        return EXIT_USAGE;
    default:
        return EXIT_FAILED;
    }
}

/* All that there was to do: what was printed must have arrived. */
static int finish_output(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    fprintf(stderr, "xenmemd: the output cannot be written: %s\n", strerror(errno));
    return EXIT_FAILED;
}

static int show_help(void)
{
    fputs(usage, stdout);
    return finish_output();
}

static int show_version(void)
{
    puts("xenmemd " PACKAGE_VERSION);
    return finish_output();
}

/* Returns the exit code where that is all there was to do, −1 where command is to be carried out.
 */
static int read_command(int argc, char **argv, struct command *command)
{
    int option;

    while ((option = getopt_long(argc, argv, "c:", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            command->file = optarg;
            break;
        case OPTION_BACKEND:
            command->given.backend = optarg;
            break;
        case OPTION_SOCKET:
            command->given.socket = optarg;
            break;
        case OPTION_DATABASE:
            command->given.database = optarg;
            break;
        case OPTION_CHECK_CONFIG:
            command->check_only = true;
            break;
        case OPTION_HELP:
            return show_help();
        case OPTION_VERSION:
            return show_version();
        default:
            return EXIT_USAGE; /* getopt named what it does not know */
        }
    }
    if (optind < argc) {
        fprintf(stderr, "xenmemd: '%s' is not an option; see 'xenmemd --help'\n", argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

/* The default file may be missing: everything in it is optional. One that was named must be there.
 */
static int read_options(const struct command *command, struct options **out, struct err *err)
{
    const char *file = command->file;

    if (!file && (access(DEFAULT_FILE, F_OK) == 0 || errno != ENOENT))
        file = DEFAULT_FILE;
    if (options_read(file, out, err))
        return file && access(file, F_OK) ? err_advise(err, "name another file with -c") : -1;
    if (options_give(*out, &command->given, err) == 0)
        return 0;
    options_free(*out);
    return -1;
}

static int run(struct options *options)
{
    struct daemon daemon = {0};
    struct err err;
    int failed;

    if (daemon_start(&daemon, options, &err))
        return complain(&err);
    failed = daemon_run(&daemon, &err);
    daemon_stop(&daemon);
    return failed ? complain(&err) : EXIT_DONE;
}

int main(int argc, char **argv)
{
    struct command command = {0};
    struct options *options;
    struct err err;
    int code = read_command(argc, argv, &command);

    if (code >= 0)
        return code;
    if (read_options(&command, &options, &err))
        return complain(&err);
    if (command.check_only) {
        printf("%s: no errors\n", options->file ? options->file : "no configuration file");
        options_free(options);
        return finish_output();
    }
    return run(options);
}
