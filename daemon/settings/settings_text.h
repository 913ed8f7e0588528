/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All settings of VMs as text, to be kept, looked at, and read again: [vm NAME] and KEY = VALUE, as
 * in the configuration file. What `set` wrote is in it; what ends by itself is not.
 */
#ifndef DAEMON_SETTINGS_SETTINGS_TEXT_H
#define DAEMON_SETTINGS_SETTINGS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "core/settings.h"
#include "hv/hv.h"

struct daemon;
struct err;

/* What one section says. */
struct settings_text_vm {
    char name[HV_NAME_MAX];
    int64_t line; /* of its [vm NAME], from 1 */
    struct setting_partial said;
};

struct settings_text {
    struct settings_text_vm *vms; /* owned */
    size_t n_vms;
};

/* The text, to be freed. */
char *settings_text_write(const struct daemon *daemon);

/* Reads and checks all of it. 0, or −1 with ERR_INVALID, "FILE:LINE: what, why"; file is only what
 * errors call it. Both need settings_text_fini. */
int settings_text_read(struct settings_text *out, struct daemon *daemon, const char *file,
                       const char *text, struct err *err);
void settings_text_fini(struct settings_text *text);

#endif
