/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/explain.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/demand.h"

/* Room for the amounts of one sentence. */
struct texts {
    char buffers[6][UNITS_TEXT];
    size_t used;
};

static const char *size(struct texts *texts, struct kib amount)
{
    return kib_format(amount, texts->buffers[texts->used++]);
}

static void begin(struct explain_step *step, const char *code)
{
    *step = (struct explain_step){.code = code};
}

static void put_kib(struct explain_step *step, const char *name, struct kib amount)
{
    step->figures[step->n_figures++] = (struct explain_figure){name, amount.v};
}

static void put_number(struct explain_step *step, const char *name, int64_t value)
{
    step->figures[step->n_figures++] = (struct explain_figure){name, value};
}

__attribute__((format(printf, 2, 3))) static void say(struct explain_step *step, const char *format,
                                                      ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(step->text, sizeof(step->text), format, args);
    va_end(args);
}

/* --- one VM ---------------------------------------------------------------------------------- */

static void explain_state(const struct vm *vm, const struct verdict *verdict,
                          struct explain_step *step)
{
    struct texts texts = {0};

    begin(step, vm_state_name(verdict->state));
    put_kib(step, "assigned_kib", vm->assigned);
    put_kib(step, "target_kib", vm->target);
    put_kib(step, "cap_kib", vm->cap);
    say(step, "It is %s and has %s; its target is %s, and its cap lets it take %s at most.",
        vm_state_name(verdict->state), size(&texts, vm->assigned), size(&texts, vm->target),
        vm->cap_unlimited ? "whatever there is" : size(&texts, vm->cap));
}

static void explain_need(const struct vm *vm, const struct verdict *verdict,
                         struct explain_step *step)
{
    const struct vm_report *report = &vm->report;
    struct texts texts = {0};

    if (!vm->fresh) {
        begin(step, "no-data");
        say(step, report->source == NEED_NONE
                      ? "Nobody in it tells what it needs."
                      : "What it told last of its need is too old to count.");
        return;
    }
    begin(step, "need");
    put_kib(step, "need_kib", report->need);
    put_number(step, "psi_some", report->psi_some);
    say(step, "It needs %s, says %s%s; its processes waited for memory %d.%02d%% of the time.",
        size(&texts, report->need),
        report->source == NEED_AGENT ? "xenmem-agent" : need_source_name(report->source),
        verdict->suspicious ? ", which cannot be so, for it has not got as much" : "",
        report->psi_some / 100, report->psi_some % 100);
}

static void explain_demand(const struct vm *vm, const struct verdict *verdict,
                           struct explain_step *step)
{
    struct texts texts = {0};
    const char *why = "as it needs";

    begin(step, "demand");
    if (verdict->demand.v < 0) {
        say(step, "Its demand is not known.");
        return;
    }
    put_kib(step, "demand_kib", verdict->demand);
    put_number(step, "pressure", verdict->pressure);
    if (verdict->demand.v > vm->report.need.v)
        why =
            "more than its need: a fall is believed slowly, a rise is taken to go on, and waiting "
            "for memory counts";
    else if (verdict->demand.v < vm->report.need.v)
        why = "less than it says: no more than its maximum counts";
    say(step, "Its demand is %s, %s.", size(&texts, verdict->demand), why);
}

static void explain_wanted(const struct vm *vm, const struct verdict *verdict,
                           struct explain_step *step)
{
    struct texts texts = {0};

    begin(step, "wanted");
    put_kib(step, "wanted_kib", verdict->wanted);
    put_number(step, "buffer_percent", vm->settings.buffer_percent);
    say(step, "With a buffer of %d%% it wants %s, within its bounds.", vm->settings.buffer_percent,
        size(&texts, verdict->wanted));
}

static const char *who_holds_low(const struct vm *vm, const struct vm_track *track,
                                 const struct verdict *verdict)
{
    if (track->failures > 0 && track->low.v > 0 && verdict->low.v >= track->low.v)
        return "its guest was found not to go below";
    if (verdict->low.v <= vm->settings.minimum.v)
        return "its minimum";
    if (verdict->low.v == demand_floor_curve(vm->settings.startup).v)
        return "what an idle guest of its size needs";
    if (verdict->low.v == vm->settings.maximum.v / 64)
        return "what the page structures for its maximum take";
    return vm->settings.trust && vm->fresh && vm->report.floor.v > 0
               ? "what its trusted guest cannot give back, and a margin"
               : "it was not yet seen to go below";
}

