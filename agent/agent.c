/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/agent.h"

#include <unistd.h>

#include "agent/need.h"
#include "base/err.h"
#include "base/log.h"

void agent_init(struct agent *agent, const char *root, int64_t started_ms)
{
    *agent = (struct agent){
        .root = root,
        .page_kib = sysconf(_SC_PAGESIZE) / 1024,
        .sequence = (uint64_t)started_ms,
    };
}

/* Logs the first of several failures in a row, and their end. */
static void note(bool *failing, bool failed, const char *what, const struct err *err)
{
    if (failed && !*failing)
        log_warning("%s-failed error=\"%s\"", what, err->text);
    else if (!failed && *failing)
        log_notice("%s-works-again", what);
    *failing = failed;
}

static bool say(struct agent *agent, struct guest_report *report)
{
    char text[REPORT_TEXT_MAX];
    struct err err;
    int failed;

    report->sequence = ++agent->sequence;
    failed = store_publish(&agent->store, text, report_encode(report, text, sizeof(text)), &err);
    note(&agent->unsaid, failed, "report", &err);
    return !failed;
}

void agent_tick(struct agent *agent, int64_t now_ms, bool urgent)
{
    int64_t elapsed_ms = now_ms - agent->said_ms;
    struct guest_report report;
    struct kernel_view view;
    struct err err;
    int failed = kernel_look(agent->root, &view, &err);

    note(&agent->unread, failed, "look", &err);
    if (failed)
        return;
    agent->pressing = need_watch_look(&agent->watch, &view, now_ms);
    need_report(&view, agent->has_said ? &agent->seen : NULL, elapsed_ms, agent->page_kib, &report);
    if (agent->has_said && !urgent && !need_worth_saying(&report, &agent->said, elapsed_ms))
        return;
    if (!say(agent, &report))
        return;
    agent->said = report;
    agent->seen = view;
    agent->said_ms = now_ms;
    agent->has_said = true;
}
