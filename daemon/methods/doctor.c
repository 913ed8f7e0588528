/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/methods/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/hooks/hook_files.h"
#include "daemon/hooks/hooks.h"
#include "daemon/methods/describe.h"
#include "daemon/registry.h"
#include "daemon/snapshot.h"
#include "db/db.h"
#include "hv/hv.h"

#define PV_GROWTH 10 /* times its boot memory: all that PV Linux can ever use */
#define GROWTH    16 /* page structures grow with the maximum: startup has to hold them */

/* Who is told. */
struct telling {
    const struct daemon *daemon;
    finding_fn *tell;
    void *arg;
};

const char *finding_level_name(enum finding_level level)
{
    return level == FINDING_WRONG ? "wrong" : "risk";
}

__attribute__((format(printf, 6, 7))) static void found(const struct telling *to, const char *check,
                                                        enum finding_level level, const char *vm,
                                                        const char *advice, const char *format, ...)
{
    struct finding finding = {.check = check, .level = level, .vm = vm, .advice = advice};
    char text[640];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    finding.text = text;
    to->tell(to->arg, &finding);
}

/* --- the host -------------------------------------------------------------------------------- */

static void look_at_dom0(const struct telling *to)
{
    const struct registry *registry = to->daemon->registry;

    for (size_t i = 0; i < registry->n_domains; i++)
        if (registry->domains[i].now.dom0 && registry->domains[i].now.cap_unlimited)
            found(to, "dom0-memory", FINDING_WRONG, NULL,
                  "boot Xen with dom0_mem=SIZE,max:SIZE (GRUB_CMDLINE_XEN in /etc/default/grub)",
                  "dom0's memory has no limit: what it may take is promised to nobody else, but "
                  "nothing holds it back");
}

static void look_at_zombies(const struct telling *to)
{
    const struct registry *registry = to->daemon->registry;
    const int64_t now_ms = engine_status(to->daemon->engine)->now_ms;
    char text[UNITS_TEXT];

    for (size_t i = 0; i < registry->n_domains; i++) {
        const struct hv_domain *now = &registry->domains[i].now;

        if (snapshot_is_zombie(&registry->domains[i], now_ms))
            found(to, "zombie", FINDING_RISK, NULL,
                  "end what still uses it: its device model (its domain id is in `ps ax`), or a "
                  "backend; else only the host's reboot brings it back",
                  "domain %" PRIu32 "%s%s is dead and still holds %s: somebody has mapped it",
                  now->ref.domid, now->name[0] ? " " : "", now->name,
                  kib_format(now->assigned, text));
    }
}

static void look_at_minimums(const struct telling *to)
{
    const struct registry *registry = to->daemon->registry;
    const struct engine_status *status = engine_status(to->daemon->engine);
    struct kib room = kib_sub(kib_sub(status->host.total, status->dom0), status->settings.reserve);
    struct kib sum = kib(0);
    char text[2][UNITS_TEXT];

    for (size_t i = 0; i < registry->n_domains; i++) {
        const struct domain *domain = &registry->domains[i];

        if (domain->now.dom0)
            continue;
        sum = kib_add(sum, domain->vm && domain->vm->settings.mode == VM_MODE_DYNAMIC
                               ? domain->vm->settings.minimum
                               : domain->now.assigned);
    }
    if (sum.v > room.v)
        found(to, "minimums", FINDING_WRONG, NULL,
              "lower minimums with `xenmemctl set VM minimum=SIZE`, or stop a VM",
              "the minimums of the running VMs, and what those have that are not dynamic, are %s; "
              "the host has %s for VMs",
              kib_format(sum, text[0]), kib_format(room, text[1]));
}

static void look_at_daemon(const struct telling *to)
{
    const struct engine_status *status = engine_status(to->daemon->engine);
    struct err why = {0};

    if (db_is_failing(to->daemon->db, &why))
        found(to, "database", FINDING_WRONG, NULL,
              "make room on its disk, or mount it writable; settings are refused until then", "%s",
              why.text);
    if (db_dropped(to->daemon->db) > 0)
        found(to, "database", FINDING_RISK, NULL, "look for a slow or full disk",
              "%lld rows of the journal were lost since the start",
              (long long)db_dropped(to->daemon->db));
    if (status->invariant_broken)
        found(to, "invariant", FINDING_WRONG, NULL,
              "stop a VM, or lower one with `xl mem-set`; `xenmemctl events` says since when",
              "more memory is promised than there is");
    if (status->settings.action == HOST_ACTION_OBSERVE)
        found(to, "observe", FINDING_RISK, NULL, "say action = balance under [host] to balance",
              "xenmemd only observes: no VM gets or gives memory");
}

