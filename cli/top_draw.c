/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <curses.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "base/units.h"
#include "cli/record.h"
#include "cli/text.h"
#include "cli/top.h"
#include "cli/when.h"
#include "libctl/xenmemctl.h"

#define HEAD_LINES  4 /* title, the host's bar and figures, headings */
#define EVENT_LINES 3
#define FOOT_LINES  (EVENT_LINES + 2) /* a rule, and the keys */
#define NAME_WIDTH  16
#define FIXED_WIDTH (NAME_WIDTH + 1 + 10 + 1 + 8 + 1 + 8 + 1 + 5 + 1 + 7 + 1)

static int64_t number_of(const struct xenmemctl_value *record, const char *name)
{
    int64_t number = 0;

    xenmemctl_integer(xenmemctl_member(record, name), &number);
    return number;
}

static const char *text_of(const struct xenmemctl_value *record, const char *name)
{
    const char *text = xenmemctl_text(xenmemctl_member(record, name));

    return text ? text : "";
}

/* --- order -------------------------------------------------------------------------------------
 */

static const char *const sort_members[] = {
    [SORT_NAME] = "name",         [SORT_ASSIGNED] = "assigned_kib", [SORT_DEMAND] = "demand_kib",
    [SORT_PRESSURE] = "pressure", [SORT_MAXIMUM] = "maximum_kib",
};

static int compare(const void *a, const void *b, void *sort)
{
    const struct xenmemctl_value *const *left = a, *const *right = b;
    const char *member = sort_members[*(const enum top_sort *)sort];
    int64_t unused, one = number_of(*left, member), other = number_of(*right, member);
    bool left_runs = xenmemctl_integer(xenmemctl_member(*left, "id"), &unused);
    bool right_runs = xenmemctl_integer(xenmemctl_member(*right, "id"), &unused);

    if (left_runs != right_runs)
        return left_runs ? -1 : 1;
    if (one != other)
        return one > other ? -1 : 1;
    return strcmp(text_of(*left, "name"), text_of(*right, "name"));
}

void top_arrange(struct top *top)
{
    const struct xenmemctl_value *vms = xenmemctl_message_value(top->vms);

    top->n_vms = xenmemctl_count(vms);
    free(top->order);
    top->order = calloc(top->n_vms + 1, sizeof(*top->order));
    invariant(top->order);
    for (size_t i = 0; i < top->n_vms; i++)
        top->order[i] = xenmemctl_at(vms, i);
    qsort_r(top->order, top->n_vms, sizeof(*top->order), compare, &top->sort);
}

/* --- drawing -----------------------------------------------------------------------------------
 */

size_t top_room(void)
{
    return LINES > HEAD_LINES + FOOT_LINES ? (size_t)(LINES - HEAD_LINES - FOOT_LINES) : 0;
}

/* As many whole characters of text as fit into the columns that are left of the line. */
static void put(int line, int column, int width, const char *text)
{
    char clean[FIELD_TEXT_MAX], cut[FIELD_TEXT_MAX];
    size_t length = 0, fits = 0;

    text_clean(text, clean, sizeof(clean));
    if (width > COLS - column)
        width = COLS - column;
    while (clean[length]) {
        do
            length++;
        while (((unsigned char)clean[length] & 0xc0) == 0x80);
        memcpy(cut, clean, length);
        cut[length] = '\0';
        if (width < 0 || text_width(cut) > (size_t)width)
            break;
        fits = length;
    }
    cut[fits] = '\0';
    mvaddstr(line, column, cut);
}

static const char *size_of(const struct xenmemctl_value *record, const char *name,
                           char text[UNITS_TEXT])
{
    int64_t number;

    if (!xenmemctl_integer(xenmemctl_member(record, name), &number))
        return strcpy(text, "-");
    return kib_format(kib(number), text);
}

/* part of whole, as columns of width. */
static int share(int64_t part, int64_t whole, int width)
{
    if (whole <= 0 || part <= 0)
        return 0;
    return part >= whole ? width : (int)((double)part / (double)whole * width);
}

static void put_host_bar(const struct xenmemctl_value *host)
{
    int width = COLS - 7, column = 6;
    int64_t total = number_of(host, "total_kib");
    int dom0 = share(number_of(host, "dom0_kib"), total, width);
    int vms = share(number_of(host, "assigned_kib"), total, width);
    int unused = share(number_of(host, "free_kib"), total, width);

    mvaddstr(1, 0, "host [");
    for (int i = 0; i < width; i++) {
        int pair = i < dom0 ? 3 : i < dom0 + vms ? 1 : 0;

        attron(COLOR_PAIR(pair));
        mvaddch(1, column + i,
                i < dom0              ? (chtype)'0'
                : i < dom0 + vms      ? (chtype)'='
                : i >= width - unused ? (chtype)'.'
                                      : (chtype)'x');
        attroff(COLOR_PAIR(pair));
    }
    addch(']');
}

