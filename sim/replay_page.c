/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/replay_page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "sim/replay_output.h"

#define WIDTH       960
#define HEIGHT      260
#define LEFT        70
#define STACK_MOST  20 /* bands of the stacked plot; what is over goes into the last one */
#define KIB_PER_GIB 1048576.0

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<title>xenmem-sim</title>\n<style>\n"
    "body{font:15px/1.4 sans-serif;margin:2em;max-width:1080px}\n"
    "table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right;"
    "border-bottom:1px solid #ccc}\n"
    "svg{display:block;background:#fafafa}svg text{font-size:12px}\n"
    ".assigned{fill:none;stroke:#1f77b4;stroke-width:1.5}\n"
    ".need{fill:none;stroke:#2ca02c;stroke-width:1.5}\n"
    ".unmet{fill:#d62728;stroke:none}\n.axis{stroke:#999}\n</style></head><body>\n";

/* Names come from the file: they are text here, never markup. */
static void put_text(FILE *page, const char *text)
{
    for (; *text; text++) {
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"' || *text == '\'')
            fprintf(page, "&#%d;", *text);
        else
            fputc(*text, page);
    }
}

static double x_of(int bin)
{
    return LEFT + (double)bin * (WIDTH - LEFT - 10) / (REPLAY_BINS - 1);
}

static double y_of(double value, double most)
{
    return HEIGHT - 25 - (most > 0 ? value / most : 0) * (HEIGHT - 40);
}

static double highest(const double values[REPLAY_BINS])
{
    double most = 0;

    for (int i = 0; i < REPLAY_BINS; i++)
        most = values[i] > most ? values[i] : most;
    return most;
}

static void open_plot(FILE *page, const char *title, double most, double hours)
{
    fprintf(page,
            "<h3>%s</h3>\n<svg width=\"%d\" height=\"%d\" role=\"img\">"
            "<path class=\"axis\" d=\"M%d 10V%dH%d\" fill=\"none\"/>\n",
            title, WIDTH, HEIGHT, LEFT, HEIGHT - 25, WIDTH - 10);
    for (int i = 0; i <= 4; i++)
        fprintf(page, "<text x=\"%d\" y=\"%.0f\" text-anchor=\"end\">%.4g GiB</text>\n", LEFT - 4,
                y_of(i * most / 4, most) + 4, i * most / 4 / KIB_PER_GIB);
    for (int i = 0; i <= 4; i++)
        fprintf(page, "<text x=\"%.0f\" y=\"%d\" text-anchor=\"%s\">%.4g h</text>\n",
                x_of(i * (REPLAY_BINS - 1) / 4), HEIGHT - 8, i == 4 ? "end" : "middle",
                i * hours / 4);
}

static void put_line(FILE *page, const char *class, const double values[REPLAY_BINS], double most)
{
    fprintf(page, "<path class=\"%s\" d=\"", class);
    for (int i = 0; i < REPLAY_BINS; i++)
        fprintf(page, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x_of(i), y_of(values[i], most));
    fputs("\"/>\n", page);
}

/* The area between two lines. */
static void put_band(FILE *page, const char *style, const double low[REPLAY_BINS],
                     const double high[REPLAY_BINS], double most)
{
    fprintf(page, "<path %s d=\"", style);
    for (int i = 0; i < REPLAY_BINS; i++)
        fprintf(page, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x_of(i), y_of(high[i], most));
    for (int i = REPLAY_BINS - 1; i >= 0; i--)
        fprintf(page, "L%.1f %.1f", x_of(i), y_of(low[i], most));
    fputs("Z\">", page);
}

static void plot_demand(FILE *page, const struct replay_result *result)
{
    double most = highest(result->assigned);
    double need = highest(result->need);

    most = need > most ? need : most;
    open_plot(page,
              "Demand (green) against assigned "
              "(blue)",
              most, result->hours);
    put_line(page, "assigned", result->assigned, most);
    put_line(page, "need", result->need, most);
    fputs("</svg>\n", page);
}

static void plot_unmet(FILE *page, const struct replay_result *result)
{
    static const double nothing[REPLAY_BINS];
    double most = highest(result->unmet);

    open_plot(page, "Unmet demand", most, result->hours);
    put_band(page, "class=\"unmet\"", nothing, result->unmet, most);
    fputs("</path></svg>\n", page);
}

