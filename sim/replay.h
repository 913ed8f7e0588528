/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replays what VMs needed on hosts that are too small for all that was provisioned, in virtual time
 * and steps of 10 s, and counts what each policy leaves unmet and moves. docs/tuning.md has the
 * contract.
 */
#ifndef SIM_REPLAY_H
#define SIM_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/settings.h"
#include "sim/samples.h"

struct err;

#define REPLAY_STEP_S 10
#define REPLAY_BINS   240 /* points of a plot */

enum replay_policy { REPLAY_XENMEM, REPLAY_STATIC, REPLAY_PROPORTIONAL, REPLAY_POLICY_COUNT };

/* "xenmem", "static", "proportional" */
extern const char *const replay_policy_names[];

struct replay_options {
    int32_t density_permille; /* what was provisioned ÷ the host, in thousandths */
    int32_t group;            /* about so many VMs a host; 0 all on one */
    int32_t rate_mib;         /* that a balloon moves in a second */
    bool linear; /* need between two samples lies on a line, else it is the earlier's */
    struct setting_partial settings; /* of each host; the reserve is 1% where it does not say */
};

/* What came of one policy, over all hosts. */
struct replay_result {
    enum replay_policy policy;
    double unmet_kib_s, need_kib_s;
    double worst_vm; /* the VM with the greatest part of its need unmet: that part */
    size_t worst_vm_index;
    double moved_kib;
    double free_part; /* mean, of the hosts */
    uint64_t changes; /* of targets */
    uint64_t minimum_violations, invariant_violations;
    double hours;
    size_t n_vms;
    /* For plots: means of the bins in KiB, of all hosts together, and a row of bins a VM. */
    double assigned[REPLAY_BINS], need[REPLAY_BINS], unmet[REPLAY_BINS];
    float *vm_assigned;
};

/* Called now and then with what is done, of 1. */
typedef void replay_progress(void *context, double done);

/* 0 and *out, to be ended with replay_result_fini; or −1 ERR_FAILED for want of memory. */
int replay_run(const struct samples *samples, const struct replay_options *options,
               enum replay_policy policy, replay_progress *progress, void *context,
               struct replay_result *out, struct err *err);

void replay_result_fini(struct replay_result *result);

#endif