static void explain_bounds(const struct vm *vm, const struct vm_track *track,
                           const struct verdict *verdict, struct explain_step *step)
{
    bool has_ceiling = verdict->high.v < vm->settings.maximum.v;
    struct texts texts = {0};

    begin(step, "bounds");
    put_kib(step, "low_kib", verdict->low);
    put_kib(step, "high_kib", verdict->high);
    put_kib(step, "minimum_kib", vm->settings.minimum);
    put_kib(step, "maximum_kib", vm->settings.maximum);
    say(step, "It is not sent below %s (%s), nor above %s (%s).", size(&texts, verdict->low),
        who_holds_low(vm, track, verdict), size(&texts, verdict->high),
        has_ceiling ? "its guest was found not to go above" : "its maximum");
}

static void explain_share(const struct vm *vm, const struct verdict *verdict, uint8_t role,
                          struct explain_step *step)
{
    struct texts texts = {0};

    begin(step, "share");
    put_kib(step, "share_kib", verdict->share);
    put_number(step, "priority", vm->settings.priority);
    if (role != ROLE_SHARES)
        say(step, "It takes no part in the sharing: %s.", reason_text(verdict->reason));
    else if (verdict->share.v < verdict->wanted.v)
        say(step,
            "There is too little for all: with priority %d it is entitled to %s, %s less than it "
            "wants.",
            vm->settings.priority, size(&texts, verdict->share),
            size(&texts, kib_sub(verdict->wanted, verdict->share)));
    else
        say(step, "There is enough for all: it is entitled to %s.", size(&texts, verdict->share));
}

static void explain_goal(const struct verdict *verdict, struct explain_step *step)
{
    struct texts texts = {0};

    begin(step, reason_name(verdict->reason));
    put_kib(step, "goal_kib", verdict->goal);
    say(step, "Its target is to be %s: %s.", size(&texts, verdict->goal),
        reason_text(verdict->reason));
}

static const struct action *action_of(const struct decision *decision, size_t vm)
{
    for (size_t i = 0; i < decision->n_actions; i++)
        if (decision->actions[i].vm == vm)
            return &decision->actions[i];
    return NULL;
}

/* What is done about it now, or why nothing is. */
static void explain_now(const struct snapshot *snapshot, const struct decision *decision, size_t vm,
                        struct explain_step *step)
{
    const struct action *action = action_of(decision, vm);

    if (action)
        explain_action(action, decision->verdicts[vm].goal, step);
    else if (!explain_wait(snapshot, decision, vm, step))
        explain_rest(step);
}

void explain_off(struct explain_step *step)
{
    begin(step, vm_state_name(VM_OFF));
    say(step, "It is off: nothing is decided about it until it runs.");
}

static void explain_untouched(const struct verdict *verdict, struct explain_step *step)
{
    begin(step, reason_name(verdict->reason));
    say(step, "Nothing is written to it: %s.", reason_text(verdict->reason));
}

size_t explain_vm(const struct snapshot *snapshot, const struct decision *decision,
                  const struct vm_track *track, size_t vm,
                  struct explain_step out[EXPLAIN_VM_STEPS])
{
    const struct vm *it = &snapshot->vms[vm];
    const struct verdict *verdict = &decision->verdicts[vm];
    uint8_t role = decision->work[vm].role;
    size_t n = 0;

    explain_state(it, verdict, &out[n++]);
    if (role == ROLE_NONE) {
        explain_untouched(verdict, &out[n++]);
        return n;
    }
    explain_need(it, verdict, &out[n++]);
    explain_demand(it, verdict, &out[n++]);
    explain_wanted(it, verdict, &out[n++]);
    explain_bounds(it, track, verdict, &out[n++]);
    explain_share(it, verdict, role, &out[n++]);
    explain_goal(verdict, &out[n++]);
    explain_now(snapshot, decision, vm, &out[n++]);
    return n;
}

/* --- a whole decision ------------------------------------------------------------------------ */

void explain_host(const struct snapshot *snapshot, const struct decision *decision,
                  struct explain_step *step)
{
    struct kib left = decision->uncommitted;
    struct texts texts = {0};

    begin(step, left.v < 0 ? "restore" : "host");
    put_kib(step, "free_kib", snapshot->host.free);
    put_kib(step, "uncommitted_kib", left);
    put_kib(step, "reserve_kib", snapshot->settings.reserve);
    put_kib(step, "reserved_kib", snapshot->host.unbound);
    if (left.v < 0)
        say(step, "%s more is promised than there is: only what restores it is done.",
            size(&texts, kib_sub(kib(0), left)));
    else
        say(step, "The host has %s free; %s of it is promised to nobody.",
            size(&texts, snapshot->host.free), size(&texts, left));
}

