/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A request to set something of a VM: read, held to the rules, and what it would come to. */
#ifndef DAEMON_METHODS_SET_REQUEST_H
#define DAEMON_METHODS_SET_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "core/settings.h"
#include "daemon/registry.h"

struct daemon;
struct err;
struct proto_request;

#define SET_WARNINGS_MAX 5
#define SET_WARNING_TEXT 256

struct set_request {
    char name[HV_NAME_MAX];
    struct setting_partial said;
    int64_t for_ms;             /* 0: for good */
    struct vm_settings outcome; /* effective, once it is in force */
    struct vm_entry vm;         /* a copy of the VM's entry; nameless but for .name where unknown */
    char warnings[SET_WARNINGS_MAX][SET_WARNING_TEXT];
    size_t n_warnings;
};

/*
 * Reads the parameters of vm.set. 0, or −1 with ERR_INVALID naming the value and the rule; nothing
 * was changed in either case. With "force", a VM may be given a startup that this host can never
 * have free.
 */
int set_request_read(struct set_request *set, struct daemon *daemon,
                     const struct proto_request *request, struct err *err);

/* May a VM be called so? 0, or −1 ERR_INVALID. */
int set_request_check_name(const char *name, struct err *err);

/* Takes the VM in again, after its settings were changed, and warns of an override that stays. */
void set_request_refresh(struct set_request *set, struct daemon *daemon);

#endif
