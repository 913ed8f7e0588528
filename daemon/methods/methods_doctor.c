/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/methods/doctor.h"
#include "daemon/methods/methods.h"
#include "proto/proto.h"

static void put_finding(void *arg, const struct finding *finding)
{
    struct proto_writer *answer = arg;

    proto_object_begin(answer, NULL);
    proto_put_text(answer, "check", finding->check);
    proto_put_text(answer, "level", finding_level_name(finding->level));
    proto_put_text(answer, "vm", finding->vm);
    proto_put_text(answer, "text", finding->text);
    proto_put_text(answer, "advice", finding->advice);
    proto_object_end(answer);
}

void method_doctor(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    struct proto_writer *answer;

    if (!method_accept(call, request, method_no_params))
        return;
    answer = call_answer_begin(call);
    proto_array_begin(answer, NULL);
    doctor_look(daemon, put_finding, answer);
    proto_array_end(answer);
    call_answer_end(call);
}