static void look_at_hooks(const struct telling *to)
{
    struct hook_files files;

    hooks_find(to->daemon, &files);
    for (size_t i = 0; i < files.count; i++)
        if (files.files[i].refused[0])
            found(to, "hook", FINDING_WRONG, NULL,
                  files.files[i].is_stray
                      ? "give it the name of an event, as xenmemd.conf(5) has them, or take it away"
                      : "chown root, chmod go-w and chmod +x it, or take it away",
                  "%s is not run: %s", files.files[i].path, files.files[i].refused);
    hook_files_fini(&files);
}

/* --- VMs ------------------------------------------------------------------------------------- */

static void look_at_agent(const struct telling *to, const struct domain *domain)
{
    const struct guest_report *report = &domain->now.report;
    const char *name = domain->vm->name;
    int64_t age_ms = engine_status(to->daemon->engine)->now_ms - domain->now.report_ms;

    if (report->source == NEED_NONE)
        found(to, "agent", FINDING_RISK, name, "install xenmem-agent in it, and start it",
              "nothing in the guest says what it needs: it keeps what it has");
    else if (!snapshot_report_is_fresh(report, age_ms))
        found(to, "agent", FINDING_RISK, name, "see whether xenmem-agent runs in it",
              "its last report is %lld s old", (long long)age_ms / 1000);
    if (report->source == NEED_AGENT && !report->balloon)
        found(to, "balloon", FINDING_WRONG, name,
              "use a kernel with Xen's balloon driver, or set mode=static",
              "its kernel has no balloon driver: it can neither give nor take memory");
    else if (domain->verdict.state == VM_UNRESPONSIVE)
        found(to, "balloon", FINDING_RISK, name, "look at its kernel's log; reboot it if need be",
              "its balloon does not follow its target");
}

static void look_at_ratio(const struct telling *to, const struct domain *domain)
{
    const struct vm_settings *settings = &domain->vm->settings;
    int64_t most = domain->now.pv ? PV_GROWTH : GROWTH;
    char text[2][UNITS_TEXT];

    if (settings->startup.v > 0 && settings->maximum.v / settings->startup.v >= most &&
        settings->maximum.v > settings->startup.v * most)
        found(to, "ratio", FINDING_RISK, domain->vm->name,
              "raise startup, or lower maximum, with `xenmemctl set`",
              "maximum %s is more than %lld times startup %s: %s",
              kib_format(settings->maximum, text[0]), (long long)most,
              kib_format(settings->startup, text[1]),
              domain->now.pv ? "PV Linux can never use more than that"
                             : "page structures for the maximum eat what it starts with");
}

static void look_at_limits(const struct telling *to, const struct domain *domain)
{
    const struct vm vm = snapshot_vm(domain, engine_status(to->daemon->engine)->now_ms);
    struct kib due = model_cap(&vm, kib_max(vm.target, vm.assigned));
    char text[2][UNITS_TEXT];

    if (domain->overridden)
        found(to, "target", FINDING_RISK, domain->vm->name,
              "`xenmemctl balance --clear-overrides` takes it back",
              "its target %s was set by somebody else (xl mem-set?), and is honoured",
              kib_format(domain->now.target, text[0]));
    if (!domain->now.cap_unlimited && domain->now.cap.v <= due.v)
        return;
    if (domain->now.cap_unlimited || domain->now.cap.v > kib_add(due, kib(KIB_GRANULE)).v)
        found(to, "cap", FINDING_RISK, domain->vm->name,
              "nobody else should run `xl mem-max`, squeezed or qmemman on a managed VM",
              "its cap %s is above %s, which goes with its target: it was not set by xenmemd",
              domain->now.cap_unlimited ? "(none)" : kib_format(domain->now.cap, text[0]),
              kib_format(due, text[1]));
}

static void look_at_vm(const struct telling *to, const struct vm_entry *vm)
{
    const struct engine_status *status = engine_status(to->daemon->engine);
    const struct domain *domain = vm->domain;

    if (!domain || vm->settings.mode == VM_MODE_IGNORED || domain->now.state != VM_RUNNING)
        return;
    if (vm->settings.mode == VM_MODE_DYNAMIC) {
        look_at_agent(to, domain);
        look_at_ratio(to, domain);
    }
    /* What we are about to put right is not worth a word. */
    if (status->settled || status->settings.action == HOST_ACTION_OBSERVE)
        look_at_limits(to, domain);
}

void doctor_look(const struct daemon *daemon, finding_fn *tell, void *arg)
{
    const struct telling to = {.daemon = daemon, .tell = tell, .arg = arg};
    size_t count;
    const struct vm_entry **order = describe_order(daemon, &count);

    look_at_dom0(&to);
    look_at_zombies(&to);
    look_at_minimums(&to);
    look_at_daemon(&to);
    look_at_hooks(&to);
    for (size_t i = 0; i < count; i++)
        look_at_vm(&to, order[i]);
    free(order);
}
