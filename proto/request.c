/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests, read strictly. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "proto/internal.h"
#include "proto/proto.h"

struct proto_request {
    json_t *root;       /* owned */
    json_t *params;     /* within root; NULL none */
    const char *method; /* within root */
    char id_text[PROTO_ID_MAX];
};

/* jansson's own depth limit is a constant of its build; a line is measured before it is parsed. */
static bool too_deep(const char *line, size_t length)
{
    int depth = 0;
    bool in_text = false;

    for (size_t i = 0; i < length; i++) {
        if (in_text && line[i] == '\\')
            i++;
        else if (line[i] == '"')
            in_text = !in_text;
        else if (!in_text && (line[i] == '{' || line[i] == '['))
            depth++;
        else if (!in_text && (line[i] == '}' || line[i] == ']'))
            depth--;
        if (depth > PROTO_DEPTH_MAX)
            return true;
    }
    return false;
}

json_t *proto_parse(const char *line, size_t length, struct err *err)
{
    json_error_t where;
    json_t *root;

    if (too_deep(line, length)) {
        err_set(err, ERR_INVALID, "nested deeper than %d", PROTO_DEPTH_MAX);
        return NULL;
    }
    root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        err_set(err, ERR_INVALID, "not JSON: %s at byte %d", where.text, where.position);
    else if (!json_is_object(root))
        err_set(err, ERR_INVALID, "not a JSON object");
    else
        return root;
    json_decref(root);
    return NULL;
}

/* An id is a whole number or a short text; both are echoed as they came. */
static int read_id(const json_t *id, char *out, struct err *err)
{
    char *text;
    bool fits;

    if (!id) {
        out[0] = '\0';
        return 0;
    }
    if (json_is_integer(id)) {
        snprintf(out, PROTO_ID_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
        return 0;
    }
    text = json_is_string(id) ? json_dumps(id, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    fits = text && strlen(text) < PROTO_ID_MAX;
    if (fits)
        strcpy(out, text);
    free(text);
    return fits ? 0 : err_set(err, ERR_INVALID, "id is neither a whole number nor a short text");
}

static int check_members(json_t *root, struct err *err)
{
    static const char *const known[] = {"jsonrpc", "id", "method", "params"};
    const char *key;
    json_t *value;

    json_object_foreach(root, key, value)
    {
        bool found = false;

        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
            found |= strcmp(key, known[i]) == 0;
        if (!found)
            return err_set(err, ERR_INVALID, "a request has no member '%.40s'", key);
    }
    return 0;
}

static int read_envelope(struct proto_request *request, struct err *err)
{
    const char *version = json_string_value(json_object_get(request->root, "jsonrpc"));

    if (!version || strcmp(version, "2.0") != 0)
        return err_set(err, ERR_INVALID, "\"jsonrpc\": \"2.0\" is missing");
    if (check_members(request->root, err))
        return -1;
    request->method = json_string_value(json_object_get(request->root, "method"));
    if (!request->method)
        return err_set(err, ERR_INVALID, "method is missing");
    request->params = json_object_get(request->root, "params");
    if (request->params && !json_is_object(request->params))
        return err_set(err, ERR_INVALID, "params is not an object");
    return 0;
}

int proto_request_decode(const char *line, size_t length, struct proto_request **out, char *id_text,
                         struct err *err)
{
    struct proto_request *request = calloc(1, sizeof(*request));

    invariant(request);
    strcpy(id_text, "null");
    request->root = proto_parse(line, length, err);
    if (!request->root || read_id(json_object_get(request->root, "id"), request->id_text, err))
        goto failed;
    if (request->id_text[0] != '\0')
        strcpy(id_text, request->id_text);
    if (read_envelope(request, err))
        goto failed;
    *out = request;
    return 0;
failed:
    proto_request_free(request);
    return -1;
}

void proto_request_free(struct proto_request *request)
{
    if (!request)
        return;
    json_decref(request->root);
    free(request);
}

const char *proto_request_method(const struct proto_request *request)
{
    return request->method;
}

const char *proto_request_id(const struct proto_request *request)
{
    return request->id_text;
}

static const struct proto_param *find_param(const struct proto_param *params, const char *name)
{
    for (; params->name; params++)
        if (strcmp(params->name, name) == 0)
            return params;
    return NULL;
}

static bool all_texts(const json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        if (!json_is_string(value))
            return false;
    }
    return true;
}

static bool has_type(const json_t *value, enum proto_type type)
{
    switch (type) {
    case PROTO_TEXT:
        return json_is_string(value);
    case PROTO_INTEGER:
        return json_is_integer(value);
    case PROTO_BOOLEAN:
        return json_is_boolean(value);
    case PROTO_TEXTS:
        return json_is_object(value) && all_texts(value);
    }
    return false;
}

int proto_request_check(const struct proto_request *request, const struct proto_param *params,
                        struct err *err)
{
    static const char *const types[] = {
        [PROTO_TEXT] = "a text",
        [PROTO_INTEGER] = "a whole number",
        [PROTO_BOOLEAN] = "true or false",
        [PROTO_TEXTS] = "an object of texts",
    };
    const char *key;
    json_t *value;

    json_object_foreach(request->params, key, value)
    {
        const struct proto_param *param = find_param(params, key);

        if (!param)
            return err_set(err, ERR_INVALID, "%s has no parameter '%.40s'", request->method, key);
        if (!has_type(value, param->type))
            return err_set(err, ERR_INVALID, "%s: parameter '%s' is not %s", request->method, key,
                           types[param->type]);
    }
    for (; params->name; params++)
        if (params->required && !json_object_get(request->params, params->name))
            return err_set(err, ERR_INVALID, "%s: parameter '%s' is missing", request->method,
                           params->name);
    return 0;
}

const char *proto_request_text(const struct proto_request *request, const char *name,
                               const char *absent)
{
    const json_t *value = json_object_get(request->params, name);

    return value ? json_string_value(value) : absent;
}

int64_t proto_request_integer(const struct proto_request *request, const char *name, int64_t absent)
{
    const json_t *value = json_object_get(request->params, name);

    return value ? json_integer_value(value) : absent;
}

bool proto_request_boolean(const struct proto_request *request, const char *name, bool absent)
{
    const json_t *value = json_object_get(request->params, name);

    return value ? json_is_true(value) : absent;
}

int proto_request_each(const struct proto_request *request, const char *name,
                       int (*visit)(void *arg, const char *key, const char *value), void *arg)
{
    json_t *texts = json_object_get(request->params, name);
    const char *key;
    json_t *value;
    int rc;

    json_object_foreach(texts, key, value)
    {
        rc = visit(arg, key, json_string_value(value));
        if (rc)
            return rc;
    }
    return 0;
}
