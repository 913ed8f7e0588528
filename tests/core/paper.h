/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host on paper: VMs written down in MiB, decided upon, and the decision carried out on them. */
#ifndef TESTS_CORE_PAPER_H
#define TESTS_CORE_PAPER_H

#include "core/decide.h"

#define PAPER_MAX 256

struct paper {
    struct snapshot snapshot;
    struct vm vms[PAPER_MAX];
    struct vm_track tracks[PAPER_MAX];
    struct verdict verdicts[PAPER_MAX];
    struct action actions[PAPER_MAX];
    struct decide_work work[PAPER_MAX];
    struct part parts[PAPER_MAX];
    struct waiting waiting[PAPER_MAX];
    struct decision decision;
    struct decide_faults faults;
};

/* An empty host with so much left to promise, and no reserve. */
void paper_init(struct paper *paper, int64_t free_mib);

/*
 * A dynamic VM, running at rest with what it has, priority 50, buffer 20%, minimum and maximum as
 * given, startup as it has; its agent has reported that need (−1: nobody has) and a balloon driver.
 * What its cap has above its target is added to the host.
 * Returns its index.
 */
size_t paper_add(struct paper *paper, int64_t minimum_mib, int64_t has_mib, int64_t maximum_mib,
                 int64_t need_mib);

/* Decides on the present moment. */
void paper_decide(struct paper *paper);

/* Writes targets and caps of the last decision; the guests have not moved yet. */
void paper_apply(struct paper *paper);

/* Each guest whose index is not stuck arrives at its target, as far as its cap lets it. */
void paper_follow(struct paper *paper, size_t stuck);
#define NOBODY SIZE_MAX

/* Decides, applies and follows, a second each, until there is nothing to do; returns how often. */
int paper_settle(struct paper *paper);

/* The target that the VM has now, in MiB. */
int64_t paper_target(const struct paper *paper, size_t vm);

/* The goal of the last decision, in MiB. */
int64_t paper_goal(const struct paper *paper, size_t vm);

/* The action of the last decision on that VM; NULL where there is none. */
const struct action *paper_action(const struct paper *paper, size_t vm);

#endif
