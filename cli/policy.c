/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command policy. Files are read here, with the rights of whoever types; xenmemd gets their
 * text. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/foresight.h"
#include "cli/record.h"
#include "cli/table.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

#define SUFFIX   ".policy"
#define TEXT_MAX ((size_t)30000) /* what xenmemd takes */

/* --- files ----------------------------------------------------------------------------------- */

/* Where policies are looked for by name. */
static const char *folder(void)
{
    const char *named = getenv("XENMEM_POLICIES");

    return named && named[0] ? named : XENMEM_CONFDIR "/policies.d";
}

/* What has a slash or ends in .policy is a file; anything else is a name in the folder of policies.
 */
static void find_file(const char *word, char *path, size_t room)
{
    size_t length = strlen(word);
    bool is_file = strchr(word, '/') ||
                   (length > strlen(SUFFIX) && strcmp(word + length - strlen(SUFFIX), SUFFIX) == 0);

    if (is_file)
        snprintf(path, room, "%s", word);
    else
        snprintf(path, room, "%s/%s%s", folder(), word, SUFFIX);
}

/* errno's reason for not reading path. Returns −1. */
static int fail_file(const char *path, struct err *err)
{
    if (errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "%s: there is no such policy", path);
    return err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_FAILED, errno, "%s", path);
}

static int complain_file(struct cli *cli, const struct err *err)
{
    int code = err->code == ERR_NOT_FOUND ? EXIT_NOT_FOUND
               : err->code == ERR_DENIED  ? EXIT_DENIED
               : err->code == ERR_INVALID ? EXIT_USAGE
                                          : EXIT_FAILED;

    return cli_complain(cli, code, "%s", err->text);
}

/* Up to room bytes of the file; how many, or −1. */
static ssize_t read_bytes(const char *path, char *bytes, size_t room, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got = 0;

    if (fd < 0)
        return fail_file(path, err);
    while (length < room && (got = read(fd, bytes + length, room - length)) != 0) {
        if (got > 0)
            length += (size_t)got;
        else if (errno != EINTR)
            break;
    }
    if (got < 0)
        fail_file(path, err);
    close(fd);
    return got < 0 ? -1 : (ssize_t)length;
}

/* Reads the file into text (TEXT_MAX + 2 bytes). 0 or −1. */
static int read_file(const char *path, char *text, struct err *err)
{
    ssize_t length = read_bytes(path, text, TEXT_MAX + 1, err);

    if (length < 0)
        return -1;
    text[length] = '\0';
    if ((size_t)length > TEXT_MAX)
        return err_set(err, ERR_INVALID, "%s: is longer than the %zu bytes of a policy", path,
                       TEXT_MAX);
    if (strlen(text) != (size_t)length || !text_is_utf8(text))
        return err_set(err, ERR_INVALID, "%s: is not text in UTF-8", path);
    return 0;
}

/* What asks xenmemd about the policy at path; NULL where that cannot be read. */
static struct xenmemctl_request *make_request(const char *method, const char *path, struct err *err)
{
    struct xenmemctl_request *request = NULL;
    char *text = malloc(TEXT_MAX + 2);

    invariant(text);
    if (read_file(path, text, err) == 0) {
        request = xenmemctl_request_new(method);
        xenmemctl_request_text(request, "text", text);
        xenmemctl_request_text(request, "file", path);
    }
    free(text);
    return request;
}

/* --- check, apply, revert --------------------------------------------------------------------- */

static void put_outcome(struct cli *cli, const struct xenmemctl_value *result, const char *done,
                        bool dry)
{
    const char *name = xenmemctl_text(xenmemctl_member(result, "name"));
    bool changed = false;

    xenmemctl_boolean(xenmemctl_member(result, "changed"), &changed);
    fputs("policy ", cli->out);
    text_put(cli->out, name ? name : "-");
    if (dry)
        fputs(" can be done; nothing was changed\n", cli->out);
    else
        fprintf(cli->out, changed ? " %s\n" : " is in force already\n", done);
    foresight_put(cli, result, dry);
}

static int change(struct cli *cli, struct xenmemctl_request *request, const char *done, bool dry)
{
    struct xenmemctl_message *reply;
    const struct xenmemctl_value *result;
    int code = cli_call(cli, request, CLI_TIMEOUT_MS, &reply);

    if (code != EXIT_DONE)
        return code;
    result = xenmemctl_message_value(reply);
    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, result);
    } else if (cli->format == FORMAT_CSV) {
        foresight_put_csv(cli, result);
    } else {
        put_outcome(cli, result, done, dry);
    }
    cli_put_warnings(cli, xenmemctl_member(result, "warnings"));
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

static int run_check(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_request *request;
    char path[PATH_MAX];
    struct err err;

    find_file(arguments->words[1], path, sizeof(path));
    request = make_request("policy.check", path, &err);
    return request ? change(cli, request, "", true) : complain_file(cli, &err);
}

