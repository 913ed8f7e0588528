/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/core/paper.h"

#define SETTLE_MAX 300

void paper_init(struct paper *paper, int64_t free_mib)
{
    *paper = (struct paper){.snapshot.n_vms = 0};
    paper->snapshot.now_ms = 1000000;
    paper->snapshot.settings.demand_half_life_ms = 600000;
    paper->snapshot.host.free = kib_mib(free_mib);
    paper->snapshot.host.total = kib_mib(free_mib);
    paper->snapshot.vms = paper->vms;
    paper->decision.verdicts = paper->verdicts;
    paper->decision.actions = paper->actions;
    paper->decision.work = paper->work;
    paper->decision.parts = paper->parts;
    paper->decision.waiting = paper->waiting;
}

size_t paper_add(struct paper *paper, int64_t minimum_mib, int64_t has_mib, int64_t maximum_mib,
                 int64_t need_mib)
{
    size_t i = paper->snapshot.n_vms++;
    struct vm *vm = &paper->vms[i];

    invariant(i < PAPER_MAX);
    *vm = (struct vm){
        .state = VM_RUNNING,
        .settings = {.startup = kib_mib(has_mib),
                     .minimum = kib_mib(minimum_mib),
                     .maximum = kib_mib(maximum_mib),
                     .buffer_percent = 20,
                     .priority = 50,
                     .mode = VM_MODE_DYNAMIC},
        .assigned = kib_mib(has_mib),
        .target = kib_mib(has_mib),
        .fresh = need_mib >= 0,
    };
    vm->cap = model_cap(vm, vm->target);
    if (need_mib >= 0)
        vm->report =
            (struct vm_report){.source = NEED_AGENT, .need = kib_mib(need_mib), .balloon = true};
    paper->snapshot.host.free = kib_add(paper->snapshot.host.free, CAP_SLACK);
    paper->snapshot.host.total = kib_add(paper->snapshot.host.total, vm->cap);
    return i;
}

void paper_decide(struct paper *paper)
{
    decide(&paper->snapshot, paper->tracks, &paper->decision, &paper->faults);
}

void paper_apply(struct paper *paper)
{
    for (size_t i = 0; i < paper->decision.n_actions; i++) {
        const struct action *action = &paper->actions[i];
        struct vm *vm = &paper->vms[action->vm];

        vm->cap = action->cap;
        vm->cap_unlimited = false;
        if (action->kind == ACTION_TARGET)
            vm->target = action->target;
    }
}

void paper_follow(struct paper *paper, size_t stuck)
{
    for (size_t i = 0; i < paper->snapshot.n_vms; i++) {
        struct vm *vm = &paper->vms[i];
        struct kib there = kib_add(vm->target, vm->offset);

        if (i == stuck || vm->state != VM_RUNNING)
            continue;
        if (!vm->cap_unlimited && there.v > vm->assigned.v)
            there = kib_max(vm->assigned, kib_min(there, vm->cap));
        paper->snapshot.host.free =
            kib_sub(paper->snapshot.host.free, kib_sub(there, vm->assigned));
        vm->assigned = there;
    }
}

int paper_settle(struct paper *paper)
{
    for (int i = 0; i < SETTLE_MAX; i++) {
        paper_decide(paper);
        if (paper->decision.settled)
            return i;
        paper_apply(paper);
        paper_follow(paper, NOBODY);
        paper->snapshot.now_ms += 1000;
    }
    return SETTLE_MAX;
}

int64_t paper_target(const struct paper *paper, size_t vm)
{
    return paper->vms[vm].target.v / 1024;
}

int64_t paper_goal(const struct paper *paper, size_t vm)
{
    return paper->verdicts[vm].goal.v / 1024;
}

const struct action *paper_action(const struct paper *paper, size_t vm)
{
    for (size_t i = 0; i < paper->decision.n_actions; i++)
        if (paper->actions[i].vm == vm)
            return &paper->actions[i];
    return NULL;
}
