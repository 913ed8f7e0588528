/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The live view: what was last heard of xenmemd, and drawing it. */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include <stdbool.h>
#include <stddef.h>

struct xenmemctl_message;
struct xenmemctl_value;

#define TOP_LINES   10 /* the smallest terminal that it fits */
#define TOP_COLUMNS 60

enum top_sort { SORT_NAME, SORT_ASSIGNED, SORT_DEMAND, SORT_PRESSURE, SORT_MAXIMUM };

struct top {
    struct xenmemctl_message *host, *vms, *events; /* last heard; NULL before. Owned */
    const struct xenmemctl_value **order;          /* VMs as they are shown; owned */
    size_t n_vms;
    size_t first; /* of order, the one in the first line */
    enum top_sort sort;
    bool simulated;
    char trouble[512]; /* why what is shown is old; "" it is not */
};

/* Puts order into the order of sort; VMs that are off come last. */
void top_arrange(struct top *top);

/* VMs that fit below each other on the screen as it is. */
size_t top_room(void);

/* Draws all of it with curses. */
void top_draw(struct top *top);

#endif
