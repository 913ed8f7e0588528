/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command history: what host or VM had and needed. */
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/plot.h"
#include "cli/record.h"
#include "cli/table.h"
#include "cli/when.h"
#include "libctl/xenmemctl.h"

#define TIMEOUT_MS  30000 /* it is on a disk */
#define PLOT_WIDTH  80    /* where there is no terminal */
#define PLOT_HEIGHT 20
#define PLOT_LINES  3

static const struct field sample_fields[] = {
    {"time_ms", "TIME", FIELD_MOMENT},    {"assigned_kib", "ASSIGNED", FIELD_SIZE},
    {"demand_kib", "DEMAND", FIELD_SIZE}, {"target_kib", "TARGET", FIELD_SIZE},
    {"pressure", "PRESS", FIELD_PERCENT}, {"free_kib", "FREE", FIELD_SIZE},
};
#define N_SAMPLE_FIELDS (sizeof(sample_fields) / sizeof(*sample_fields))

/* The host has no target and no pressure, a VM nothing free: those columns are left out. */
static bool belongs(size_t field, bool of_host)
{
    return field < 3 || (field == 5) == of_host;
}

static void put_table(struct cli *cli, const struct xenmemctl_value *samples, bool of_host)
{
    struct column columns[N_SAMPLE_FIELDS];
    struct table *table;
    char text[FIELD_TEXT_MAX];
    size_t n_columns = 0;

    for (size_t i = 0; i < N_SAMPLE_FIELDS; i++)
        if (belongs(i, of_host))
            columns[n_columns++] = (struct column){sample_fields[i].heading, i > 0};
    table = table_new(columns, n_columns);
    for (size_t i = 0; i < xenmemctl_count(samples); i++)
        for (size_t field = 0; field < N_SAMPLE_FIELDS; field++)
            if (belongs(field, of_host))
                table_add(table,
                          record_text(xenmemctl_at(samples, i), &sample_fields[field], text));
    table_print(table, cli->width, cli->out);
    table_free(table);
}

/* --- plot --------------------------------------------------------------------------------------
 */

static int64_t integer_of(const struct xenmemctl_value *record, const char *name)
{
    int64_t number;

    return xenmemctl_integer(xenmemctl_member(record, name), &number) ? number : PLOT_NONE;
}

/* Puts samples into their places on the line of time; what is missing stays a gap. */
static void place_samples(const struct xenmemctl_value *samples, const struct plot *plot,
                          const char *const *names, int64_t **values)
{
    for (size_t line = 0; line < plot->n_lines; line++)
        for (size_t i = 0; i < plot->n_values; i++)
            values[line][i] = PLOT_NONE;
    for (size_t i = 0; i < xenmemctl_count(samples); i++) {
        const struct xenmemctl_value *sample = xenmemctl_at(samples, i);
        int64_t at = (integer_of(sample, "time_ms") - plot->begin_ms) / plot->step_ms;

        if (at < 0 || (size_t)at >= plot->n_values)
            continue;
        for (size_t line = 0; line < plot->n_lines; line++)
            values[line][at] = integer_of(sample, names[line]);
    }
}

static struct plot_style style_of(const struct cli *cli)
{
    struct plot_style style = {.width = PLOT_WIDTH, .height = PLOT_HEIGHT};
    const char *term = getenv("TERM");

    if (cli->width > 0)
        style.width = cli->width;
    setlocale(LC_CTYPE, "");
    style.colour = cli->width > 0 && !getenv("NO_COLOR") && (!term || strcmp(term, "dumb") != 0);
    /* Dots of one line look like those of another: only colour tells them apart. */
    style.braille = style.colour && strcmp(nl_langinfo(CODESET), "UTF-8") == 0 &&
                    (!term || strcmp(term, "linux") != 0);
    return style;
}

