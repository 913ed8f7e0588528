/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command doctor: what xenmemd finds, and what files of this host say. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/doctor_files.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

struct findings {
    struct cli *cli;
    int count;
    bool wrong; /* one of them is */
};

static void put_json_member(FILE *to, const char *name, const char *value, const char *behind)
{
    fprintf(to, "    \"%s\": ", name);
    if (value)
        text_put_json_string(to, value);
    else
        fputs("null", to);
    fputs(behind, to);
}

static void put_finding(struct findings *findings, const char *const values[5])
{
    static const char *const names[] = {"check", "level", "vm", "text", "advice"};
    struct cli *cli = findings->cli;

    findings->wrong |= strcmp(values[1], "wrong") == 0;
    if (cli->format == FORMAT_JSON) {
        fputs(findings->count > 0 ? ",\n  {\n" : "\n  {\n", cli->out);
        for (int i = 0; i < 5; i++)
            put_json_member(cli->out, names[i], values[i], i < 4 ? ",\n" : "\n  }");
    } else if (cli->format == FORMAT_CSV) {
        for (int i = 0; i < 5; i++) {
            text_put_csv(cli->out, values[i] ? values[i] : "");
            fputs(i < 4 ? "," : "\n", cli->out);
        }
    } else {
        fprintf(cli->out, "%-6s", values[1]);
        if (values[2]) {
            text_put(cli->out, values[2]);
            fputs(": ", cli->out);
        }
        text_put(cli->out, values[3]);
        fputs("\n      -> ", cli->out);
        text_put(cli->out, values[4]);
        fputc('\n', cli->out);
    }
    findings->count++;
}

static void put_file_finding(void *arg, const struct file_finding *finding)
{
    const char *const values[] = {finding->check, finding->wrong ? "wrong" : "risk", NULL,
                                  finding->text, finding->advice};

    put_finding(arg, values);
}

static enum clock_state look_at_clock(void)
{
    struct timex clock = {0};
    int state = adjtimex(&clock);

    if (state < 0)
        return CLOCK_STATE_UNKNOWN;
    return state == TIME_ERROR ? CLOCK_STATE_ALONE : CLOCK_STATE_SYNCHRONISED;
}

static const char *text_of(const struct xenmemctl_value *finding, const char *name)
{
    return xenmemctl_text(xenmemctl_member(finding, name));
}

static void put_all(struct findings *findings, const struct xenmemctl_value *from_daemon,
                    const struct arguments *arguments)
{
    const char *root = arguments->options[OPTION_ROOT];
    struct cli *cli = findings->cli;

    if (cli->format == FORMAT_JSON)
        fputc('[', cli->out);
    else if (cli->format == FORMAT_CSV)
        fputs("check,level,vm,text,advice\n", cli->out);
    for (size_t i = 0; i < xenmemctl_count(from_daemon); i++) {
        const struct xenmemctl_value *one = xenmemctl_at(from_daemon, i);
        const char *level = text_of(one, "level"), *text = text_of(one, "text");
        const char *const values[] = {text_of(one, "check"), level ? level : "wrong",
                                      text_of(one, "vm"), text ? text : "-",
                                      text_of(one, "advice") ? text_of(one, "advice") : "-"};

        put_finding(findings, values);
    }
    doctor_files_look(root ? root : "", root ? CLOCK_STATE_UNKNOWN : look_at_clock(),
                      put_file_finding, findings);
    if (cli->format == FORMAT_JSON)
        fputs(findings->count > 0 ? "\n]\n" : "]\n", cli->out);
    else if (cli->format == FORMAT_TABLE && findings->count == 0 && from_daemon)
        fputs("Nothing is wrong.\n", cli->out);
}

/* The files are looked at also where xenmemd is not there: it may be they that keep it from
 * starting. */
int run_doctor(struct cli *cli, const struct arguments *arguments)
{
    struct findings findings = {.cli = cli};
    struct xenmemctl_message *message = NULL;
    int code = cli_call(cli, xenmemctl_request_new("doctor"), CLI_TIMEOUT_MS, &message);

    put_all(&findings, message ? xenmemctl_message_value(message) : NULL, arguments);
    xenmemctl_message_free(message);
    if (code != EXIT_DONE)
        return code;
    return findings.wrong ? EXIT_FAILED : EXIT_DONE;
}
