/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/err.h"
#include "daemon/daemon.h"
#include "daemon/memory.h"
#include "daemon/methods/methods.h"
#include "daemon/settings/changes.h"
#include "daemon/settings/settings_text.h"
#include "db/db.h"
#include "proto/proto.h"

/* --- backup ------------------------------------------------------------------------------------
 */

void method_db_backup(struct daemon *daemon, struct call *call, const struct proto_request *request)
{
    static const struct proto_param params[] = {{"file", PROTO_TEXT, true},
                                                {NULL, PROTO_TEXT, false}};
    struct err err;

    if (!method_accept(call, request, params))
        return;
    if (db_backup(daemon->db, proto_request_text(request, "file", ""), call_answer_done, call,
                  &err))
        call_fail(call, &err);
}

/* --- settings as text --------------------------------------------------------------------------
 */

void method_settings_export(struct daemon *daemon, struct call *call,
                            const struct proto_request *request)
{
    struct proto_writer *answer;
    char *text;

    if (!method_accept(call, request, method_no_params))
        return;
    text = settings_text_write(daemon);
    answer = call_answer_begin(call);
    proto_object_begin(answer, NULL);
    proto_put_text(answer, "text", text);
    proto_object_end(answer);
    call_answer_end(call);
    free(text);
}

/* An import on its way to the disk. */
struct import_call {
    struct call *call;
    size_t n_vms;
};

static void answer_import(struct call *call, size_t n_vms)
{
    struct proto_writer *answer = call_answer_begin(call);

    proto_object_begin(answer, NULL);
    proto_put_integer(answer, "vms", (int64_t)n_vms);
    proto_object_end(answer);
    call_answer_end(call);
}

static void on_imported(void *arg, int rc, const struct err *err)
{
    struct import_call *import = arg;

    if (rc)
        call_fail(import->call, err);
    else
        answer_import(import->call, import->n_vms);
    free(import);
}

static void apply(struct daemon *daemon, struct call *call, const struct settings_text *text)
{
    struct import_call *import = memory_new(1, sizeof(*import));

    *import = (struct import_call){call, text->n_vms};
    changes_import(daemon->changes, text, call_uid(call), on_imported, import);
}

void method_settings_import(struct daemon *daemon, struct call *call,
                            const struct proto_request *request)
{
    static const struct proto_param params[] = {{"text", PROTO_TEXT, true},
                                                {"file", PROTO_TEXT, false},
                                                {"dry_run", PROTO_BOOLEAN, false},
                                                {NULL, PROTO_TEXT, false}};
    struct settings_text text;
    struct err err;

    if (!method_accept(call, request, params))
        return;
    if (settings_text_read(&text, daemon, proto_request_text(request, "file", "text"),
                           proto_request_text(request, "text", ""), &err))
        call_fail(call, &err);
    else if (proto_request_boolean(request, "dry_run", false))
        answer_import(call, text.n_vms);
    else
        apply(daemon, call, &text);
    settings_text_fini(&text);
}
