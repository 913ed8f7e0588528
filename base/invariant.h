/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of what the code itself promises. They stay on in releases and never check input. */
#ifndef BASE_INVARIANT_H
#define BASE_INVARIANT_H

/* Says on stderr what was found untrue, and aborts: going on would act on a wrong picture. */
__attribute__((noreturn, cold)) void invariant_failed(const char *what, const char *file, int line);

#define invariant(condition)                                                                       \
    (__builtin_expect(!!(condition), 1) ? (void)0                                                  \
                                        : invariant_failed(#condition, __FILE__, __LINE__))

#endif