/* The VMs in file order, those that would make too many bands together. */
static void plot_stack(FILE *page, const struct samples *samples,
                       const struct replay_result *result)
{
    size_t per_band = (result->n_vms + STACK_MOST - 1) / STACK_MOST;
    double most = highest(result->assigned);
    double low[REPLAY_BINS] = {0};

    open_plot(page, "Assigned, stacked by VM", most, result->hours);
    for (size_t first = 0; first < result->n_vms; first += per_band) {
        size_t end = first + per_band < result->n_vms ? first + per_band : result->n_vms;
        double high[REPLAY_BINS];
        char style[64];

        memcpy(high, low, sizeof(high));
        for (size_t vm = first; vm < end; vm++)
            for (int bin = 0; bin < REPLAY_BINS; bin++)
                high[bin] += (double)result->vm_assigned[vm * REPLAY_BINS + (size_t)bin];
        snprintf(style, sizeof(style), "fill=\"hsl(%zu,55%%,65%%)\" stroke=\"#fff\"",
                 first / per_band * 137 % 360);
        put_band(page, style, low, high, most);
        fputs("<title>", page);
        put_text(page, samples->vms[first].name);
        if (end - first > 1) {
            fputs(" to ", page);
            put_text(page, samples->vms[end - 1].name);
        }
        fputs("</title></path>\n", page);
        memcpy(low, high, sizeof(low));
    }
    fputs("</svg>\n", page);
}

static void put_figures(FILE *page, const struct samples *samples,
                        const struct replay_result results[], int n)
{
    fputs("<table><tr><th>policy<th>unmet %<th>unmet GiB·h<th>worst VM %<th>moved GiB/h"
          "<th>changes/VM·h<th>free %<th>below minimum<th>invariant broken</tr>\n",
          page);
    for (int i = 0; i < n; i++) {
        const struct replay_result *result = &results[i];

        fprintf(page, "<tr><td>%s<td>%.4f<td>%.2f<td>%.3f (", replay_policy_names[result->policy],
                100 * replay_unmet_part(result), replay_unmet_gib_h(result),
                100 * result->worst_vm);
        if (result->n_vms > 0)
            put_text(page, samples->vms[result->worst_vm_index].name);
        fprintf(page, ")<td>%.2f<td>%.2f<td>%.1f<td>%" PRIu64 "<td>%" PRIu64 "</tr>\n",
                replay_moved_gib_per_hour(result), replay_changes_per_vm_hour(result),
                100 * result->free_part, result->minimum_violations, result->invariant_violations);
    }
    fputs("</table>\n", page);
}

static void put_page(FILE *out, const struct replay_page *page)
{
    fputs(head, out);
    fputs("<h1>", out);
    put_text(out, page->title);
    fprintf(out, ": %zu VMs over %.1f hours</h1>\n<p>", page->results[0].n_vms,
            page->results[0].hours);
    put_text(out, page->about);
    fputs(" A simulation.</p>\n", out);
    put_figures(out, page->samples, page->results, page->n_results);
    for (int i = 0; i < page->n_results; i++) {
        fprintf(out, "<h2>%s</h2>\n", replay_policy_names[page->results[i].policy]);
        plot_demand(out, &page->results[i]);
        plot_unmet(out, &page->results[i]);
        plot_stack(out, page->samples, &page->results[i]);
    }
    fputs("</body></html>\n", out);
}

int replay_write_page(const struct replay_page *page, struct err *err)
{
    char beside[4096];
    struct stat there;
    bool is_broken;
    FILE *out;

    /* The page takes its place: a device, or a link such as /dev/stdout, would be lost. */
    if (lstat(page->file, &there) == 0 && !S_ISREG(there.st_mode))
        return err_set(err, ERR_INVALID, "--report %s: this is no plain file: name another",
                       page->file);
    if (snprintf(beside, sizeof(beside), "%s.new", page->file) >= (int)sizeof(beside))
        return err_set(err, ERR_INVALID, "--report: the name is too long");
    out = fopen(beside, "we");
    if (!out)
        return err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_FAILED, errno, "--report %s",
                             page->file);
    put_page(out, page);
    is_broken = ferror(out) != 0;
    is_broken |= fclose(out) != 0;
    if (is_broken || rename(beside, page->file)) {
        err_set_errno(err, ERR_FAILED, errno, "--report %s", page->file);
        unlink(beside);
        return -1;
    }
    return 0;
}
