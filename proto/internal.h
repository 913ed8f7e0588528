/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the readers of both ends. */
#ifndef PROTO_INTERNAL_H
#define PROTO_INTERNAL_H

#include <jansson.h>
#include <stddef.h>

struct err;

/* One object, bounded in depth, no key twice. NULL and err where it is not. */
json_t *proto_parse(const char *line, size_t length, struct err *err);

#endif
