/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/run_output.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "sim/replay_output.h"
#include "sim/script.h"

/* "" where there was no VM at all. */
static const char *worst_name(const struct run *run)
{
    const struct samples *names = run_names(run);

    return names->n_vms > 0 ? names->vms[run_result(run)->worst_vm_index].name : "";
}

int run_print_table(const struct run *run, struct err *err)
{
    const struct replay_result *result = run_result(run);
    const struct run_counts counts = run_counts(run);

    printf("%-22s %.0f s of simulated time, %" PRId64 " passes, %zu VMs\n", "ran",
           result->hours * 3600, counts.passes, result->n_vms);
    printf("%-22s %.4f %%, %.3f GiB·h\n", "unmet", 100 * replay_unmet_part(result),
           replay_unmet_gib_h(result));
    printf("%-22s %.3f %% (%s)\n", "worst VM", 100 * result->worst_vm, worst_name(run));
    printf("%-22s %.2f GiB/h\n", "moved", replay_moved_gib_per_hour(result));
    printf("%-22s %.2f a VM and hour\n", "changes", replay_changes_per_vm_hour(result));
    printf("%-22s %.1f %%\n", "free", 100 * result->free_part);
    printf("%-22s %" PRIu64 "\n", "below minimum", result->minimum_violations);
    printf("%-22s %" PRIu64 "\n", "invariant broken", result->invariant_violations);
    printf("%-22s %" PRIu64 "\n", "guests crashed", counts.guest_crashes);
    printf("%-22s %" PRIu64 "\n", "killed for memory", counts.oom_kills);
    printf("%-22s %zu of %zu\n", "expectations met", counts.n_expectations - counts.n_misses,
           counts.n_expectations);
    return replay_flush(err);
}

int run_print_json(const struct run *run, struct err *err)
{
    const struct replay_result *result = run_result(run);
    const struct run_counts counts = run_counts(run);

    /* Names of simulated VMs have no character that JSON would have escaped. */
    printf("[{\"policy\": \"%s\", \"seconds\": %.0f, \"passes\": %" PRId64 ", \"vms\": %zu, ",
           replay_policy_names[result->policy], result->hours * 3600, counts.passes, result->n_vms);
    replay_print_figures(result);
    printf(", \"worst_vm\": \"%s\", \"guest_crashes\": %" PRIu64 ", \"oom_kills\": %" PRIu64
           ", \"expectations\": %zu, \"expectations_met\": %zu}]\n",
           worst_name(run), counts.guest_crashes, counts.oom_kills, counts.n_expectations,
           counts.n_expectations - counts.n_misses);
    return replay_flush(err);
}

void run_print_misses(const char *file, const struct run *run)
{
    for (size_t i = 0; i < run_counts(run).n_misses; i++) {
        const struct run_miss *miss = run_miss(run, i);
        char at[UNITS_TEXT], found[UNITS_TEXT];

        fprintf(stderr, "xenmem-sim: %s:%d: at %s %s was to have %s; it %s%s\n", file,
                miss->expectation->line, duration_format(miss->expectation->at_ms, at),
                miss->expectation->name, miss->expectation->text,
                miss->exists ? "has " : "is not there",
                miss->exists ? script_format(miss->expectation->figure, miss->found, found) : "");
    }
}
