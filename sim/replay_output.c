/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/replay_output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"

#define KIB_PER_GIB 1048576.0

double replay_unmet_part(const struct replay_result *result)
{
    return result->need_kib_s > 0 ? result->unmet_kib_s / result->need_kib_s : 0;
}

double replay_unmet_gib_h(const struct replay_result *result)
{
    return result->unmet_kib_s / KIB_PER_GIB / 3600;
}

double replay_moved_gib_per_hour(const struct replay_result *result)
{
    return result->hours > 0 ? result->moved_kib / KIB_PER_GIB / result->hours : 0;
}

double replay_changes_per_vm_hour(const struct replay_result *result)
{
    double vm_hours = result->hours * (double)result->n_vms;

    return vm_hours > 0 ? (double)result->changes / vm_hours : 0;
}

int replay_flush(struct err *err)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return err_set_errno(err, ERR_FAILED, errno, "standard output");
    return 0;
}

int replay_print_table(const struct samples *samples, const struct replay_options *options,
                       const struct replay_result results[], int n, struct err *err)
{
    printf("%-13s %7s %9s %11s %15s %12s %14s %6s %8s %10s\n", "policy", "density", "unmet %",
           "unmet GiB·h", "worst VM %", "moved GiB/h", "changes/VM·h", "free %", "below min",
           "invariant");
    for (int i = 0; i < n; i++) {
        const struct replay_result *result = &results[i];

        printf("%-13s %7.2f %9.4f %10.2f %8.3f (%s) %11.2f %12.2f %8.1f %8" PRIu64 " %10" PRIu64
               "\n",
               replay_policy_names[result->policy], options->density_permille / 1000.0,
               100 * replay_unmet_part(result), replay_unmet_gib_h(result), 100 * result->worst_vm,
               samples->vms[result->worst_vm_index].name, replay_moved_gib_per_hour(result),
               replay_changes_per_vm_hour(result), 100 * result->free_part,
               result->minimum_violations, result->invariant_violations);
    }
    return replay_flush(err);
}

void replay_print_figures(const struct replay_result *result)
{
    printf("\"unmet_fraction\": %.9g, \"unmet_gib_h\": %.9g, \"worst_vm_unmet_fraction\": %.9g, "
           "\"moved_gib_per_hour\": %.9g, \"changes_per_vm_hour\": %.9g, "
           "\"free_fraction\": %.9g, \"minimum_violations\": %" PRIu64
           ", \"invariant_violations\": %" PRIu64,
           replay_unmet_part(result), replay_unmet_gib_h(result), result->worst_vm,
           replay_moved_gib_per_hour(result), replay_changes_per_vm_hour(result), result->free_part,
           result->minimum_violations, result->invariant_violations);
}

int replay_print_json(const struct replay_options *options, const struct replay_result results[],
                      int n, struct err *err)
{
    for (int i = 0; i < n; i++) {
        printf("%s{\"policy\": \"%s\", \"density\": %g, ", i == 0 ? "[" : " ",
               replay_policy_names[results[i].policy], options->density_permille / 1000.0);
        replay_print_figures(&results[i]);
        fputs(i + 1 < n ? "},\n" : "}]\n", stdout);
    }
    return replay_flush(err);
}
