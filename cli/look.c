/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that look: host, list. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/record.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/when.h"
#include "libctl/xenmemctl.h"

#define SIMULATED "This host is simulated.\n"

/* --- host ------------------------------------------------------------------------------------ */

/* CSV has no room for what is nested: the nodes are left out. */
static const struct field host_fields[] = {
    {"backend", NULL, FIELD_TEXT},      {"simulated", NULL, FIELD_BOOLEAN},
    {"total_kib", NULL, FIELD_SIZE},    {"free_kib", NULL, FIELD_SIZE},
    {"reserve_kib", NULL, FIELD_SIZE},  {"headroom_kib", NULL, FIELD_SIZE},
    {"reserved_kib", NULL, FIELD_SIZE}, {"claimed_kib", NULL, FIELD_SIZE},
    {"promised_kib", NULL, FIELD_SIZE}, {"available_kib", NULL, FIELD_SIZE},
    {"dom0_kib", NULL, FIELD_SIZE},     {"assigned_kib", NULL, FIELD_SIZE},
    {"demand_kib", NULL, FIELD_SIZE},   {"shared_kib", NULL, FIELD_SIZE},
    {"vms", NULL, FIELD_NUMBER},        {"managed", NULL, FIELD_NUMBER},
    {"action", NULL, FIELD_TEXT},       {"surplus", NULL, FIELD_TEXT},
    {"settled", NULL, FIELD_BOOLEAN},   {"invariant_broken", NULL, FIELD_BOOLEAN},
};
#define N_HOST_FIELDS (sizeof(host_fields) / sizeof(*host_fields))

static int64_t number_of(const struct xenmemctl_value *record, const char *name)
{
    int64_t number = 0;

    xenmemctl_integer(xenmemctl_member(record, name), &number);
    return number;
}

static bool is_true(const struct xenmemctl_value *record, const char *name)
{
    bool truth = false;

    xenmemctl_boolean(xenmemctl_member(record, name), &truth);
    return truth;
}

static void put_size(struct cli *cli, const char *heading, int64_t size_kib, const char *note)
{
    char size[UNITS_TEXT];

    fprintf(cli->out, "  %-13s %10s%s%s\n", heading, kib_format(kib(size_kib), size),
            note[0] ? "   " : "", note);
}

/* All of the host, once. */
static void put_memory(struct cli *cli, const struct xenmemctl_value *host)
{
    int64_t rest = number_of(host, "total_kib") - number_of(host, "dom0_kib") -
                   number_of(host, "assigned_kib") - number_of(host, "free_kib");
    char note[128], size[UNITS_TEXT];

    fputs("Memory\n", cli->out);
    put_size(cli, "total", number_of(host, "total_kib"), "");
    put_size(cli, "dom0", number_of(host, "dom0_kib"), "");
    snprintf(note, sizeof(note), "%" PRId64 " of %" PRId64 " VMs; they need %s",
             number_of(host, "managed"), number_of(host, "vms"),
             kib_format(kib(number_of(host, "demand_kib")), size));
    put_size(cli, "managed VMs", number_of(host, "assigned_kib"), note);
    if (rest > 0)
        put_size(cli, "others", rest, "Xen itself, and VMs that are not managed");
    put_size(cli, "free", number_of(host, "free_kib"), "");
    if (number_of(host, "shared_kib") > 0)
        put_size(cli, "shared", number_of(host, "shared_kib"), "saved by page sharing");
}

/* All that is free, once. */
static void put_free(struct cli *cli, const struct xenmemctl_value *host)
{
    char note[128], size[UNITS_TEXT];

    fputs("\nWhat is free\n", cli->out);
    put_size(cli, "reserve", number_of(host, "reserve_kib"), "never given to VMs");
    put_size(cli, "reservations", number_of(host, "reserved_kib"), "for VMs that are to start");
    snprintf(note, sizeof(note), "what VMs may still take up to their caps; Xen's claims: %s",
             kib_format(kib(number_of(host, "claimed_kib")), size));
    put_size(cli, "promised", number_of(host, "promised_kib"), note);
    put_size(cli, "available", number_of(host, "available_kib"), "what a start would get at once");
}

static void put_nodes(struct cli *cli, const struct xenmemctl_value *nodes)
{
    char total[UNITS_TEXT], left[UNITS_TEXT];

    if (xenmemctl_count(nodes) == 0)
        return;
    fputs("\nNUMA nodes\n", cli->out);
    for (size_t i = 0; i < xenmemctl_count(nodes); i++) {
        const struct xenmemctl_value *node = xenmemctl_at(nodes, i);

        fprintf(cli->out, "  %-13zu %10s   %s free\n", i,
                kib_format(kib(number_of(node, "total_kib")), total),
                kib_format(kib(number_of(node, "free_kib")), left));
    }
}

static void put_balancing(struct cli *cli, const struct xenmemctl_value *host)
{
    const char *action = xenmemctl_text(xenmemctl_member(host, "action"));
    const char *surplus = xenmemctl_text(xenmemctl_member(host, "surplus"));

    fputs("\nBalancing\n", cli->out);
    fputs("  action        ", cli->out);
    text_put(cli->out, action ? action : "-");
    if (action && strcmp(action, "observe") == 0)
        fputs(": decides and logs, but writes nothing", cli->out);
    fputs("\n  surplus       ", cli->out);
    text_put(cli->out, surplus ? surplus : "-");
    fprintf(cli->out, "\n  settled       %s\n",
            is_true(host, "settled") ? "yes" : "no: memory is on its way");
    put_size(cli, "headroom", number_of(host, "headroom_kib"),
             "kept free for the next start, as far as VMs have memory to spare");
    if (is_true(host, "invariant_broken"))
        fputs("\nMore was promised than there is: only what restores it is done.\n", cli->out);
}

