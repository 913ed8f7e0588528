/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/err.h"
#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/hooks/hook_files.h"
#include "daemon/hooks/hooks.h"
#include "daemon/methods/methods.h"
#include "daemon/options.h"
#include "proto/proto.h"

static void put_files(struct proto_writer *writer, const struct hook_files *files)
{
    proto_array_begin(writer, "hooks");
    for (size_t i = 0; i < files->count; i++) {
        const struct hook_file *file = &files->files[i];

        proto_object_begin(writer, NULL);
        proto_put_text(writer, "event", file->event);
        proto_put_text(writer, "path", file->path);
        proto_put_text(writer, "state", file->refused[0] ? "refused" : "ready");
        proto_put_text(writer, "why", file->refused[0] ? file->refused : NULL);
        proto_object_end(writer);
    }
    proto_array_end(writer);
}

void method_hooks_list(struct daemon *daemon, struct call *call,
                       const struct proto_request *request)
{
    const char *folder = daemon->options->hooks_folder;
    struct hook_files files;
    struct proto_writer *writer;

    if (!method_accept(call, request, method_no_params))
        return;
    hooks_find(daemon, &files);
    writer = call_answer_begin(call);
    proto_object_begin(writer, NULL);
    proto_put_text(writer, "folder", folder);
    proto_put_integer(writer, "running", (int64_t)hooks_running(daemon->hooks));
    proto_put_integer(writer, "queued", (int64_t)hooks_queued(daemon->hooks));
    proto_put_integer(writer, "dropped", hooks_dropped(daemon->hooks));
    put_files(writer, &files);
    proto_object_end(writer);
    call_answer_end(call);
    hook_files_fini(&files);
}

static void on_tested(void *arg, const struct hook_outcome *outcomes, size_t count)
{
    struct call *call = arg;
    struct proto_writer *writer = call_answer_begin(call);

    proto_array_begin(writer, NULL);
    for (size_t i = 0; i < count; i++) {
        proto_object_begin(writer, NULL);
        proto_put_text(writer, "path", outcomes[i].path);
        proto_put_boolean(writer, "ok", outcomes[i].ok);
        proto_put_text(writer, "result", outcomes[i].result);
        proto_put_integer(writer, "took_ms", outcomes[i].took_ms);
        proto_put_text(writer, "output", outcomes[i].output);
        proto_object_end(writer);
    }
    proto_array_end(writer);
    call_answer_end(call);
}

void method_hooks_test(struct daemon *daemon, struct call *call,
                       const struct proto_request *request)
{
    static const struct proto_param params[] = {{"event", PROTO_TEXT, true},
                                                {NULL, PROTO_TEXT, false}};
    const char *event;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    event = proto_request_text(request, "event", "");
    if (!event_is_told(event)) {
        err_set(&err, ERR_NOT_FOUND, "there is no event '%.40s'; xenmemd.conf(5) has their names",
                event);
        call_fail(call, &err);
        return;
    }
    if (!hooks_test(daemon->hooks, event, on_tested, call)) {
        err_set(&err, ERR_BUSY, "too many hooks wait already: try again later");
        call_fail(call, &err);
    }
}
