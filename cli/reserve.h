/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking for memory, as `reserve` and `start` do. */
#ifndef CLI_RESERVE_H
#define CLI_RESERVE_H

#include <stdint.h>

struct arguments;
struct cli;
struct xenmemctl_message;

/*
 * A reservation of size (NULL: of what the VM of that name will be built with), by the options
 * --wait, --priority and --hold; name and ttl may be NULL.
 * While it waits, stderr says how far it is. EXIT_DONE and *out, the reservation, which the caller
 * frees; or it complained.
 */
int reserve_memory(struct cli *cli, const struct arguments *arguments, const char *size,
                   const char *name, const char *ttl, struct xenmemctl_message **out);

/* Ends a reservation, where it did not end by itself; says nothing. */
void reserve_release(struct cli *cli, int64_t id);

#endif
