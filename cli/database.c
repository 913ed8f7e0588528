/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about what is kept: db backup, export, import. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/invariant.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/record.h"
#include "cli/text.h"
#include "libctl/xenmemctl.h"

#define BACKUP_TIMEOUT_MS 600000
#define IMPORT_MAX        ((size_t)16 * 1024 * 1024) /* bytes of a file */
#define PART_MAX          ((size_t)24 * 1024) /* of it sent at once: it grows as JSON, up to twice */

/* --- db backup ---------------------------------------------------------------------------------
 */

/* xenmemd has another working folder. */
static int make_absolute(struct cli *cli, const char *file, char *out, size_t room)
{
    char folder[PATH_MAX] = "";

    if (file[0] != '/' && !getcwd(folder, sizeof(folder)))
        return cli_complain(cli, EXIT_FAILED, "the working folder: %s", strerror(errno));
    if ((size_t)snprintf(out, room, "%s%s%s", folder, folder[0] ? "/" : "", file) >= room)
        return cli_complain(cli, EXIT_USAGE, "the path of the backup is too long");
    return EXIT_DONE;
}

int run_db(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_request *request;
    struct xenmemctl_message *reply;
    char path[PATH_MAX];
    int code;

    if (strcmp(arguments->words[0], "backup") != 0)
        return cli_complain(cli, EXIT_USAGE, "db knows 'backup FILE', not '%s'",
                            arguments->words[0]);
    code = make_absolute(cli, arguments->words[1], path, sizeof(path));
    if (code != EXIT_DONE)
        return code;
    request = xenmemctl_request_new("db.backup");
    xenmemctl_request_text(request, "file", path);
    code = cli_call(cli, request, BACKUP_TIMEOUT_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, xenmemctl_message_value(reply));
    } else if (cli->format == FORMAT_TABLE) {
        fputs("The database is backed up to ", cli->out);
        text_put(cli->out, path);
        fputc('\n', cli->out);
    }
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* --- export ------------------------------------------------------------------------------------
 */

int run_export(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_message *reply;
    const char *text;
    int code = cli_call(cli, xenmemctl_request_new("settings.export"), CLI_TIMEOUT_MS, &reply);

    (void)arguments;
    if (code != EXIT_DONE)
        return code;
    text = xenmemctl_text(xenmemctl_member(xenmemctl_message_value(reply), "text"));
    if (cli->format == FORMAT_JSON)
        record_put_json(cli, xenmemctl_message_value(reply));
    else
        fputs(text ? text : "", cli->out);
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* --- import ------------------------------------------------------------------------------------
 */

/* The whole file ("-": stdin), to be freed; NULL where it complained. */
static char *read_file(struct cli *cli, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *text = malloc(IMPORT_MAX + 2);
    size_t length = 0;
    bool failed;

    invariant(text);
    if (file)
        length = fread(text, 1, IMPORT_MAX + 1, file);
    failed = !file || ferror(file);
    if (failed)
        cli_complain(cli, EXIT_FAILED, "%s: %s", path, strerror(errno));
    if (file && file != stdin)
        fclose(file);
    text[length] = '\0';
    if (!failed && length > IMPORT_MAX)
        cli_complain(cli, EXIT_USAGE, "%s is larger than %zu MiB", path, IMPORT_MAX >> 20);
    else if (!failed && (strlen(text) != length || !text_is_utf8(text)))
        cli_complain(cli, EXIT_USAGE, "%s is not a text in UTF-8", path);
    else if (!failed)
        return text;
    free(text);
    return NULL;
}

/* How much of text is sent at once: whole sections, one at least. */
static size_t part_of(const char *text)
{
    size_t length = 0;

    for (const char *at = text; *at;) {
        const char *next = strstr(at, "\n[");

        next = next ? next + 1 : at + strlen(at);
        if (length > 0 && (size_t)(next - text) > PART_MAX)
            break;
        length = (size_t)(next - text);
        at = next;
    }
    return length;
}

static int send_part(struct cli *cli, const char *text, int64_t first_line, bool dry_run,
                     int64_t *n_vms)
{
    struct xenmemctl_request *request = xenmemctl_request_new("settings.import");
    struct xenmemctl_message *reply;
    int64_t count = 0;
    int code;

    xenmemctl_request_text(request, "text", text);
    xenmemctl_request_integer(request, "first_line", first_line);
    xenmemctl_request_boolean(request, "dry_run", dry_run);
    code = cli_call(cli, request, CLI_TIMEOUT_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    xenmemctl_integer(xenmemctl_member(xenmemctl_message_value(reply), "vms"), &count);
    *n_vms += count;
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* All parts, one after the other. */
static int send_all(struct cli *cli, const char *text, bool dry_run, int64_t *n_vms)
{
    int64_t line = 1;
    int code = EXIT_DONE;

    *n_vms = 0;
    while (*text && code == EXIT_DONE) {
        size_t length = part_of(text);
        char *part = strndup(text, length);

        invariant(part);
        code = send_part(cli, part, line, dry_run, n_vms);
        for (size_t i = 0; i < length; i++)
            line += part[i] == '\n';
        free(part);
        text += length;
    }
    return code;
}

int run_import(struct cli *cli, const struct arguments *arguments)
{
    bool dry_run = arguments->options[OPTION_DRY_RUN] != NULL;
    char *text = read_file(cli, arguments->words[0]);
    int64_t n_vms;
    int code;

    if (!text)
        return EXIT_USAGE;
    /* Nothing is set before all of it was found to be right. */
    code = send_all(cli, text, true, &n_vms);
    if (code == EXIT_DONE && !dry_run)
        code = send_all(cli, text, false, &n_vms);
    free(text);
    if (code != EXIT_DONE)
        return code;
    if (cli->format == FORMAT_JSON)
        fprintf(cli->out, "{\"vms\": %" PRId64 "}\n", n_vms);
    else
        fprintf(cli->out, "Settings of %" PRId64 " VMs %s\n", n_vms,
                dry_run ? "are right; nothing was changed" : "are set");
    return EXIT_DONE;
}
