/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/reason.h"

static const struct {
    const char *name, *text;
} reasons[REASON_COUNT] = {
    [REASON_KEEP] = {"keep", "it has what it wants"},
    [REASON_NOT_MANAGED] = {"not-managed", "its mode is ignored: it is never touched"},
    [REASON_STATE] = {"state", "only domains that run normally are touched"},
    [REASON_OVERRIDE] =
        {"override",
         "its target was set by hand; `set` or `balance --clear-overrides` takes that back"},
    [REASON_NO_DATA] = {"no-data", "nothing fresh is known of its need: it keeps what it has"},
    [REASON_STATIC] = {"static", "its mode is static: it has its startup memory"},
    [REASON_BOUND_LOW] = {"bound-low",
                          "it was below its minimum, or below what its guest needs to live"},
    [REASON_BOUND_HIGH] = {"bound-high", "it was above its maximum"},
    [REASON_GROW_DEMAND] = {"grow-demand", "its need, with its buffer, is more than it has"},
    [REASON_SCARCE] = {"scarce", "there is not enough for everybody: shared by priority"},
    [REASON_GIVE] = {"give",
                     "it has more than it wants, and others or the host's headroom need it"},
    [REASON_HOLD] = {"hold", "surplus = hold: what it does not want goes back to the host"},
    [REASON_SHARE] = {"share", "surplus = share: its part of what is left over"},
    [REASON_UNRESPONSIVE] = {"unresponsive",
                             "it did not follow its target; it will be tried again"},
    [REASON_CAP_EXCESS] = {"cap-excess", "its cap was above what it is entitled to"},
    [REASON_CAP_SHORT] = {"cap-short", "its cap was below what its target needs"},
    [REASON_RESTORE] = {"restore",
                        "more was promised than there is: only what restores it is done"},
};

const char *reason_name(enum reason reason)
{
    return reasons[reason].name;
}

const char *reason_text(enum reason reason)
{
    return reasons[reason].text;
}
