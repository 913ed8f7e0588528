/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "daemon/methods/methods.h"
#include "daemon/metrics/metrics.h"
#include "proto/proto.h"

void method_metrics(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    char *text;

    if (!method_accept(call, request, method_no_params) || call_answer_again(call, SHARED_METRICS))
        return;
    text = metrics_text(daemon);
    proto_put_text(call_answer_begin(call), NULL, text);
    call_answer_end_shared(call, SHARED_METRICS);
    free(text);
}
