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
#define IMPORT_TIMEOUT_MS 60000
#define IMPORT_MAX        ((size_t)1024 * 1024) /* bytes of a file: xenmemd takes it as one request */

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

/* The whole file ("-": stdin), to be freed; NULL where it complained: EXIT_USAGE. */
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
        cli_complain(cli, EXIT_USAGE, "%s: %s", path, strerror(errno));
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

int run_import(struct cli *cli, const struct arguments *arguments)
{
    bool dry_run = arguments->options[OPTION_DRY_RUN] != NULL;
    const char *path = arguments->words[0];
    char *text = read_file(cli, path);
    struct xenmemctl_request *request;
    struct xenmemctl_message *reply;
    int64_t n_vms = 0;
    int code;

    if (!text)
        return EXIT_USAGE;
    request = xenmemctl_request_new("settings.import");
    xenmemctl_request_text(request, "text", text);
    xenmemctl_request_text(request, "file", strcmp(path, "-") == 0 ? "stdin" : path);
    xenmemctl_request_boolean(request, "dry_run", dry_run);
    free(text);
    code = cli_call(cli, request, IMPORT_TIMEOUT_MS, &reply);
    if (code != EXIT_DONE)
        return code;
    xenmemctl_integer(xenmemctl_member(xenmemctl_message_value(reply), "vms"), &n_vms);
    xenmemctl_message_free(reply);
    if (cli->format == FORMAT_JSON)
        fprintf(cli->out, "{\"vms\": %" PRId64 "}\n", n_vms);
    else
        fprintf(cli->out, "Settings of %" PRId64 " VMs %s\n", n_vms,
                dry_run ? "are right; nothing was changed" : "are set");
    return EXIT_DONE;
}
