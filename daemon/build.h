/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a toolstack should build a VM with, by what is set and known of it: the one place that says
 * so, for `start` and for reservations without a size. */
#ifndef DAEMON_BUILD_H
#define DAEMON_BUILD_H

#include "core/build.h"

struct daemon;
struct err;
struct layers;

/*
 * Puts startup and maximum as the layers say in place of memory and maxmem; where they say nothing,
 * or the VM is ignored, what is there stays.
 */
void build_apply_settings(const struct layers *layers, const char *name, struct build *build);

/*
 * What a VM of that name will be built with, without its toolstack's configuration: by its
 * settings, and by what it was built with when it was last seen. 0, or −1: ERR_NOT_FOUND where
 * nothing is known of that name, ERR_INVALID where nothing says what it starts with.
 */
int build_of_known(const struct daemon *daemon, const char *name, struct build *out,
                   struct err *err);

#endif
