/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How soon the next of many occasions may be taken: the first ones after a quiet time at once, all
 * others evenly. Pure. */
#ifndef DAEMON_PACE_H
#define DAEMON_PACE_H

#include <stdint.h>

struct pace {
    int64_t gap_ms; /* between two of many */
    int64_t burst;  /* so many at once after a quiet time */
    int64_t due_ms; /* when the next would be due if none were ever taken ahead of time */
};

/* Takes the next occasion: how many ms after now_ms it may be used; 0 at once. */
int64_t pace_take(struct pace *pace, int64_t now_ms);

#endif
