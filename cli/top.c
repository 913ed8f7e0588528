/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command top: asks once a second, draws, and takes keys. */
#include "cli/top.h"

#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "libctl/xenmemctl.h"

#define EVERY_MS   1000
#define TIMEOUT_MS 2000 /* keys are not taken meanwhile */
#define EVENTS     3

/* --- asking ------------------------------------------------------------------------------------
 */

static int ask(struct cli *cli, struct xenmemctl_request *request, struct xenmemctl_message **place,
               struct xenmemctl_error *error)
{
    struct xenmemctl_message *reply;

    if (xenmemctl_call(cli->connection, request, TIMEOUT_MS, &reply, error))
        return -1;
    xenmemctl_message_free(*place);
    *place = reply;
    return 0;
}

static int ask_all(struct top *top, struct cli *cli, struct xenmemctl_error *error)
{
    struct xenmemctl_request *events = xenmemctl_request_new("events");

    xenmemctl_request_integer(events, "limit", EVENTS);
    if (ask(cli, events, &top->events, error) ||
        ask(cli, xenmemctl_request_new("host.get"), &top->host, error) ||
        ask(cli, xenmemctl_request_new("vm.list"), &top->vms, error))
        return -1;
    top_arrange(top);
    return 0;
}

/* A daemon that is away is asked again: what was last heard stays on the screen. */
static int hear(struct top *top, struct cli *cli, struct xenmemctl_error *error)
{
    if (!cli->connection && xenmemctl_connect(cli->socket, TIMEOUT_MS, &cli->connection, error))
        return -1;
    top->simulated = xenmemctl_is_simulated(cli->connection);
    if (ask_all(top, cli, error) == 0)
        return 0;
    xenmemctl_free(cli->connection);
    cli->connection = NULL;
    return -1;
}

/* --- the screen --------------------------------------------------------------------------------
 */

static void begin_screen(void)
{
    initscr();
    cbreak();
    noecho();
    curs_set(0);
    keypad(stdscr, TRUE);
    timeout(EVERY_MS);
    if (!has_colors() || getenv("NO_COLOR"))
        return;
    start_color();
    use_default_colors();
    init_pair(1, COLOR_GREEN, -1);
    init_pair(2, COLOR_YELLOW, -1);
    init_pair(3, COLOR_BLUE, -1);
    init_pair(4, COLOR_RED, -1);
}

static void move_by(struct top *top, long count)
{
    if (count < 0)
        top->first = top->first > (size_t)-count ? top->first - (size_t)-count : 0;
    else
        top->first += (size_t)count; /* drawing bounds it */
}

/* A terminal that went away gives no keys, and gives them at once: waiting for one would be none.
 */
static bool has_terminal(void)
{
    struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};

    return poll(&keys, 1, 0) <= 0 || !(keys.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* False: that was the end. */
static bool take_key(struct top *top, int key)
{
    static const char sorts[] = "nadpm"; /* as enum top_sort */
    const char *sort = key > 0 && key < 128 ? strchr(sorts, key) : NULL;

    if (sort) {
        top->sort = (enum top_sort)(sort - sorts);
        top->first = 0;
        top_arrange(top);
    } else if (key == KEY_UP || key == KEY_DOWN) {
        move_by(top, key == KEY_UP ? -1 : 1);
    } else if (key == KEY_PPAGE || key == KEY_NPAGE) {
        move_by(top, (key == KEY_PPAGE ? -1 : 1) * (long)top_room());
    } else if (key == KEY_HOME) {
        top->first = 0;
    }
    return key != 'q';
}

static void run(struct top *top, struct cli *cli)
{
    struct xenmemctl_error error;
    int64_t next_ms = 0;

    for (;;) {
        int key;

        if (next_ms == 0 || next_ms <= EVERY_MS / 10) {
            top->trouble[0] = '\0';
            if (hear(top, cli, &error))
                snprintf(top->trouble, sizeof(top->trouble), "%s", error.text);
            next_ms = EVERY_MS;
        }
        top_draw(top);
        key = getch();
        if (key == ERR && !has_terminal())
            return;
        if (key == ERR)
            next_ms = 0;
        else if (!take_key(top, key))
            return;
        else
            next_ms -= EVERY_MS / 10; /* whoever keeps a key down still sees news */
    }
}

/* --- the command -------------------------------------------------------------------------------
 */

static int check_terminal(struct cli *cli)
{
    struct winsize size;
    int problem;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return cli_complain(cli, EXIT_USAGE, "top needs a terminal; 'list --watch' needs none");
    if (setupterm(NULL, STDOUT_FILENO, &problem) != OK)
        return cli_complain(cli, EXIT_USAGE,
                            "top does not know this terminal (TERM); 'list --watch' needs none");
    del_curterm(cur_term); /* it was only a question: initscr takes its own */
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
        (size.ws_row < TOP_LINES || size.ws_col < TOP_COLUMNS))
        return cli_complain(cli, EXIT_FAILED,
                            "a terminal of %dx%d is too small for top: it needs %dx%d", size.ws_col,
                            size.ws_row, TOP_COLUMNS, TOP_LINES);
    return EXIT_DONE;
}

int run_top(struct cli *cli, const struct arguments *arguments)
{
    struct top top = {.sort = SORT_NAME};
    struct xenmemctl_error error;
    int code;

    (void)arguments;
    if (cli->format != FORMAT_TABLE)
        return cli_complain(cli, EXIT_USAGE, "top is for people: leave --format out");
    code = check_terminal(cli);
    if (code != EXIT_DONE)
        return code;
    /* Whoever mistyped the socket is told so, and not shown an empty screen. */
    if (hear(&top, cli, &error))
        return cli_complain_error(cli, &error);
    setlocale(LC_CTYPE, "");
    begin_screen();
    run(&top, cli);
    endwin();
    xenmemctl_message_free(top.host);
    xenmemctl_message_free(top.vms);
    xenmemctl_message_free(top.events);
    free(top.order);
    return EXIT_DONE;
}
