/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "libctl/internal.h"

struct xenmemctl_request {
    char *method;                /* owned */
    struct proto_writer *params; /* one object, which is open until it is sent */
    size_t depth;                /* objects within it that are open */
};

struct xenmemctl_request *xenmemctl_request_new(const char *method)
{
    struct xenmemctl_request *request = memory_more(NULL, sizeof(*request));

    request->depth = 0;
    request->method = strdup(method);
    invariant(request->method);
    request->params = proto_writer_new();
    proto_object_begin(request->params, NULL);
    return request;
}

void xenmemctl_request_free(struct xenmemctl_request *request)
{
    if (!request)
        return;
    proto_writer_free(request->params);
    free(request->method);
    free(request);
}

void xenmemctl_request_text(struct xenmemctl_request *request, const char *name, const char *text)
{
    proto_put_text(request->params, name, text);
}

void xenmemctl_request_integer(struct xenmemctl_request *request, const char *name, int64_t value)
{
    proto_put_integer(request->params, name, value);
}

void xenmemctl_request_boolean(struct xenmemctl_request *request, const char *name, bool value)
{
    proto_put_boolean(request->params, name, value);
}

void xenmemctl_request_object_begin(struct xenmemctl_request *request, const char *name)
{
    proto_object_begin(request->params, name);
    request->depth++;
}

void xenmemctl_request_object_end(struct xenmemctl_request *request)
{
    invariant(request->depth > 0);
    proto_object_end(request->params);
    request->depth--;
}

const char *request_method(const struct xenmemctl_request *request)
{
    return request->method;
}

const char *request_params(struct xenmemctl_request *request, size_t *length)
{
    while (request->depth > 0)
        xenmemctl_request_object_end(request);
    proto_object_end(request->params);
    return proto_writer_bytes(request->params, length);
}
