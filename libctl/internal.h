/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the library's files know of each other. */
#ifndef LIBCTL_INTERNAL_H
#define LIBCTL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libctl/xenmemctl.h"
#include "proto/proto.h"

struct err;

struct xenmemctl {
    int fd;                       /* −1: the I/O is the caller's */
    struct proto_lines lines;     /* in */
    char *output;                 /* owned; what is to be sent begins at sent */
    size_t sent, length, room;    /* of the output */
    int64_t last_id;              /* of the last request */
    bool ended;                   /* the server closed its end */
    bool deaf;                    /* the server takes nothing more, but may have last words */
    bool greeted;                 /* hello was there, and fits */
    struct proto_message hello;   /* kept for its texts */
    struct xenmemctl_error error; /* code OK: none yet */
    struct xenmemctl_message *first, *last; /* came while another one was waited for */
    size_t n_waiting;
};

struct xenmemctl_message {
    enum xenmemctl_kind kind;
    struct proto_message proto;
    struct xenmemctl_error error; /* of a refusal */
    struct xenmemctl_message *next;
};

/* Fills *error (NULL: dropped) and returns −1. Control characters become '?'. */
__attribute__((format(printf, 3, 4))) int
error_set(struct xenmemctl_error *error, enum xenmemctl_code code, const char *format, ...);

/* The same from a struct err. */
int error_from(struct xenmemctl_error *error, const struct err *err);

/* "context: " in front of what is there. Returns −1. */
int error_wrap(struct xenmemctl_error *error, const char *context);

/* The connection fails, for good, with what error_set makes of the rest. Returns −1. */
__attribute__((format(printf, 4, 5))) int connection_fail(struct xenmemctl *connection,
                                                          struct xenmemctl_error *error,
                                                          enum xenmemctl_code code,
                                                          const char *format, ...);

/* The memory or the end of the program. */
void *memory_more(void *bytes, size_t size);

/* The request's method and parameters; valid as long as the request. */
const char *request_method(const struct xenmemctl_request *request);
const char *request_params(struct xenmemctl_request *request, size_t *length);

#endif