static int put_plot(struct cli *cli, const struct xenmemctl_value *history, bool of_host)
{
    static const char *const vm_names[PLOT_LINES] = {"target_kib", "assigned_kib", "demand_kib"};
    static const char *const host_names[PLOT_LINES] = {"free_kib", "assigned_kib", "demand_kib"};
    const struct xenmemctl_value *samples = xenmemctl_member(history, "samples");
    const struct plot_style style = style_of(cli);
    size_t count = xenmemctl_count(samples);
    int64_t *values[PLOT_LINES];
    struct plot_line lines[PLOT_LINES] = {{of_host ? "free" : "target", NULL, '.', 4},
                                          {"assigned", NULL, '#', 2},
                                          {"demand", NULL, 'o', 3}};
    struct plot plot = {.lines = lines, .n_lines = PLOT_LINES};

    if (style.width < 20)
        return cli_complain(cli, EXIT_FAILED, "this terminal is too small for a plot: %zu columns",
                            style.width);
    plot.step_ms = integer_of(history, "step_ms");
    plot.begin_ms = integer_of(xenmemctl_at(samples, 0), "time_ms");
    if (plot.step_ms <= 0 || plot.begin_ms < 0)
        return cli_complain(cli, EXIT_FAILED, "what xenmemd sent is no history");
    plot.n_values =
        (size_t)((integer_of(xenmemctl_at(samples, count - 1), "time_ms") - plot.begin_ms) /
                 plot.step_ms) +
        1;
    if (plot.n_values > 1000000)
        return cli_complain(cli, EXIT_FAILED, "what xenmemd sent is no history");
    for (size_t i = 0; i < PLOT_LINES; i++) {
        values[i] = calloc(plot.n_values, sizeof(*values[i]));
        invariant(values[i]);
        lines[i].values = values[i];
    }
    place_samples(samples, &plot, of_host ? host_names : vm_names, values);
    plot_put(&plot, &style, cli->out);
    for (size_t i = 0; i < PLOT_LINES; i++)
        free(values[i]);
    return EXIT_DONE;
}

/* --- the command -------------------------------------------------------------------------------
 */

/* The VM that is asked for; NULL: the host. --vm is for a VM that is named "host". */
static const char *vm_of(const struct arguments *arguments)
{
    if (arguments->options[OPTION_VM])
        return arguments->options[OPTION_VM];
    return strcmp(arguments->words[0], "host") == 0 ? NULL : arguments->words[0];
}

static int put_history(struct cli *cli, const struct arguments *arguments,
                       const struct xenmemctl_value *history)
{
    const struct xenmemctl_value *samples = xenmemctl_member(history, "samples");
    bool of_host = !vm_of(arguments);

    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, history);
    } else if (cli->format == FORMAT_CSV) {
        record_put_csv_names(cli, sample_fields, N_SAMPLE_FIELDS);
        for (size_t i = 0; i < xenmemctl_count(samples); i++)
            record_put_csv(cli, xenmemctl_at(samples, i), sample_fields, N_SAMPLE_FIELDS);
    } else if (xenmemctl_count(samples) == 0) {
        fputs("Nothing was recorded in that time.\n", cli->out);
    } else if (arguments->options[OPTION_PLOT]) {
        return put_plot(cli, history, of_host);
    } else {
        put_table(cli, samples, of_host);
    }
    return EXIT_DONE;
}

int run_history(struct cli *cli, const struct arguments *arguments)
{
    const char *since = arguments->options[OPTION_SINCE];
    struct xenmemctl_request *request;
    struct xenmemctl_message *reply;
    int64_t since_ms;
    struct err err;
    int code;

    if (!arguments->options[OPTION_VM] && arguments->n_words == 0)
        return cli_complain(cli, EXIT_USAGE, "history of what? a VM, 'host', or --vm VM");
    if (arguments->options[OPTION_VM] && arguments->n_words > 0)
        return cli_complain(cli, EXIT_USAGE, "either '%s' or --vm, not both", arguments->words[0]);
    if (since && when_parse(since, when_now(), &since_ms, &err))
        return cli_complain(cli, EXIT_USAGE, "--since: %s", err.text);
    if (since && since_ms > when_now())
        return cli_complain(cli, EXIT_USAGE, "--since: '%s' is still to come", since);
    if (arguments->options[OPTION_PLOT] && cli->format != FORMAT_TABLE)
        return cli_complain(cli, EXIT_USAGE, "--plot is for people: leave --format out");
    request = xenmemctl_request_new("history.get");
    if (vm_of(arguments))
        xenmemctl_request_text(request, "vm", vm_of(arguments));
    if (since)
        xenmemctl_request_integer(request, "since_ms", since_ms);
    code = cli_call(cli, request, TIMEOUT_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    code = put_history(cli, arguments, xenmemctl_message_value(reply));
    xenmemctl_message_free(reply);
    return code;
}