int run_host(struct cli *cli, const struct arguments *arguments)
{
    struct xenmemctl_message *reply;
    const struct xenmemctl_value *host;
    int code = cli_call(cli, xenmemctl_request_new("host.get"), CLI_TIMEOUT_MS, &reply);

    (void)arguments;
    if (code != EXIT_DONE)
        return code;
    host = xenmemctl_message_value(reply);
    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, host);
    } else if (cli->format == FORMAT_CSV) {
        record_put_csv_names(cli, host_fields, N_HOST_FIELDS);
        record_put_csv(cli, host, host_fields, N_HOST_FIELDS);
    } else {
        fputs(is_true(host, "simulated") ? SIMULATED "\n" : "", cli->out);
        put_memory(cli, host);
        put_free(cli, host);
        put_nodes(cli, xenmemctl_member(host, "nodes"));
        put_balancing(cli, host);
    }
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* --- list ------------------------------------------------------------------------------------ */

#define BY_HAND '*'
#define WATCH_S 1

/* "1.50 GiB" becomes "1.50G", which xenmemctl reads too. */
static void shorten_size(char *text)
{
    char *unit = strchr(text, ' ');

    if (unit && unit[1]) {
        unit[0] = unit[1];
        unit[1] = '\0';
    }
}

static void add_row(struct table *table, const struct xenmemctl_value *vm, bool narrow)
{
    char text[FIELD_TEXT_MAX];

    for (size_t i = 0; i < n_vm_list_fields; i++) {
        const struct field *field = &vm_fields[i];

        if (!field->heading)
            continue;
        record_text(vm, field, text);
        if (narrow && field->type == FIELD_SIZE)
            shorten_size(text);
        if (strcmp(field->name, "target_kib") == 0 && is_true(vm, "overridden"))
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%c", BY_HAND);
        table_add(table, text);
    }
}

static struct table *make_list(const struct xenmemctl_value *vms, const struct column *columns,
                               size_t n_columns, bool narrow)
{
    struct table *table = table_new(columns, n_columns);

    for (size_t i = 0; i < xenmemctl_count(vms); i++)
        add_row(table, xenmemctl_at(vms, i), narrow);
    return table;
}

static bool any_by_hand(const struct xenmemctl_value *vms)
{
    for (size_t i = 0; i < xenmemctl_count(vms); i++)
        if (is_true(xenmemctl_at(vms, i), "overridden"))
            return true;
    return false;
}

/* After an installation nobody is: whoever sees a warning should know that nothing is done about
 * it. */
static bool any_managed(const struct xenmemctl_value *vms)
{
    for (size_t i = 0; i < xenmemctl_count(vms); i++) {
        const char *mode = xenmemctl_text(xenmemctl_member(xenmemctl_at(vms, i), "mode"));

        if (mode && strcmp(mode, "ignored") != 0)
            return true;
    }
    return false;
}

static void put_list(struct cli *cli, const struct xenmemctl_value *vms)
{
    struct column columns[64];
    struct table *table;
    size_t n_columns = 0;

    for (size_t i = 0; i < n_vm_list_fields; i++)
        if (vm_fields[i].heading)
            columns[n_columns++] =
                (struct column){vm_fields[i].heading, vm_fields[i].type != FIELD_TEXT};
    table = make_list(vms, columns, n_columns, false);
    if (cli->width > 0 && table_width(table, 1) > cli->width) {
        table_free(table);
        table = make_list(vms, columns, n_columns, true);
    }
    table_print(table, cli->width, cli->out);
    if (any_by_hand(vms))
        fprintf(cli->out, "%c set by hand; 'set', or 'balance --clear-overrides', takes it back\n",
                BY_HAND);
    if (xenmemctl_count(vms) > 0 && !any_managed(vms))
        fputs("All of them are ignored; 'set VM mode=dynamic' has one balanced.\n", cli->out);
    table_free(table);
}

static int list_once(struct cli *cli)
{
    struct xenmemctl_message *reply;
    const struct xenmemctl_value *vms;
    int code = cli_call(cli, xenmemctl_request_new("vm.list"), CLI_TIMEOUT_MS, &reply);

    if (code != EXIT_DONE)
        return code;
    vms = xenmemctl_message_value(reply);
    if (cli->format == FORMAT_JSON) {
        record_put_json(cli, vms);
    } else if (cli->format == FORMAT_CSV) {
        record_put_csv_names(cli, vm_fields, n_vm_list_fields);
        for (size_t i = 0; i < xenmemctl_count(vms); i++)
            record_put_csv(cli, xenmemctl_at(vms, i), vm_fields, n_vm_list_fields);
    } else {
        put_list(cli, vms);
        fputs(xenmemctl_is_simulated(cli->connection) ? SIMULATED : "", cli->out);
    }
    xenmemctl_message_free(reply);
    return EXIT_DONE;
}

/* One list below the other, on any terminal, until nobody reads it or xenmemd is gone. */
int run_list(struct cli *cli, const struct arguments *arguments)
{
    bool watches = arguments->options[OPTION_WATCH] != NULL;
    char moment[WHEN_TEXT];
    int code;

    for (;;) {
        if (watches && cli->format == FORMAT_TABLE)
            fprintf(cli->out, "%s\n", when_format(when_now(), moment));
        code = list_once(cli);
        if (!watches || code != EXIT_DONE)
            return code;
        if (cli->format == FORMAT_TABLE)
            fputc('\n', cli->out);
        if (fflush(cli->out) != 0)
            return code;
        sleep(WATCH_S);
    }
}
