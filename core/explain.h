/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a VM has what it has, and what a decision does, as steps: each with a stable code, the
 * figures that it is made from, and a sentence for people, which is made of them here and nowhere
 * else.
 */
#ifndef CORE_EXPLAIN_H
#define CORE_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/admit.h"
#include "core/decide.h"

#define EXPLAIN_FIGURES 5
#define EXPLAIN_TEXT    400

struct explain_figure {
    const char *name; /* as on the wire: "demand_kib" */
    int64_t value;
};

struct explain_step {
    const char *code;                               /* stable; a reason's name where there is one */
    struct explain_figure figures[EXPLAIN_FIGURES]; /* the first n_figures */
    size_t n_figures;
    char text[EXPLAIN_TEXT];
};

/* --- one VM ---------------------------------------------------------------------------------- */

#define EXPLAIN_VM_STEPS 8

/*
 * From its need to its target, in the order in which it was decided: state, need, demand, wanted,
 * bounds, share, target, and what is done now. One that may not be written has the first and the
 * last alone. decision is that of the snapshot. Returns how many steps there are.
 */
size_t explain_vm(const struct snapshot *snapshot, const struct decision *decision,
                  const struct vm_track *track, size_t vm,
                  struct explain_step out[EXPLAIN_VM_STEPS]);

/* Instead of that for one that is off. */
void explain_off(struct explain_step *out);

/* --- a whole decision ------------------------------------------------------------------------ */

/* What the host has, and how much of it is promised to nobody. */
void explain_host(const struct snapshot *snapshot, const struct decision *decision,
                  struct explain_step *out);

/* One setting that would change, with its values as text. */
void explain_setting(const char *key, const char *from, const char *to, struct explain_step *out);

/* Whether a start of that size and priority has room. Returns true where it has. */
bool explain_start(const struct admission *found, struct kib size, int32_t priority,
                   struct explain_step *out);

/* What a VM holds against that start. */
void explain_holder(const struct snapshot *snapshot, const struct decision *decision, size_t vm,
                    int32_t priority, struct explain_step *out);

/* One action, and where its VM's target is to end. */
void explain_action(const struct action *action, struct kib goal, struct explain_step *out);

/* True where the VM's target is not where it is to end, though nothing is done about it now: why.
 */
bool explain_wait(const struct snapshot *snapshot, const struct decision *decision, size_t vm,
                  struct explain_step *out);

/* There is nothing to do. */
void explain_rest(struct explain_step *out);

#endif