static int run_apply(struct cli *cli, const struct arguments *arguments)
{
    const char *span = arguments->options[OPTION_FOR];
    bool dry = arguments->options[OPTION_DRY_RUN] != NULL;
    struct xenmemctl_request *request;
    char path[PATH_MAX];
    struct err err;
    int64_t ms;

    if (span && duration_parse(span, &ms, &err))
        return cli_complain(cli, EXIT_USAGE, "--for: %s", err.text);
    find_file(arguments->words[1], path, sizeof(path));
    request = make_request("policy.apply", path, &err);
    if (!request)
        return complain_file(cli, &err);
    if (span)
        xenmemctl_request_text(request, "for", span);
    xenmemctl_request_boolean(request, "dry_run", dry);
    return change(cli, request, "is in force", dry);
}

static int run_revert(struct cli *cli, const struct arguments *arguments)
{
    bool dry = arguments->options[OPTION_DRY_RUN] != NULL;
    struct xenmemctl_request *request = xenmemctl_request_new("policy.revert");

    xenmemctl_request_text(request, "name", arguments->words[1]);
    xenmemctl_request_boolean(request, "dry_run", dry);
    return change(cli, request, "is reverted", dry);
}

/* --- active, list ----------------------------------------------------------------------------- */

#define N_FIELDS(fields) (sizeof(fields) / sizeof(*(fields)))

static const struct field active_fields[] = {
    {"name", "NAME", FIELD_TEXT},
    {"applied_ms", "APPLIED", FIELD_MOMENT},
    {"expires_ms", "UNTIL", FIELD_MOMENT},
};

static void put_active(struct cli *cli, const struct xenmemctl_value *policies)
{
    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, policies);
    } else if (cli->format == FORMAT_CSV) {
        record_put_csv_names(cli, active_fields, N_FIELDS(active_fields));
        for (size_t i = 0; i < xenmemctl_count(policies); i++)
            record_put_csv(cli, xenmemctl_at(policies, i), active_fields, N_FIELDS(active_fields));
    } else {
        record_put_table(cli, policies, active_fields, N_FIELDS(active_fields));
    }
}

