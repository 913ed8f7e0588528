/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event that tells of a change. */
#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "daemon/daemon.h"
#include "daemon/settings/change.h"
#include "daemon/settings/layers.h"
#include "daemon/settings/policy.h"

static void describe_set(struct change *change)
{
    struct event *event = &change->event;
    size_t length = 0;
    char text[64];

    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        if (setting_has(&change->said, key) && length < sizeof(event->detail))
            length += (size_t)snprintf(
                event->detail + length, sizeof(event->detail) - length, "%s%s=%s",
                length > 0 ? " " : "", vm_setting_defs[key].name,
                setting_format(&vm_setting_defs[key], change->said.value[key], text, sizeof(text)));
    if (change->for_ms > 0 && length < sizeof(event->detail))
        length += (size_t)snprintf(event->detail + length, sizeof(event->detail) - length,
                                   " for=%s", duration_format(change->for_ms, text));
    if (length < sizeof(event->detail))
        snprintf(event->detail + length, sizeof(event->detail) - length, " command=vm.set");
}

static void describe_end(struct change *change)
{
    const struct layer *layer = layers_find(change->changes->daemon->layers, change->layer);
    struct event *event = &change->event;

    event->kind = EVENT_SETTINGS_CHANGED;
    if (layer_kind_of(layer) == LAYER_POLICY) {
        event->kind = EVENT_POLICY_REVERTED;
        snprintf(event->detail, sizeof(event->detail), "policy=%s %s", layer_name(layer),
                 change->kind == CHANGE_EXPIRE ? "ended=yes" : "command=policy.revert");
    } else {
        snprintf(event->detail, sizeof(event->detail), "timed-layer-ended=%" PRId64, change->layer);
    }
}

void change_describe(struct change *change)
{
    struct event *event = &change->event;
    char span[UNITS_TEXT];

    *event = (struct event){.kind = EVENT_SETTINGS_CHANGED,
                            .domid = -1,
                            .uid = change->kind == CHANGE_EXPIRE ? -1 : (int64_t)change->uid};
    switch (change->kind) {
    case CHANGE_SET:
        event->vm = change->vm;
        describe_set(change);
        break;
    case CHANGE_IMPORT: /* each of its parts tells of itself */
        break;
    case CHANGE_FORGET:
        event->vm = change->vm;
        snprintf(event->detail, sizeof(event->detail), "forgotten=yes command=vm.forget");
        break;
    case CHANGE_APPLY:
        event->kind = EVENT_POLICY_APPLIED;
        snprintf(event->detail, sizeof(event->detail), "policy=%s%s%s command=policy.apply",
                 change->policy->name, change->for_ms > 0 ? " for=" : "",
                 change->for_ms > 0 ? duration_format(change->for_ms, span) : "");
        break;
    case CHANGE_REVERT:
    case CHANGE_EXPIRE:
        describe_end(change);
        break;
    }
}
