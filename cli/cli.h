/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run of xenmemctl: where its output goes, how it looks, and the connection. Commands
 * (commands.h) get it and return an exit code.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct arguments;
struct xenmemctl;
struct xenmemctl_error;
struct xenmemctl_message;
struct xenmemctl_request;
struct xenmemctl_value;

/* What scripts go by. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,      /* something went wrong */
    EXIT_USAGE = 2,       /* what was typed is wrong */
    EXIT_NO_MEMORY = 3,   /* refused for want of memory */
    EXIT_NOT_FOUND = 4,   /* no such VM, … */
    EXIT_UNREACHABLE = 5, /* no xenmemd */
    EXIT_DENIED = 6,      /* not permitted */
    EXIT_TIMEOUT = 7,     /* it took too long */
};

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };

struct cli {
    FILE *out, *err;
    enum format format;
    size_t width;                 /* columns of the terminal that out is; 0: it is none */
    const char *socket;           /* NULL: the default one */
    struct xenmemctl *connection; /* NULL until the first call */
};

/* How long the daemon may take for what it answers at once. */
#define CLI_TIMEOUT_MS 10000

/* One line on stderr: "xenmemctl: …". Returns code. */
__attribute__((format(printf, 3, 4))) int cli_complain(struct cli *cli, int code,
                                                       const char *format, ...);

/* The same for what the library failed with; the exit code follows from its code. */
int cli_complain_error(struct cli *cli, const struct xenmemctl_error *error);

/* An array of texts, a line each on stderr. */
void cli_put_warnings(struct cli *cli, const struct xenmemctl_value *warnings);

/* Connects if that was not done yet. EXIT_DONE, or it complained. */
int cli_connect(struct cli *cli);

/* Takes request, and connects first if that was not done yet. EXIT_DONE and *out, which the caller
 * frees; or it complained. */
int cli_call(struct cli *cli, struct xenmemctl_request *request, int timeout_ms,
             struct xenmemctl_message **out);

/* The same, where what the call fails with is the caller's to explain: the exit code, and *error,
 * whose code is OK where it could not connect, of which it complained. */
int cli_try(struct cli *cli, struct xenmemctl_request *request, int timeout_ms,
            struct xenmemctl_message **out, struct xenmemctl_error *error);

/* As cli_call, for one that takes long: notifications that come meanwhile go to note, which may
 * print. timeout_ms −1: for ever. */
int cli_call_watching(struct cli *cli, struct xenmemctl_request *request, int timeout_ms,
                      void (*note)(struct cli *cli, const struct xenmemctl_message *notification),
                      struct xenmemctl_message **out);

/* Calls a method about the VM that the command line names first, with --for where it was given, and
 * says the outcome behind its name. Returns the exit code. */
int cli_call_about(struct cli *cli, const struct arguments *arguments, const char *method,
                   int timeout_ms, const char *outcome);

/* Ends the run: what was written must have arrived. code, or EXIT_FAILED where it did not. */
int cli_finish(struct cli *cli, int code);

#endif