static int run_active(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_message *reply;
    int code = cli_call(cli, xenmemctl_request_new("policy.list"), CLI_TIMEOUT_MS, &reply);

    (void)arguments;
    if (code != EXIT_DONE)
        return code;
    put_active(cli, xenmemctl_message_value(reply));
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* A file of the folder, as `list` shows it. */
struct listed {
    char file[NAME_MAX + 1];
    char name[64];
    char text[1024]; /* its description, or what is wrong with it */
    const char *state;
};

static bool is_active(const struct xenmemctl_value *policies, const char *name)
{
    for (size_t i = 0; i < xenmemctl_count(policies); i++) {
        const char *other = xenmemctl_text(xenmemctl_member(xenmemctl_at(policies, i), "name"));

        if (other && strcmp(other, name) == 0)
            return true;
    }
    return false;
}

static void take_text(char *to, size_t room, const struct xenmemctl_value *value)
{
    const char *text = xenmemctl_text(value);

    snprintf(to, room, "%s", text ? text : "");
}

/* Was a check refused for what the file says, and not because xenmemd cannot answer? */
static bool is_about_file(enum xenmemctl_code code)
{
    return code == XENMEMCTL_INVALID || code == XENMEMCTL_NO_MEMORY || code == XENMEMCTL_NOT_FOUND;
}

/* What xenmemd says of the policy that request has. EXIT_DONE, or it complained: it could not be
 * asked. Takes request. */
static int ask_about(struct cli *cli, struct xenmemctl_request *request,
                     const struct xenmemctl_value *policies, struct listed *out)
{
    struct xenmemctl_message *reply;
    const struct xenmemctl_value *result;
    struct xenmemctl_error error;
    int code = cli_try(cli, request, CLI_TIMEOUT_MS, &reply, &error);

    if (is_about_file(error.code)) {
        snprintf(out->text, sizeof(out->text), "%s", error.text);
        return EXIT_DONE;
    }
    if (error.code != XENMEMCTL_OK)
        return cli_complain_error(cli, &error);
    if (code != EXIT_DONE)
        return code;
    result = xenmemctl_message_value(reply);
    take_text(out->name, sizeof(out->name), xenmemctl_member(result, "name"));
    take_text(out->text, sizeof(out->text), xenmemctl_member(result, "description"));
    out->state = is_active(policies, out->name) ? "active" : "-";
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* One that is wrong, or cannot be read, is listed with the reason: it must not hide the others. */
static int look_at(struct cli *cli, const char *file, const struct xenmemctl_value *policies,
                   struct listed *out)
{
    struct xenmemctl_request *request;
    char path[PATH_MAX];
    struct err err;

    *out = (struct listed){.state = "wrong", .name = "-"};
    snprintf(out->file, sizeof(out->file), "%s", file);
    snprintf(path, sizeof(path), "%s/%s", folder(), file);
    request = make_request("policy.check", path, &err);
    if (request)
        return ask_about(cli, request, policies, out);
    snprintf(out->text, sizeof(out->text), "%s", err.text);
    return EXIT_DONE;
}

static int is_policy(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length > strlen(SUFFIX) &&
           strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

static void put_listed(struct cli *cli, const struct listed *rows, size_t count)
{
    static const struct column columns[] = {
        {"NAME", false}, {"STATE", false}, {"FILE", false}, {"WHAT", false}};
    struct table *table = table_new(columns, 4);

    if (cli->format == FORMAT_CSV)
        fputs("name,state,file,what\n", cli->out);
    if (cli->format == FORMAT_JSON)
        fputs("[", cli->out);
    for (size_t i = 0; i < count; i++) {
        const char *const cells[] = {rows[i].name, rows[i].state, rows[i].file, rows[i].text};
        static const char *const names[] = {"name", "state", "file", "what"};

        for (size_t cell = 0; cell < 4; cell++) {
            if (cli->format == FORMAT_TABLE) {
                table_add(table, cells[cell]);
            } else if (cli->format == FORMAT_CSV) {
                text_put_csv(cli->out, cells[cell]);
                fputc(cell < 3 ? ',' : '\n', cli->out);
            } else {
                fprintf(cli->out, "%s\"%s\": ", cell == 0 ? (i > 0 ? ",\n {" : "\n {") : ", ",
                        names[cell]);
                text_put_json_string(cli->out, cells[cell]);
                fputs(cell == 3 ? "}" : "", cli->out);
            }
        }
    }
    if (cli->format == FORMAT_JSON)
        fputs("\n]\n", cli->out);
    else if (cli->format == FORMAT_TABLE)
        table_print(table, cli->width, cli->out);
    table_free(table);
}

static int list_files(struct cli *cli, const struct xenmemctl_value *policies)
{
    struct dirent **names = NULL;
    int count = scandir(folder(), &names, is_policy, alphasort);
    int code = EXIT_DONE;
    struct listed *rows;
    struct err err;

    if (count < 0) {
        if (errno == ENOENT)
            err_set(&err, ERR_NOT_FOUND, "%s: there is no such folder", folder());
        else
            fail_file(folder(), &err);
        return complain_file(cli, &err);
    }
    rows = calloc((size_t)count + 1, sizeof(*rows));
    invariant(rows);
    for (int i = 0; i < count && code == EXIT_DONE; i++)
        code = look_at(cli, names[i]->d_name, policies, &rows[i]);
    if (code == EXIT_DONE)
        put_listed(cli, rows, (size_t)count);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    free(rows);
    return code;
}

static int run_files(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_message *reply;
    int code = cli_call(cli, xenmemctl_request_new("policy.list"), CLI_TIMEOUT_MS, &reply);

    (void)arguments;
    if (code != EXIT_DONE)
        return code;
    code = list_files(cli, xenmemctl_message_value(reply));
    xenmemctl_message_free(reply);
    return code;
}

/* --- all of it -------------------------------------------------------------------------------- */

int run_policy(struct cli *cli, const struct arguments *arguments)
{
    static const struct {
        const char *name;
        size_t words;
        int (*run)(struct cli *cli, const struct arguments *arguments);
    } verbs[] = {
        {"check", 2, run_check},   {"apply", 2, run_apply}, {"revert", 2, run_revert},
        {"active", 1, run_active}, {"list", 1, run_files},
    };
    const char *verb = arguments->words[0];

    for (size_t i = 0; i < N_FIELDS(verbs); i++) {
        if (strcmp(verbs[i].name, verb) != 0)
            continue;
        if (arguments->n_words != verbs[i].words)
            return cli_complain(cli, EXIT_USAGE,
                                verbs[i].words == 2 ? "policy %s needs one policy"
                                                    : "policy %s takes nothing more",
                                verb);
        if (arguments->options[OPTION_FOR] && strcmp(verb, "apply") != 0)
            return cli_complain(cli, EXIT_USAGE, "--for goes with policy apply only");
        if (arguments->options[OPTION_DRY_RUN] && strcmp(verb, "apply") != 0 &&
            strcmp(verb, "revert") != 0)
            return cli_complain(cli, EXIT_USAGE,
                                "--dry-run goes with policy apply and revert only");
        return verbs[i].run(cli, arguments);
    }
    return cli_complain(cli, EXIT_USAGE,
                        "there is no 'policy %s'; there are check, apply, revert, list, active",
                        verb);
}
