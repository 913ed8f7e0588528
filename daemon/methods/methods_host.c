/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/methods/describe.h"
#include "daemon/methods/methods.h"
#include "hv/hv.h"
#include "proto/proto.h"

void method_host_get(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    struct proto_node nodes[HV_MAX_NODES];
    struct proto_host host;

    if (!method_accept(call, request, method_no_params))
        return;
    describe_host(daemon, nodes, &host);
    proto_put_host(call_answer_begin(call), NULL, &host);
    call_answer_end(call);
}
