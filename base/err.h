/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one way to report a failure: return −1 and fill a struct err.
 *
 * It is filled once, where the failure arises; callers add their context in front ("start web1: set
 * target: …") and hand it up; it is logged or answered once, where it stops. Outcomes of the domain
 * ("there is not enough memory") are results, not errors, until they become somebody's answer.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

/* What kind of failure it is: stable, told to clients by name, and mapped to exit codes. */
enum err_code {
    ERR_NONE = 0,
    ERR_FAILED,      /* something went wrong that the caller could not have known */
    ERR_INVALID,     /* what was given is wrong; nothing was changed */
    ERR_NO_MEMORY,   /* the host's memory does not suffice for what was asked */
    ERR_NOT_FOUND,   /* no such VM, reservation, policy … */
    ERR_UNREACHABLE, /* the other side is not there */
    ERR_DENIED,      /* not permitted */
    ERR_TIMEOUT,     /* it took too long */
    ERR_BUSY,        /* somebody else is at it right now; trying again may help */
    ERR_UNSUPPORTED, /* not available on this host or in this build */
    ERR_CODE_COUNT
};

#define ERR_TEXT_MAX 480

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX]; /* one line for people: what, why, what to do */
};

/* Fills err (NULL: dropped) and returns −1. Control characters of the text become '?': it stays one
 * line. */
__attribute__((format(printf, 3, 4))) int err_set(struct err *err, enum err_code code,
                                                  const char *format, ...);

/* As err_set, with ": " and the text of errno_value behind it. */
__attribute__((format(printf, 4, 5))) int err_set_errno(struct err *err, enum err_code code,
                                                        int errno_value, const char *format, ...);

/* Puts context and ": " in front of what is there. Returns −1, so that `return err_wrap(…)` reads
 * well. */
__attribute__((format(printf, 2, 3))) int err_wrap(struct err *err, const char *format, ...);

/* Puts "; " and what to do about it behind what is there. Returns −1, as err_wrap does. */
__attribute__((format(printf, 2, 3))) int err_advise(struct err *err, const char *format, ...);

/* "invalid", "no-memory", …: the stable name on the wire. */
const char *err_code_name(enum err_code code);

/* The code of that name; ERR_FAILED where no code has it. */
enum err_code err_code_by_name(const char *name);

#endif
