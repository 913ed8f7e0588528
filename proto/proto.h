/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The wire: JSON-RPC 2.0, one object a line, on a Unix socket. Both ends use this; nobody else
 * knows JSON.
 *
 * Server: feed bytes to struct proto_lines, take lines out, proto_request_decode each, look at its
 * parameters, and write the answer with a struct proto_writer. Client: the same lines,
 * proto_message_decode, and struct proto_value to look around in. Requests are read strictly
 * (unknown parameters are refused by name), replies tolerantly (unknown members are passed over).
 */
#ifndef PROTO_PROTO_H
#define PROTO_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define PROTO_VERSION     1
#define PROTO_REQUEST_MAX ((size_t)64 * 1024)       /* bytes of one request line */
#define PROTO_IMPORT_MAX  ((size_t)2 * 1024 * 1024) /* of those who may change settings: imports */
#define PROTO_REPLY_MAX                                                                            \
    ((size_t)64 * 1024 * 1024) /* bytes of one reply line that a client takes                      \
                                */
#define PROTO_DEPTH_MAX 16     /* nesting of objects and arrays */

/* --- bytes in, lines out ---------------------------------------------------------------------- */

/* Zeroed by proto_lines_init. It holds what was fed and not yet taken; of an unfinished line, no
 * more than limit. */
struct proto_lines {
    char *bytes;          /* owned; NULL while nothing waits */
    size_t start, length; /* the unread part */
    size_t searched;      /* of it, without a newline */
    size_t tail;          /* of it, the last line, which has no newline yet */
    size_t room;
    size_t limit; /* bytes of a line, without its newline */
};

void proto_lines_init(struct proto_lines *lines, size_t limit);
void proto_lines_fini(struct proto_lines *lines);

/* Takes bytes in. 0, or −1 ERR_INVALID where a line is longer than the limit: nothing of the bytes
 * was taken, and the connection is of no more use. */
int proto_lines_feed(struct proto_lines *lines, const void *bytes, size_t length, struct err *err);

/* The next whole line without its newline, valid until the next call; NULL where there is none yet.
 */
const char *proto_lines_next(struct proto_lines *lines, size_t *length);

/* --- requests, as the server reads them --------------------------------------------------------
 */

struct proto_request;

/* How a request is answered to: its id as JSON text. */
#define PROTO_ID_MAX 80

/*
 * Reads one line. 0, or −1 with ERR_INVALID; id_text (PROTO_ID_MAX bytes) is then the request's id
 * if that much could be read, else "null".
 */
int proto_request_decode(const char *line, size_t length, struct proto_request **out, char *id_text,
                         struct err *err);
void proto_request_free(struct proto_request *request);

const char *proto_request_method(const struct proto_request *request);

/* The id as JSON text, for the answer; "" for a notification, which is not answered. */
const char *proto_request_id(const struct proto_request *request);

/* What a method takes. */
enum proto_type {
    PROTO_TEXT,
    PROTO_INTEGER,
    PROTO_BOOLEAN,
    PROTO_TEXTS /* object of texts: {"minimum": "1g"} */
};
struct proto_param {
    const char *name;
    enum proto_type type;
    bool required;
};

/* Checks all parameters against the table (ended by a NULL name). 0, or −1 ERR_INVALID naming the
 * one that is wrong. */
int proto_request_check(const struct proto_request *request, const struct proto_param *params,
                        struct err *err);

/* After the check: the value, or what is given for absent. Texts are borrowed from the request. */
const char *proto_request_text(const struct proto_request *request, const char *name,
                               const char *absent);
int64_t proto_request_integer(const struct proto_request *request, const char *name,
                              int64_t absent);
bool proto_request_boolean(const struct proto_request *request, const char *name, bool absent);

/* Calls visit for each pair of a PROTO_TEXTS parameter until it returns other than 0; returns that,
 * or 0. */
int proto_request_each(const struct proto_request *request, const char *name,
                       int (*visit)(void *arg, const char *key, const char *value), void *arg);

/* --- writing -----------------------------------------------------------------------------------
 */

/* Builds lines of JSON. It grows as needed and aborts when there is no memory. */
struct proto_writer;

struct proto_writer *proto_writer_new(void);
void proto_writer_free(struct proto_writer *writer);

/* What was written so far; borrowed, without a NUL, and NULL where nothing ever was.
 * proto_writer_clear begins anew. */
const char *proto_writer_bytes(const struct proto_writer *writer, size_t *length);
void proto_writer_clear(struct proto_writer *writer);

/* Lines. An answer's result is one value between begin and end; a notification's is its params. */
void proto_write_hello(struct proto_writer *writer, const char *server, bool simulated,
                       const char *const *features);
void proto_write_error(struct proto_writer *writer, const char *id_text, const struct err *err);

/* The same, with members besides the name in its data: those that are put between begin and end. */
void proto_error_begin(struct proto_writer *writer, const char *id_text, const struct err *err);
void proto_error_end(struct proto_writer *writer);
void proto_write_unknown_method(struct proto_writer *writer, const char *id_text,
                                const char *method);
void proto_reply_begin(struct proto_writer *writer, const char *id_text);
void proto_reply_end(struct proto_writer *writer);
void proto_notification_begin(struct proto_writer *writer, const char *method);
void proto_notification_end(struct proto_writer *writer);
void proto_request_begin(struct proto_writer *writer, int64_t id, const char *method);
void proto_request_end(struct proto_writer *writer);

/* Values; key is NULL inside arrays and for a whole result. Text that is not UTF-8 is repaired with
 * '?'. */
void proto_object_begin(struct proto_writer *writer, const char *key);
void proto_object_end(struct proto_writer *writer);
void proto_array_begin(struct proto_writer *writer, const char *key);
void proto_array_end(struct proto_writer *writer);
void proto_put_text(struct proto_writer *writer, const char *key,
                    const char *text); /* NULL: null */
void proto_put_integer(struct proto_writer *writer, const char *key, int64_t value);
void proto_put_boolean(struct proto_writer *writer, const char *key, bool value);
void proto_put_null(struct proto_writer *writer, const char *key);

/* --- messages, as the client reads them --------------------------------------------------------
 */

enum proto_message_kind { PROTO_HELLO, PROTO_RESULT, PROTO_ERROR, PROTO_NOTIFICATION };

/* Any JSON value; borrowed from its message. */
struct proto_value;

struct proto_message {
    enum proto_message_kind kind;
    int64_t id;                      /* of the request, for results and errors; −1 none */
    const char *method;              /* of notifications */
    const struct proto_value *value; /* result, or params */
    void *root;                      /* owned */
};

/*
 * Reads one line. 0, or −1 ERR_INVALID. A PROTO_ERROR has its failure in *failure. To be released
 * with proto_message_fini.
 */
int proto_message_decode(const char *line, size_t length, struct proto_message *out,
                         struct err *failure, struct err *err);
void proto_message_fini(struct proto_message *message);

/* Look around; absent or of another type: NULL, false, 0. Texts live as long as the message. */
const struct proto_value *proto_value_member(const struct proto_value *value, const char *key);
size_t proto_value_count(const struct proto_value *array);
const struct proto_value *proto_value_at(const struct proto_value *array, size_t index);
bool proto_value_integer(const struct proto_value *value, int64_t *out);
bool proto_value_boolean(const struct proto_value *value, bool *out);
const char *proto_value_text(const struct proto_value *value);

/* The value as JSON text, indented for people; to be freed. */
char *proto_value_print(const struct proto_value *value);

#endif
