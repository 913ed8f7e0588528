/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reserve, reservations, release: memory for starts. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/record.h"
#include "cli/reserve.h"
#include "cli/table.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

/* How long the daemon may squeeze guests, and a little. */
#define SQUEEZE_MS 70000
#define LONGEST_MS 3600000
#define NO_LIMIT   (-1)
#define AWAY_MS    500 /* between two looks for a daemon that is away */

static const struct field fields[] = {
    {"id", "ID", FIELD_NUMBER},         {"name", "NAME", FIELD_TEXT},
    {"state", "STATE", FIELD_TEXT},     {"size_kib", "SIZE", FIELD_SIZE},
    {"freed_kib", "FREED", FIELD_SIZE}, {"priority", "PRIO", FIELD_NUMBER},
    {"tied", "TIED", FIELD_BOOLEAN},    {"implicit", "REBOOT", FIELD_BOOLEAN},
    {"created_ms", NULL, FIELD_MOMENT}, {"expires_ms", "EXPIRES", FIELD_MOMENT},
};
#define N_FIELDS (sizeof(fields) / sizeof(*fields))

/* --- asking ---------------------------------------------------------------------------------- */

/* "2 GiB: 1.5 GiB are there, about 4s more", where it changed. */
static void note_progress(struct cli *cli, const struct xenmemctl_message *notification)
{
    const struct xenmemctl_value *params = xenmemctl_message_value(notification);
    const struct xenmemctl_value *it = xenmemctl_member(params, "reservation");
    const char *state = xenmemctl_text(xenmemctl_member(it, "state"));
    int64_t size = 0, freed = 0, left = -1;
    char text[2][UNITS_TEXT], time[UNITS_TEXT + 16] = "";

    if (!state || !xenmemctl_integer(xenmemctl_member(it, "size_kib"), &size) ||
        !xenmemctl_integer(xenmemctl_member(it, "freed_kib"), &freed))
        return;
    if (xenmemctl_integer(xenmemctl_member(params, "expected_ms"), &left))
        snprintf(time, sizeof(time), ", about %" PRId64 " s more", (left + 999) / 1000);
    fprintf(cli->err, "xenmemctl: %s: %s of %s are free%s\n", state,
            kib_format(kib(freed), text[0]), kib_format(kib(size), text[1]), time);
    fflush(cli->err);
}

int reserve_memory(struct cli *cli, const struct arguments *arguments, const char *size,
                   const char *name, const char *ttl, struct xenmemctl_message **out)
{
    const char *wait = arguments->options[OPTION_WAIT];
    const char *text = arguments->options[OPTION_PRIORITY];
    struct xenmemctl_request *request;
    int64_t priority, wait_ms = 0, span;
    struct err err;

    if (wait && duration_parse(wait, &wait_ms, &err))
        return cli_complain(cli, EXIT_USAGE, "--wait: %s", err.text);
    if (ttl && duration_parse(ttl, &span, &err))
        return cli_complain(cli, EXIT_USAGE, "--ttl: %s", err.text);
    if (text && integer_parse(text, 0, 100, &priority, &err))
        return cli_complain(cli, EXIT_USAGE, "--priority: %s", err.text);
    request = xenmemctl_request_new("reservation.create");
    if (size)
        xenmemctl_request_text(request, "size", size);
    if (text)
        xenmemctl_request_integer(request, "priority", priority);
    if (name)
        xenmemctl_request_text(request, "for", name);
    if (ttl)
        xenmemctl_request_text(request, "ttl", ttl);
    if (wait) {
        xenmemctl_request_text(request, "wait", wait);
        xenmemctl_request_boolean(request, "progress", true);
    }
    if (arguments->options[OPTION_HOLD])
        xenmemctl_request_boolean(request, "hold", true);
    return cli_call_watching(cli, request,
                             wait_ms > LONGEST_MS ? NO_LIMIT : (int)wait_ms + SQUEEZE_MS,
                             note_progress, out);
}

void reserve_release(struct cli *cli, int64_t id)
{
    struct xenmemctl_request *request = xenmemctl_request_new("reservation.release");
    struct xenmemctl_message *reply;
    struct xenmemctl_error error;

    xenmemctl_request_integer(request, "id", id);
    if (cli_try(cli, request, CLI_TIMEOUT_MS, &reply, &error) == EXIT_DONE)
        xenmemctl_message_free(reply);
}

/* --- reserve ---------------------------------------------------------------------------------- */

static void put_reservation(struct cli *cli, const struct xenmemctl_value *record)
{
    char text[FIELD_TEXT_MAX];

    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, record);
    } else if (cli->format == FORMAT_CSV) {
        record_put_csv_names(cli, fields, N_FIELDS);
        record_put_csv(cli, record, fields, N_FIELDS);
    } else {
        fprintf(cli->out, "%s\n", record_text(record, &fields[0], text));
    }
    fflush(cli->out);
}

