/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/clients/audit.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "daemon/daemon.h"
#include "daemon/events.h"

#define MINUTE_MS 60000

void audit_refused(struct audit *audit, struct daemon *daemon, const char *method, uid_t uid,
                   const struct err *err, int64_t now_ms)
{
    struct event event = {.kind = EVENT_CHANGE_REFUSED, .domid = -1, .uid = (int64_t)uid};
    char untold[48] = "";

    if (audit->minute_ms == 0 || now_ms - audit->minute_ms >= MINUTE_MS) {
        audit->minute_ms = now_ms;
        audit->told = 0;
    }
    if (audit->told == AUDIT_BURST) {
        audit->untold++;
        return;
    }
    if (audit->untold > 0)
        snprintf(untold, sizeof(untold), " untold_before=%" PRId64, audit->untold);
    audit->told++;
    audit->untold = 0;
    snprintf(event.detail, sizeof(event.detail), "command=%s code=%s%s why=\"%s\"", method,
             err_code_name(err->code), untold, err->text);
    events_raise(daemon->events, &event);
}
