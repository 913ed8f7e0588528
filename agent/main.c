/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program that runs in a guest: command line, signals, the clock. */
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/need.h"
#include "agent/trigger.h"
#include "base/err.h"
#include "base/log.h"
#include "base/units.h"

#define INTERVAL_MS     INT64_C(1000)
#define INTERVAL_LOW_MS INT64_C(100)

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NO_STORE = 5,
    EXIT_DENIED = 6
};

enum long_option { OPTION_PRINT = 256, OPTION_INTERVAL, OPTION_ROOT, OPTION_HELP, OPTION_VERSION };

static const struct option long_options[] = {
    {"print", no_argument, NULL, OPTION_PRINT},
    {"interval", required_argument, NULL, OPTION_INTERVAL},
    {"root", required_argument, NULL, OPTION_ROOT},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: xenmem-agent [--print] [--interval TIME] [--root FOLDER]\n"
    "\n"
    "Tells the Xen host what memory this guest needs. Stays in the foreground and logs to stderr.\n"
    "\n"
    "  --print            show what would be reported, once, and exit\n"
    "  --interval TIME    between two looks, 100ms to 10s (default 1s)\n"
    "  --root FOLDER      look at FOLDER/proc and FOLDER/sys\n"
    "  --help, --version\n";

struct command {
    const char *root; /* argv's */
    int64_t interval_ms;
    bool print;
};

static int complain(const struct err *err)
{
    fprintf(stderr, "xenmem-agent: %s\n", err->text);
    switch (err->code) {
    case ERR_UNREACHABLE:
        return EXIT_NO_STORE;
    case ERR_DENIED:
        return EXIT_DENIED;
    default:
        return EXIT_FAILED;
    }
}

static int take_interval(const char *text, struct command *command)
{
    struct err err;

    if (duration_parse(text, &command->interval_ms, &err) == 0) {
        if (command->interval_ms >= INTERVAL_LOW_MS && command->interval_ms <= NEED_HEARTBEAT_MS)
            return 0;
        err_set(&err, ERR_INVALID, "%s is outside 100ms to 10s", text);
    }
    fprintf(stderr, "xenmem-agent: --interval: %s\n", err.text);
    return -1;
}

/* What was printed must have arrived. */
static int finish_output(void)
{
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int show(const char *text)
{
    fputs(text, stdout);
    return finish_output();
}

/* Returns the exit code where that is all there was to do, −1 where command is to be carried out.
 */
static int read_command(int argc, char **argv, struct command *command)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case OPTION_PRINT:
            command->print = true;
            break;
        case OPTION_INTERVAL:
            if (take_interval(optarg, command))
                return EXIT_USAGE;
            break;
        case OPTION_ROOT:
            command->root = optarg;
            break;
        case OPTION_HELP:
            return show(usage);
        case OPTION_VERSION:
            return show("xenmem-agent " PACKAGE_VERSION "\n");
        default:
            return EXIT_USAGE; /* getopt named what it does not know */
        }
    }
    if (optind < argc) {
        fprintf(stderr, "xenmem-agent: '%s' is not an option; see 'xenmem-agent --help'\n",
                argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void print_amount(const char *name, struct kib amount, const char *what)
{
    char text[UNITS_TEXT];

    printf("%-10s %12s  %s\n", name, kib_format(amount, text), what);
}

static int print_report(const char *root)
{
    struct guest_report report;
    struct kernel_view view;
    char text[REPORT_TEXT_MAX];
    struct err err;

    if (kernel_look(root, &view, &err))
        return complain(&err);
    need_report(&view, NULL, 0, 1, &report);
    report_encode(&report, text, sizeof(text));
    print_amount("held", view.held,
                 view.balloon ? "as the balloon driver counts" : "MemTotal: no balloon driver");
    print_amount("need", report.need, "held - available + swap in use");
    print_amount("floor", report.floor, "cannot be given back");
    print_amount("total", report.total, "MemTotal");
    print_amount("available", report.available, "MemAvailable");
    print_amount("swap", report.swap_used, "in use");
    print_amount("cache", report.cache, "reclaimable");
    printf("%-10s %6d.%02d %%   of the last 10 s some task waited for memory\n", "pressure",
           report.psi_some / 100, report.psi_some % 100);
    printf("%-10s %12llu  since boot\n", "oom kills", (unsigned long long)report.oom_kills);
    printf("%s: %s\n", REPORT_KEY, text);
    return finish_output();
}

/* Nothing needs tidying up, and while xenstored is waited for, nobody else would see the signal. */
static void end_at_once(int signal_number)
{
    (void)signal_number;
    _exit(EXIT_DONE);
}

static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = end_at_once};

    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    signal(SIGPIPE, SIG_IGN); /* a log that nobody reads any more */
}

/* Without the kernel's signal there is still the clock; that is worth one line. */
static void open_trigger(struct trigger *trigger, const char *root)
{
    struct err err;

    if (trigger_open(trigger, root, &err))
        log_notice("no-pressure-signal error=\"%s\"", err.text);
}

static int64_t until_next_look(const struct agent *agent, int64_t interval_ms)
{
    return agent->pressing && interval_ms > NEED_PRESSING_MS ? NEED_PRESSING_MS : interval_ms;
}

/* Ends with a signal, or here where it cannot begin. */
static int run(const struct command *command)
{
    struct agent agent;
    struct trigger trigger;
    bool urgent = false;
    struct err err;

    agent_init(&agent, command->root, clock_ms(CLOCK_BOOTTIME));
    if (store_open(&agent.store, &err))
        return complain(&err);
    catch_signals();
    log_notice("started version=%s interval=%lldms", PACKAGE_VERSION,
               (long long)command->interval_ms);
    open_trigger(&trigger, command->root);
    while (true) {
        agent_tick(&agent, clock_ms(CLOCK_BOOTTIME), urgent);
        urgent = trigger_wait(&trigger, until_next_look(&agent, command->interval_ms));
    }
}

int main(int argc, char **argv)
{
    struct command command = {.root = "", .interval_ms = INTERVAL_MS};
    int code = read_command(argc, argv, &command);

    if (code >= 0)
        return code;
    return command.print ? print_report(command.root) : run(&command);
}