static void put_head(const struct top *top)
{
    const struct xenmemctl_value *host = xenmemctl_message_value(top->host);
    char line[512], moment[WHEN_TEXT], sizes[5][UNITS_TEXT];

    snprintf(line, sizeof(line), "xenmem  %s%s  %" PRId64 " of %" PRId64 " VMs managed  sort: %s",
             when_format(when_now(), moment), top->simulated ? "  simulated host" : "",
             number_of(host, "managed"), number_of(host, "vms"), sort_members[top->sort]);
    attron(A_BOLD);
    put(0, 0, COLS, line);
    attroff(A_BOLD);
    put_host_bar(host);
    snprintf(line, sizeof(line), "total %s  dom0 (0) %s  VMs (=) %s, need %s  free (.) %s",
             size_of(host, "total_kib", sizes[0]), size_of(host, "dom0_kib", sizes[1]),
             size_of(host, "assigned_kib", sizes[2]), size_of(host, "demand_kib", sizes[3]),
             size_of(host, "free_kib", sizes[4]));
    put(2, 0, COLS, line);
    snprintf(line, sizeof(line), "%-*s %-10s %8s %8s %5s %-7s ", NAME_WIDTH, "NAME", "STATE",
             "ASSIGNED", "DEMAND", "PRESS", "STATUS");
    attron(A_REVERSE);
    mvhline(3, 0, ' ', COLS);
    put(3, 0, COLS, line);
    if (COLS - FIXED_WIDTH >= 12)
        put(3, FIXED_WIDTH, COLS - FIXED_WIDTH, "[min =has oneed MAX");
    attroff(A_REVERSE);
}

/* From nothing to its maximum: what it has, and where minimum and demand are. */
static void put_bar(int line, const struct xenmemctl_value *vm, int pair)
{
    int width = COLS - FIXED_WIDTH;
    int64_t most = number_of(vm, "maximum_kib");
    int has = share(number_of(vm, "assigned_kib"), most, width);
    int least = share(number_of(vm, "minimum_kib"), most, width - 1);
    int need = share(number_of(vm, "demand_kib"), most, width - 1);
    int64_t unused;

    if (width < 8 || most <= 0)
        return;
    for (int i = 0; i < width; i++) {
        attron(COLOR_PAIR(i < has ? pair : 0));
        mvaddch(line, FIXED_WIDTH + i, (chtype)(i < has ? '=' : '.'));
        attroff(COLOR_PAIR(i < has ? pair : 0));
    }
    mvaddch(line, FIXED_WIDTH + least, '[');
    if (xenmemctl_integer(xenmemctl_member(vm, "demand_kib"), &unused))
        mvaddch(line, FIXED_WIDTH + need, 'o' | A_BOLD);
}

/* "1.50 GiB" is "1.50G". */
static const char *short_size(const struct xenmemctl_value *vm, const char *name,
                              char text[UNITS_TEXT])
{
    char *unit;

    size_of(vm, name, text);
    unit = strchr(text, ' ');
    if (unit && unit[1]) {
        unit[0] = unit[1];
        unit[1] = '\0';
    }
    return text;
}

static void put_vm(int line, const struct xenmemctl_value *vm)
{
    static const struct field pressure = {"pressure", NULL, FIELD_PERCENT};
    const char *status = text_of(vm, "status");
    int pair = strcmp(status, "warning") == 0 ? 4 : strcmp(status, "low") == 0 ? 2 : 1;
    char rest[256], press[FIELD_TEXT_MAX], has[UNITS_TEXT], need[UNITS_TEXT];

    put(line, 0, NAME_WIDTH, text_of(vm, "name"));
    snprintf(rest, sizeof(rest), "%-10.10s %8s %8s %5.5s %-7.7s ", text_of(vm, "state"),
             short_size(vm, "assigned_kib", has), short_size(vm, "demand_kib", need),
             record_text(vm, &pressure, press), status);
    put(line, NAME_WIDTH + 1, COLS - NAME_WIDTH - 1, rest);
    put_bar(line, vm, pair);
}

static void put_events(const struct xenmemctl_value *events)
{
    size_t count = xenmemctl_count(events);
    size_t shown = count < EVENT_LINES ? count : EVENT_LINES;

    for (size_t i = 0; i < shown; i++) {
        const struct xenmemctl_value *event = xenmemctl_at(events, count - shown + i);
        const char *reason = xenmemctl_text(xenmemctl_member(event, "reason"));
        char line[FIELD_TEXT_MAX], moment[WHEN_TEXT], detail[700];

        snprintf(line, sizeof(line), "%s  %s  %s  %.60s%s%s",
                 when_format(number_of(event, "time_ms"), moment) + 11, text_of(event, "event"),
                 text_of(event, "vm"), reason ? reason : "", reason ? ": " : "",
                 text_amounts(text_of(event, "detail"), detail, sizeof(detail)));
        put(LINES - FOOT_LINES + 1 + (int)i, 0, COLS, line);
    }
}

static void put_foot(const struct top *top, size_t room)
{
    char line[600];

    mvhline(LINES - FOOT_LINES, 0, '-', COLS);
    put_events(xenmemctl_message_value(top->events));
    attron(A_REVERSE);
    mvhline(LINES - 1, 0, ' ', COLS);
    if (top->trouble[0])
        snprintf(line, sizeof(line), "old: %s", top->trouble);
    else if (top->n_vms > room)
        snprintf(line, sizeof(line), "%zu-%zu of %zu  arrows, PgUp, PgDn; sort: n a d p m; q ends",
                 top->first + 1, top->first + room < top->n_vms ? top->first + room : top->n_vms,
                 top->n_vms);
    else
        snprintf(line, sizeof(line),
                 "sort: n name, a assigned, d demand, p pressure, m maximum; q ends");
    put(LINES - 1, 0, COLS - 1, line);
    attroff(A_REVERSE);
}

void top_draw(struct top *top)
{
    size_t room = top_room();

    erase();
    if (LINES < TOP_LINES || COLS < TOP_COLUMNS) {
        put(0, 0, COLS, "too small");
        refresh();
        return;
    }
    if (top->first + room > top->n_vms)
        top->first = top->n_vms > room ? top->n_vms - room : 0;
    put_head(top);
    for (size_t i = 0; i < room && top->first + i < top->n_vms; i++)
        put_vm(HEAD_LINES + (int)i, top->order[top->first + i]);
    put_foot(top, room);
    refresh();
}
