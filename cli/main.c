/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program: command line → command → exit code. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"

/* Where stdin, stdout or stderr is closed, the socket must not take its number: what is written
 * there would go to xenmemd. What holds the place can be read from, so that writing fails. */
static void hold_places(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* The terminal's columns; 0 where stdout is none. */
static size_t terminal_width(void)
{
    struct winsize size;

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col;
}

static int take_format(struct cli *cli, const char *name)
{
    static const char *const names[] = {"table", "json", "csv"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strcmp(names[i], name) == 0) {
            cli->format = (enum format)i;
            return EXIT_DONE;
        }
    }
    return cli_complain(cli, EXIT_USAGE, "--format '%s' is none of table, json, csv", name);
}

static int take_socket(struct cli *cli, const char *path)
{
    if (path[0] == '\0')
        return cli_complain(cli, EXIT_USAGE, "--socket is empty");
    cli->socket = path;
    return EXIT_DONE;
}

static int run(struct cli *cli, const struct arguments *arguments)
{
    const char *const *options = arguments->options;

    if (options[OPTION_HELP]) {
        help_put(cli, arguments->command);
        return EXIT_DONE;
    }
    if (options[OPTION_VERSION]) {
        fputs("xenmemctl " PACKAGE_VERSION "\n", cli->out);
        return EXIT_DONE;
    }
    if (options[OPTION_FORMAT] && take_format(cli, options[OPTION_FORMAT]) != EXIT_DONE)
        return EXIT_USAGE;
    if (options[OPTION_SOCKET] && take_socket(cli, options[OPTION_SOCKET]) != EXIT_DONE)
        return EXIT_USAGE;
    return arguments->command->run(cli, arguments);
}

int main(int argc, char **argv)
{
    const char *socket = getenv("XENMEM_SOCKET");
    struct cli cli = {
        .out = stdout,
        .err = stderr,
        .width = terminal_width(),
        .socket = socket && socket[0] ? socket : NULL,
    };
    struct arguments arguments;
    int code;

    hold_places();
    /* An output that nobody reads any more shows in the exit code, not as a death. */
    signal(SIGPIPE, SIG_IGN);
    code = arguments_read(&cli, argc, argv, &arguments);
    if (code == EXIT_DONE)
        code = run(&cli, &arguments);
    code = cli_finish(&cli, code);
    arguments_free(&arguments);
    return code;
}
