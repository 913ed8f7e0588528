/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients as a test moves them, one step at a time, in the same thread as the server's loop. */
#ifndef TESTS_DAEMON_CLIENT_H
#define TESTS_DAEMON_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "daemon/clients/connection.h"
#include "daemon/options.h"

struct client {
    int fd;
    char *bytes; /* read and not yet taken */
    size_t length;
    bool ended; /* the server closed */
};

extern struct connections all; /* the server's side */
extern struct options options; /* by which rights are judged */

#define READER   1000 /* a uid that may read; root may everything, and nobody else anything */
#define HELD_MAX 100

/*
 * The methods are the tests' own, so that answers come when a test wants them: echo, hold, big,
 * watch, question (to be read), refuse (to operate), change (to administer). Calls of hold and
 * question wait here, in the order in which they came, until they are answered.
 */
extern struct call *held[HELD_MAX];
extern size_t n_held;

void answer_held(size_t index, const char *text);

/* A checked fixture: a server's side without clients. */
void clients_make(void);
void clients_unmake(void);

/* One turn of the loop, without waiting; all that can be done without more input; and one that
 * waits. */
void turn(void);
void turn_often(void);
void turn_waiting(void);

/* Has the test waited long enough for what must come? */
bool time_is_up(time_t from);

/* A client of that uid, who has read its hello; and one who has not. */
struct client come(uid_t uid);
struct client come_in(uid_t uid);
void leave(struct client *client);

/* Takes in what is there for it. False where there is nothing. */
bool read_some(struct client *client);

/* Its next line, or "" where the server closed. Valid until the next call of any client. */
const char *next_line(struct client *client);
void assert_line(struct client *client, const char *expected);
void assert_end(struct client *client);

/* Sends all of it, however slowly the server reads. */
void say(struct client *client, const char *bytes);
void call_method(struct client *client, int id, const char *method, const char *params);

/* Its next line must be that result, or an error with that name and that in its message. */
void assert_answer(struct client *client, int id, const char *text);
void assert_error(struct client *client, const char *id, const char *name, const char *what);

#endif
