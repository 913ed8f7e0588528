/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command events: what happened, and what happens. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/record.h"
#include "cli/text.h"
#include "cli/when.h"
#include "libctl/xenmemctl.h"

#define NEWEST     1000  /* of all there are, if nothing is said */
#define MOST       10000 /* that xenmemd gives at once */
#define TIMEOUT_MS 30000 /* the journal is on a disk */
#define DETAIL_MAX 4096

static const struct field event_fields[] = {
    {"id", NULL, FIELD_NUMBER},   {"time_ms", NULL, FIELD_MOMENT}, {"event", NULL, FIELD_TEXT},
    {"vm", NULL, FIELD_TEXT},     {"domid", NULL, FIELD_NUMBER},   {"uid", NULL, FIELD_NUMBER},
    {"reason", NULL, FIELD_TEXT}, {"detail", NULL, FIELD_TEXT},
};
#define N_EVENT_FIELDS (sizeof(event_fields) / sizeof(*event_fields))

/* What is asked for, and how far it has been shown. */
struct watch {
    struct cli *cli;
    const char *vm;   /* NULL: all */
    int64_t since_ms; /* 0: from the beginning */
    int64_t last_id;  /* the last one shown */
};

/* --- one event ------------------------------------------------------------------------------- */

static void put_padded(struct cli *cli, const char *text, size_t width)
{
    text_put(cli->out, text);
    for (size_t used = text_width(text); used < width; used++)
        fputc(' ', cli->out);
    fputs("  ", cli->out);
}

/* A line, in columns that are as wide as most need: the next event is not known yet. */
static void put_line(struct cli *cli, const struct xenmemctl_value *event)
{
    const char *kind = xenmemctl_text(xenmemctl_member(event, "event"));
    const char *vm = xenmemctl_text(xenmemctl_member(event, "vm"));
    const char *reason = xenmemctl_text(xenmemctl_member(event, "reason"));
    const char *detail = xenmemctl_text(xenmemctl_member(event, "detail"));
    char moment[FIELD_TEXT_MAX], readable[DETAIL_MAX];
    int64_t uid;

    fprintf(cli->out, "%s  ", record_text(event, &event_fields[1], moment));
    put_padded(cli, kind ? kind : "-", 20);
    put_padded(cli, vm ? vm : "-", 12);
    if (reason) {
        text_put(cli->out, reason);
        fputs(detail && detail[0] ? ": " : "", cli->out);
    }
    text_put(cli->out, text_amounts(detail ? detail : "", readable, sizeof(readable)));
    if (xenmemctl_integer(xenmemctl_member(event, "uid"), &uid))
        fprintf(cli->out, " (uid %" PRId64 ")", uid);
    fputc('\n', cli->out);
}

static void put_json_line(struct cli *cli, const struct xenmemctl_value *event)
{
    char *text = xenmemctl_print(event, XENMEMCTL_ONE_LINE);

    if (text)
        text_put_json(cli->out, text);
    fputc('\n', cli->out);
    free(text);
}

static void put_event(struct cli *cli, const struct xenmemctl_value *event)
{
    switch (cli->format) {
    case FORMAT_TABLE:
        put_line(cli, event);
        break;
    case FORMAT_JSON:
        put_json_line(cli, event);
        break;
    case FORMAT_CSV:
        record_put_csv(cli, event, event_fields, N_EVENT_FIELDS);
        break;
    }
}

/* An event may come twice, in the answer and as a notification, and notifications are of all VMs.
 */
static void show_event(struct watch *watch, const struct xenmemctl_value *event)
{
    const char *vm = xenmemctl_text(xenmemctl_member(event, "vm"));
    int64_t id;

    if (!xenmemctl_integer(xenmemctl_member(event, "id"), &id) || id <= watch->last_id)
        return;
    if (watch->vm && (!vm || strcmp(vm, watch->vm) != 0))
        return;
    watch->last_id = id;
    put_event(watch->cli, event);
}

/* --- what happened --------------------------------------------------------------------------- */

static int ask(const struct watch *watch, int64_t limit, bool follow,
               struct xenmemctl_message **out)
{
    struct xenmemctl_request *request = xenmemctl_request_new("events");

