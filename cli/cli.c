/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/record.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

#define CONNECT_TIMEOUT_MS 5000
#define WATCH_MS           1000

int cli_complain(struct cli *cli, int code, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    /* What was printed goes first, where both are the same terminal. */
    fflush(cli->out);
    fputs("xenmemctl: ", cli->err);
    text_put(cli->err, text);
    fputc('\n', cli->err);
    return code;
}

static int exit_code_of(enum xenmemctl_code code)
{
    switch (code) {
    case XENMEMCTL_OK:
        return EXIT_DONE;
    case XENMEMCTL_INVALID:
        return EXIT_USAGE;
    case XENMEMCTL_NO_MEMORY:
        return EXIT_NO_MEMORY;
    case XENMEMCTL_NOT_FOUND:
        return EXIT_NOT_FOUND;
    case XENMEMCTL_UNREACHABLE:
        return EXIT_UNREACHABLE;
    case XENMEMCTL_DENIED:
        return EXIT_DENIED;
    case XENMEMCTL_TIMEOUT:
        return EXIT_TIMEOUT;
    case XENMEMCTL_FAILED:
    case XENMEMCTL_BUSY:
    case XENMEMCTL_UNSUPPORTED:
    case XENMEMCTL_PROTOCOL:
        break;
    }
    return EXIT_FAILED;
}

int cli_complain_error(struct cli *cli, const struct xenmemctl_error *error)
{
    return cli_complain(cli, exit_code_of(error->code), "%s", error->text);
}

int cli_connect(struct cli *cli)
{
    struct xenmemctl_error error;

    if (cli->connection)
        return EXIT_DONE;
    if (xenmemctl_connect(cli->socket, CONNECT_TIMEOUT_MS, &cli->connection, &error))
        return cli_complain_error(cli, &error);
    return EXIT_DONE;
}

int cli_try(struct cli *cli, struct xenmemctl_request *request, int timeout_ms,
            struct xenmemctl_message **out, struct xenmemctl_error *error)
{
    int code = cli_connect(cli);

    *error = (struct xenmemctl_error){.code = XENMEMCTL_OK};
    if (code != EXIT_DONE) {
        xenmemctl_request_free(request);
        return code;
    }
    if (xenmemctl_call(cli->connection, request, timeout_ms, out, error))
        return exit_code_of(error->code);
    return EXIT_DONE;
}

int cli_call(struct cli *cli, struct xenmemctl_request *request, int timeout_ms,
             struct xenmemctl_message **out)
{
    struct xenmemctl_error error;
    int code = cli_try(cli, request, timeout_ms, out, &error);

    return error.code == XENMEMCTL_OK ? code : cli_complain_error(cli, &error);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The reply, or the server's refusal. Takes message. */
static int take_reply(struct cli *cli, struct xenmemctl_message *message,
                      struct xenmemctl_message **out)
{
    const struct xenmemctl_error *refusal = xenmemctl_message_error(message);
    int code;

    if (!refusal) {
        *out = message;
        return EXIT_DONE;
    }
    code = cli_complain_error(cli, refusal);
    xenmemctl_message_free(message);
    return code;
}

int cli_call_watching(struct cli *cli, struct xenmemctl_request *request, int timeout_ms,
                      void (*note)(struct cli *cli, const struct xenmemctl_message *notification),
                      struct xenmemctl_message **out)
{
    int64_t end = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
    struct xenmemctl_message *message;
    struct xenmemctl_error error;
    int code = cli_connect(cli), rc;
    int64_t id;

    if (code != EXIT_DONE) {
        xenmemctl_request_free(request);
        return code;
    }
    id = xenmemctl_send(cli->connection, request, &error);
    if (id < 0)
        return cli_complain_error(cli, &error);
    while (now_ms() < end) {
        rc = xenmemctl_wait(cli->connection, WATCH_MS, &message, &error);
        if (rc < 0)
            return cli_complain_error(cli, &error);
        if (rc == 0)
            continue;
        if (xenmemctl_message_id(message) == id)
            return take_reply(cli, message, out);
        if (xenmemctl_message_kind(message) == XENMEMCTL_NOTIFICATION)
            note(cli, message);
        xenmemctl_message_free(message);
    }
    return cli_complain(cli, EXIT_TIMEOUT, "xenmemd did not answer within %d s", timeout_ms / 1000);
}

int cli_call_about(struct cli *cli, const struct arguments *arguments, const char *method,
                   int timeout_ms, const char *outcome)
{
    struct xenmemctl_request *request = xenmemctl_request_new(method);
    struct xenmemctl_message *reply;
    int code;

    xenmemctl_request_text(request, "name", arguments->words[0]);
    if (arguments->options[OPTION_FOR])
        xenmemctl_request_text(request, "for", arguments->options[OPTION_FOR]);
    code = cli_call(cli, request, timeout_ms, &reply);
    if (code != EXIT_DONE)
        return code;
    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, xenmemctl_message_value(reply));
    } else if (cli->format == FORMAT_TABLE) {
        text_put(cli->out, arguments->words[0]);
        fputs(outcome, cli->out);
    }
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

int cli_finish(struct cli *cli, int code)
{
    bool failed = fflush(cli->out) != 0 || ferror(cli->out);

    xenmemctl_free(cli->connection);
    cli->connection = NULL;
    if (!failed)
        return code;
    if (errno == EPIPE) /* whoever read it has seen enough */
        return code == EXIT_DONE ? EXIT_FAILED : code;
    cli_complain(cli, EXIT_FAILED, "the output cannot be written: %s", strerror(errno));
    return code == EXIT_DONE ? EXIT_FAILED : code;
}

void cli_put_warnings(struct cli *cli, const struct xenmemctl_value *warnings)
{
    for (size_t i = 0; i < xenmemctl_count(warnings); i++) {
        const char *text = xenmemctl_text(xenmemctl_at(warnings, i));

        if (text)
            cli_complain(cli, EXIT_DONE, "warning: %s", text);
    }
}
