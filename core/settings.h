/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings that operators give: one table for a VM's, one for the host's.
 *
 * A setting travels as key and int64_t through files, database and wire (sizes in KiB, choices as
 * their index, yes/no as 1/0), so that a new one is one row in a table here. Layers (base,
 * policies, `set
 * --for`) are partial; the effective value is that of the newest layer that has the key, else the
 * table's default.
 */
#ifndef CORE_SETTINGS_H
#define CORE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

struct err;

enum setting_type {
    SETTING_SIZE,     /* KiB; text "512m" */
    SETTING_INTEGER,  /* a plain whole number */
    SETTING_PERCENT,  /* a plain whole number of percent */
    SETTING_DURATION, /* ms; text "30s"; "0" or "0s" where the range has it */
    SETTING_CHOICE,   /* index into choices; text is the choice's name */
    SETTING_BOOLEAN,  /* 0 or 1; text "yes" or "no" */
};

/* One row of a settings table. */
struct setting_def {
    const char *name;       /* as typed and as in files: "minimum" */
    const char *wire_name;  /* as in JSON and CSV: "minimum_kib" */
    enum setting_type type; /* how its text reads */
    int64_t low, high;      /* accepted range, inclusive */
    int64_t fallback; /* default; SETTING_UNSET where it is derived (see vm_settings_resolve) */
    const char *const *choices; /* NULL-terminated names, for SETTING_CHOICE */
    const char *help;           /* one line, for man pages and errors */
};

#define SETTING_UNSET INT64_MIN

/* --- a VM's settings ------------------------------------------------------------------------- */

enum vm_key {
    VM_KEY_STARTUP,  /* memory that it has from power-on until its guest speaks */
    VM_KEY_MINIMUM,  /* never shrunk below */
    VM_KEY_MAXIMUM,  /* never grown above */
    VM_KEY_BUFFER,   /* percent of demand kept spare */
    VM_KEY_PRIORITY, /* who receives first under scarcity */
    VM_KEY_MODE,     /* dynamic, static, ignored */
    VM_KEY_TRUST,    /* may a floor that the guest reports bind? */
    VM_KEY_COUNT
};

enum vm_mode { VM_MODE_IGNORED, VM_MODE_STATIC, VM_MODE_DYNAMIC };

extern const struct setting_def vm_setting_defs[VM_KEY_COUNT];

/* Effective settings of one VM; always consistent: minimum ≤ startup ≤ maximum ≤ KIB_LIMIT. */
struct vm_settings {
    struct kib startup, minimum, maximum;
    enum vm_mode mode;
    int16_t buffer_percent; /* 5–2000 */
    int8_t priority;        /* 0–100, 100 the most important */
    bool trust;
};

/* --- the host's settings --------------------------------------------------------------------- */

enum host_key {
    HOST_KEY_RESERVE,  /* never given to guests */
    HOST_KEY_HEADROOM, /* kept free for the next start, as far as VMs have memory to spare */
    HOST_KEY_SURPLUS,  /* keep, hold, share: what becomes of memory that nobody needs */
    HOST_KEY_ACTION,   /* balance, observe */
    HOST_KEY_BLIND,    /* may guests without fresh need be shrunk for a start of higher priority? */
    HOST_KEY_DEMAND_HALF_LIFE, /* how slowly a fall of need is believed */
    HOST_KEY_DEMAND_LEAD,      /* percent of need by which a rise is taken to go on, at most */
    HOST_KEY_COUNT
};

enum surplus { SURPLUS_KEEP, SURPLUS_HOLD, SURPLUS_SHARE };
enum host_action { HOST_ACTION_BALANCE, HOST_ACTION_OBSERVE };

extern const struct setting_def host_setting_defs[HOST_KEY_COUNT];

struct host_settings {
    struct kib reserve, headroom;
    enum surplus surplus;
    enum host_action action;
    bool blind;
    int64_t demand_half_life_ms; /* 0: a fall is believed at once */
    int32_t demand_lead_percent; /* 0–25 */
};

/* --- layers ---------------------------------------------------------------------------------- */

#define SETTINGS_MAX_KEYS 16

/* What one layer says of one VM or of the host. Zeroed, it says nothing. */
struct setting_partial {
    uint32_t has;                     /* bit k: key k is said */
    int64_t value[SETTINGS_MAX_KEYS]; /* meaningful where its bit is set */
};

/* The index of the setting named so, by name or wire name; −1 where there is none. */
int setting_find(const struct setting_def *defs, size_t n_defs, const char *name);

/* Reads text as def wants it. 0, or −1 with ERR_INVALID naming the setting, the value and the rule.
 */
int setting_parse(const struct setting_def *def, const char *text, int64_t *out, struct err *err);

/* Checks a value that came as a number. 0, or −1 with ERR_INVALID. */
int setting_check(const struct setting_def *def, int64_t value, struct err *err);

/* Writes the value as setting_parse reads it. Returns buf. */
const char *setting_format(const struct setting_def *def, int64_t value, char *buf, size_t room);

void setting_put(struct setting_partial *partial, unsigned key, int64_t value);
bool setting_has(const struct setting_partial *partial, unsigned key);

/*
 * Settings that nobody gave follow from the domain: startup from its current target (first seen),
 * maximum from its static-max, minimum from startup; a domain that does not run has startup =
 * minimum = maximum = whichever of them is given. Zero amounts mean unknown.
 */
struct vm_natural {
    struct kib target;     /* the memory it was built with */
    struct kib static_max; /* the most that it can ever use */
};

/*
 * The effective settings of a VM from its layers, newest first. Returns 0, or −1 with ERR_INVALID
 * naming both values where the outcome breaks minimum ≤ startup ≤ maximum; *out is then consistent
 * all the same (startup and minimum cut to maximum, minimum cut to startup) so that a running
 * daemon can go on.
 */
int vm_settings_resolve(const struct setting_partial *const *layers, size_t n_layers,
                        struct vm_natural natural, struct vm_settings *out, struct err *err);

/* The same for the host; it cannot fail. */
void host_settings_resolve(const struct setting_partial *const *layers, size_t n_layers,
                           struct host_settings *out);

/* The other way: the value of each key. */
void vm_settings_values(const struct vm_settings *settings, int64_t out[VM_KEY_COUNT]);
void host_settings_values(const struct host_settings *settings, int64_t out[HOST_KEY_COUNT]);

#endif