    xenmemctl_request_integer(request, "since_ms", watch->since_ms);
    xenmemctl_request_integer(request, "after_id", watch->last_id);
    xenmemctl_request_integer(request, "limit", limit);
    xenmemctl_request_boolean(request, "follow", follow);
    if (watch->vm)
        xenmemctl_request_text(request, "vm", watch->vm);
    return cli_call(watch->cli, request, TIMEOUT_MS, out);
}

static int show_past(struct watch *watch, int64_t limit, bool follow)
{
    struct xenmemctl_message *reply;
    const struct xenmemctl_value *events;
    int code = ask(watch, limit, follow, &reply);

    if (code != EXIT_DONE)
        return code;
    events = xenmemctl_message_value(reply);
    for (size_t i = 0; i < xenmemctl_count(events); i++)
        show_event(watch, xenmemctl_at(events, i));
    if (xenmemctl_count(events) == MOST)
        cli_complain(watch->cli, EXIT_DONE,
                     "these are the newest %d events; older ones were left out", MOST);
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* As one array, for programs that want it whole. */
static int show_array(const struct watch *watch, int64_t limit)
{
    struct xenmemctl_message *reply;
    int code = ask(watch, limit, false, &reply);

    if (code != EXIT_DONE)
        return code;
    record_put_json(watch->cli, xenmemctl_message_value(reply));
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* --- what happens ---------------------------------------------------------------------------- */

static int show_notification(struct watch *watch, const struct xenmemctl_message *message)
{
    const char *method = xenmemctl_message_method(message);

    if (method && strcmp(method, "too-slow") == 0)
        return cli_complain(watch->cli, EXIT_FAILED,
                            "this program did not take events fast enough, and xenmemd gave it up");
    if (method && strcmp(method, "event") == 0)
        show_event(watch, xenmemctl_message_value(message));
    return EXIT_DONE;
}

static int show_waiting(struct watch *watch)
{
    struct xenmemctl_message *message;
    struct xenmemctl_error error;
    int code = EXIT_DONE, rc;

    while ((rc = xenmemctl_wait(watch->cli->connection, 0, &message, &error)) > 0) {
        code = show_notification(watch, message);
        xenmemctl_message_free(message);
        if (code != EXIT_DONE)
            return code;
    }
    return rc < 0 ? cli_complain_error(watch->cli, &error) : EXIT_DONE;
}

/* Until the connection ends, or nobody reads the output any more. */
static int follow(struct watch *watch)
{
    struct pollfd ends[] = {
        {.fd = xenmemctl_fd(watch->cli->connection), .events = POLLIN},
        {.fd = fileno(watch->cli->out)},
    };
    int code;

    for (;;) {
        code = show_waiting(watch);
        if (fflush(watch->cli->out) != 0 || code != EXIT_DONE)
            return code;
        if (poll(ends, 2, -1) < 0 && errno != EINTR)
            return cli_complain(watch->cli, EXIT_FAILED, "poll: %s", strerror(errno));
        if (ends[1].revents & (POLLERR | POLLNVAL))
            return cli_complain(watch->cli, EXIT_FAILED, "nobody reads the output any more");
    }
}

static int run(struct watch *watch, const struct arguments *arguments)
{
    bool follows = arguments->options[OPTION_FOLLOW] != NULL;
    bool dated = arguments->options[OPTION_SINCE] != NULL;
    int64_t limit = dated ? MOST : NEWEST;
    int code;

    if (watch->cli->format == FORMAT_JSON && !follows)
        return show_array(watch, limit);
    if (watch->cli->format == FORMAT_CSV)
        record_put_csv_names(watch->cli, event_fields, N_EVENT_FIELDS);
    if (follows && !dated)
        watch->since_ms = when_now();
    /* Following begins with a second, short answer: a long one could fill the line for events. */
    code = follows && !dated ? EXIT_DONE : show_past(watch, limit, false);
    if (code == EXIT_DONE && follows)
        code = show_past(watch, MOST, true);
    return code == EXIT_DONE && follows ? follow(watch) : code;
}

int run_events(struct cli *cli, const struct arguments *arguments)
{
    struct watch watch = {.cli = cli, .vm = arguments->options[OPTION_VM]};
    const char *since = arguments->options[OPTION_SINCE];
    struct err err;

    if (since && when_parse(since, when_now(), &watch.since_ms, &err))
        return cli_complain(cli, EXIT_USAGE, "--since: %s", err.text);
    return run(&watch, arguments);
}