void explain_setting(const char *key, const char *from, const char *to, struct explain_step *step)
{
    begin(step, "setting");
    say(step, "Its %s would be %s instead of %s.", key, to, from);
}

bool explain_start(const struct admission *found, struct kib wanted, int32_t priority,
                   struct explain_step *step)
{
    struct kib missing = kib_excess(wanted, kib_add(found->now, found->freeable));
    struct texts texts = {0};

    begin(step, missing.v > 0 ? reason_refusal_name(REFUSAL_NO_MEMORY) : "start");
    put_kib(step, "size_kib", wanted);
    put_number(step, "priority", priority);
    put_kib(step, "now_kib", found->now);
    put_kib(step, "freeable_kib", found->freeable);
    put_kib(step, "missing_kib", missing);
    if (missing.v > 0)
        say(step,
            "A start of %s would be refused at once: %s is there and %s could be freed for "
            "priority %d; %s is missing.",
            size(&texts, wanted), size(&texts, found->now), size(&texts, found->freeable), priority,
            size(&texts, missing));
    else if (wanted.v <= found->now.v)
        say(step, "A start of %s finds its memory there: %s is promised to nobody.",
            size(&texts, wanted), size(&texts, found->now));
    else
        say(step,
            "A start of %s has room: %s is there, and %s of the %s that could be freed for "
            "priority %d would be.",
            size(&texts, wanted), size(&texts, found->now),
            size(&texts, kib_sub(wanted, found->now)), size(&texts, found->freeable), priority);
    return missing.v <= 0;
}

void explain_holder(const struct snapshot *snapshot, const struct decision *decision, size_t vm,
                    int32_t priority, struct explain_step *step)
{
    struct kib holds = admit_holds(snapshot, decision, vm, priority);
    struct texts texts = {0};

    begin(step, "holds");
    put_kib(step, "holds_kib", holds);
    put_kib(step, "counted_kib", decision->work[vm].counted);
    put_number(step, "priority", snapshot->vms[vm].settings.priority);
    say(step, "It counts for %s and keeps %s of it against priority %d.",
        size(&texts, decision->work[vm].counted), size(&texts, holds), priority);
}

void explain_action(const struct action *action, struct kib goal, struct explain_step *step)
{
    bool is_target = action->kind == ACTION_TARGET;
    bool is_partial = is_target && action->target.v != goal.v;
    struct texts texts = {0};

    begin(step, reason_name(action->reason));
    put_kib(step, "from_kib", action->from);
    put_kib(step, "to_kib", is_target ? action->target : action->cap);
    put_kib(step, "cap_kib", action->cap);
    put_kib(step, "goal_kib", goal);
    if (is_target)
        say(step, "Now its target goes from %s to %s%s%s, and its cap to %s: %s.",
            size(&texts, action->from), size(&texts, action->target),
            is_partial ? " on its way to " : "", is_partial ? size(&texts, goal) : "",
            size(&texts, action->cap), reason_text(action->reason));
    else
        say(step, "Now its cap goes from %s to %s: %s.", size(&texts, action->from),
            size(&texts, action->cap), reason_text(action->reason));
}

bool explain_wait(const struct snapshot *snapshot, const struct decision *decision, size_t vm,
                  struct explain_step *step)
{
    const struct verdict *verdict = &decision->verdicts[vm];
    struct kib target = snapshot->vms[vm].target;
    struct texts texts = {0};
    const char *why;

    if (decision->work[vm].role < ROLE_FIXED || verdict->goal.v == target.v)
        return false;
    why = verdict->goal.v < target.v
              ? "the cap that goes with less would be above what it may take now"
              : "it waits until what others give back was seen to be free";
    begin(step, "waits");
    put_kib(step, "from_kib", target);
    put_kib(step, "to_kib", verdict->goal);
    put_kib(step, "uncommitted_kib", decision->uncommitted);
    say(step, "Its target is to go from %s to %s (%s), and stays for now: %s.",
        size(&texts, target), size(&texts, verdict->goal), reason_name(verdict->reason), why);
    return true;
}

void explain_rest(struct explain_step *step)
{
    begin(step, reason_name(REASON_KEEP));
    say(step, "There is nothing to do.");
}