/* As long as one connection lasts. */
static int hold_once(struct cli *cli, int64_t id)
{
    struct xenmemctl_request *request = xenmemctl_request_new("reservation.hold");
    struct xenmemctl_message *reply;
    int code;

    xenmemctl_request_integer(request, "id", id);
    code = cli_call_watching(cli, request, NO_LIMIT, note_progress, &reply);
    if (code == EXIT_DONE)
        xenmemctl_message_free(reply);
    return code;
}

/* A daemon that is away is asked for again, until it is there. */
static int reconnect(struct cli *cli)
{
    const struct timespec pause = {.tv_nsec = AWAY_MS * 1000000L};
    struct xenmemctl_error error;

    xenmemctl_free(cli->connection);
    cli->connection = NULL;
    while (xenmemctl_connect(cli->socket, CLI_TIMEOUT_MS, &cli->connection, &error)) {
        if (error.code != XENMEMCTL_UNREACHABLE && error.code != XENMEMCTL_TIMEOUT)
            return cli_complain_error(cli, &error);
        nanosleep(&pause, NULL);
    }
    return EXIT_DONE;
}

/* Stays until the reservation ends, which is told as an error, or until this process does. */
static int hold(struct cli *cli, int64_t id)
{
    int code;

    do
        code = hold_once(cli, id);
    while (code == EXIT_UNREACHABLE && (code = reconnect(cli)) == EXIT_DONE);
    return code;
}

static int check_size(struct cli *cli, const char *text, const char *name)
{
    struct kib size;
    struct err err;

    if (name && name[0] == '\0')
        return cli_complain(cli, EXIT_USAGE, "--for: '' is no name");
    if (!text && !name)
        return cli_complain(cli, EXIT_USAGE,
                            "reserve needs a SIZE, such as 2g, or --for NAME of a VM whose "
                            "settings say it");
    if (!text)
        return EXIT_DONE;
    if (kib_parse(text, &size, &err))
        return cli_complain(cli, EXIT_USAGE, "%s", err.text);
    if (size.v == 0)
        return cli_complain(cli, EXIT_USAGE, "nothing is reserved with 0");
    return EXIT_DONE;
}

int run_reserve(struct cli *cli, const struct arguments *arguments)
{
    const char *size = arguments->n_words > 0 ? arguments->words[0] : NULL;
    const char *name = arguments->options[OPTION_FOR];
    struct xenmemctl_message *reply;
    int64_t id = 0;
    int code = check_size(cli, size, name);

    if (code != EXIT_DONE)
        return code;
    code = reserve_memory(cli, arguments, size, name, arguments->options[OPTION_TTL], &reply);
    if (code != EXIT_DONE)
        return code;
    put_reservation(cli, xenmemctl_message_value(reply));
    xenmemctl_integer(xenmemctl_member(xenmemctl_message_value(reply), "id"), &id);
    xenmemctl_message_free(reply);
    if (ferror(cli->out)) { /* of which cli_finish complains: nobody knows the id */
        reserve_release(cli, id);
        return EXIT_FAILED;
    }
    return arguments->options[OPTION_HOLD] ? hold(cli, id) : EXIT_DONE;
}

/* --- reservations ----------------------------------------------------------------------------- */

static void put_table(struct cli *cli, const struct xenmemctl_value *array)
{
    static const struct column columns[] = {
        {"ID", true},   {"NAME", false}, {"STATE", false},  {"SIZE", true},     {"FREED", true},
        {"PRIO", true}, {"TIED", false}, {"REBOOT", false}, {"EXPIRES", false},
    };
    struct table *table = table_new(columns, sizeof(columns) / sizeof(*columns));
    char text[FIELD_TEXT_MAX];

    for (size_t i = 0; i < xenmemctl_count(array); i++)
        for (size_t j = 0; j < N_FIELDS; j++)
            if (fields[j].heading)
                table_add(table, record_text(xenmemctl_at(array, i), &fields[j], text));
    table_print(table, cli->width, cli->out);
    table_free(table);
}

int run_reservations(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_message *reply;
    const struct xenmemctl_value *array;
    int code = cli_call(cli, xenmemctl_request_new("reservation.list"), CLI_TIMEOUT_MS, &reply);

    (void)arguments;
    if (code != EXIT_DONE)
        return code;
    array = xenmemctl_message_value(reply);
    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, array);
    } else if (cli->format == FORMAT_CSV) {
        record_put_csv_names(cli, fields, N_FIELDS);
        for (size_t i = 0; i < xenmemctl_count(array); i++)
            record_put_csv(cli, xenmemctl_at(array, i), fields, N_FIELDS);
    } else {
        put_table(cli, array);
    }
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* --- release ---------------------------------------------------------------------------------- */

int run_release(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_request *request;
    struct xenmemctl_message *reply;
    struct err err;
    int64_t id;
    int code;

    if (integer_parse(arguments->words[0], 1, INT64_MAX, &id, &err))
        return cli_complain(cli, EXIT_USAGE, "%s", err.text);
    request = xenmemctl_request_new("reservation.release");
    xenmemctl_request_integer(request, "id", id);
    code = cli_call(cli, request, CLI_TIMEOUT_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    if (cli->format == FORMAT_JSON)
        record_put_json(cli, xenmemctl_message_value(reply));
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}
