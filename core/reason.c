/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/reason.h"

#include <stdarg.h>
#include <stdio.h>

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
    [REASON_RETURN] = {"return", "it gets back what it gave for a start that came to nothing"},
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

/* --- refusals --------------------------------------------------------------------------------
 */

const char *reason_refusal_name(enum refusal_code code)
{
    static const char *const names[REFUSAL_COUNT] = {
        [REFUSAL_NO_MEMORY] = "no-memory",
        [REFUSAL_NOT_GIVEN] = "not-given",
        [REFUSAL_WAITED] = "waited",
    };

    return names[code];
}

/* A sentence in the making: what has no room any more is cut. */
struct sentence {
    char *text;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct sentence *sentence, const char *format,
                                                      ...)
{
    size_t room = REFUSAL_TEXT - sentence->length;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(sentence->text + sentence->length, room, format, args);
    va_end(args);
    if (length > 0)
        sentence->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void add_what(struct sentence *sentence, const struct refusal *refusal)
{
    char size[UNITS_TEXT], time[UNITS_TEXT];

    kib_format(refusal->size, size);
    duration_format(refusal->waited_ms, time);
    switch (refusal->code) {
    case REFUSAL_NOT_GIVEN:
        add(sentence, "guests did not give %s within %s", size, time);
        return;
    case REFUSAL_WAITED:
        add(sentence, "there was not enough memory for %s within %s", size, time);
        return;
    default:
        add(sentence, "not enough memory for %s", size);
    }
}

const char *reason_refusal_text(const struct refusal *refusal, const char *const *names,
                                char out[REFUSAL_TEXT])
{
    struct sentence sentence = {out, 0};
    char now[UNITS_TEXT], freeable[UNITS_TEXT], amount[UNITS_TEXT];

    add_what(&sentence, refusal);
    add(&sentence, ": %s there, %s could be freed for priority %d", kib_format(refusal->now, now),
        kib_format(refusal->freeable, freeable), refusal->priority);
    if (refusal->ahead.v > 0)
        add(&sentence, ", %s of that for starts that came before",
            kib_format(refusal->ahead, amount));
    add(&sentence, "; held by %s", refusal->n_holders == 0 ? "nobody" : "");
    for (size_t i = 0; i < refusal->n_holders; i++)
        add(&sentence, "%s%.40s%s %s", i > 0 ? ", " : "", names[i],
            refusal->holders[i].unresponsive ? " (does not respond)" : "",
            kib_format(refusal->holders[i].holds, amount));
    return out;
}
