/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/clients/user.h"

#include <stdbool.h>
#include <stdlib.h>
#include <utlist.h>

#include "daemon/memory.h"

#define ONE           1000 /* request, in units of credit */
#define FULL_AFTER_MS 1000 /* whatever was taken, the credit is full again */

struct user *user_find(struct user *list, uid_t uid)
{
    struct user *user;

    DL_FOREACH (list, user)
        if (user->uid == uid)
            return user;
    return NULL;
}

/* A second's worth is all that can be saved up: nothing is remembered of who has been away for so
 * long. Who was not would have a new credit with each new connection if it were forgotten. */
static bool is_forgettable(const struct user *user, int64_t now_ms)
{
    return user->connections == 0 && user->calls == 0 &&
           (user->credited_ms == 0 || now_ms - user->credited_ms >= FULL_AFTER_MS);
}

static void forget(struct user **list, struct user *user)
{
    DL_DELETE(*list, user);
    free(user);
}

struct user *user_get(struct user **list, uid_t uid, int64_t now_ms)
{
    struct user *user, *next;

    DL_FOREACH_SAFE(*list, user, next)
    {
        if (is_forgettable(user, now_ms))
            forget(list, user);
    }
    user = user_find(*list, uid);
    if (user)
        return user;
    user = memory_new(1, sizeof(*user));
    user->uid = uid;
    DL_APPEND(*list, user);
    return user;
}

void users_free(struct user **list)
{
    struct user *user, *next;

    DL_FOREACH_SAFE(*list, user, next)
    forget(list, user);
}

/* rate a second is rate thousandths a millisecond. A second's worth can be saved up. */
static void add_credit(struct user *user, const struct user_limits *limits, int64_t now_ms)
{
    int64_t most = limits->rate * ONE;
    int64_t passed = now_ms - user->credited_ms;

    if (user->credited_ms == 0 || passed >= FULL_AFTER_MS)
        user->credit = most;
    else
        user->credit += passed * limits->rate;
    if (user->credit > most)
        user->credit = most;
    user->credited_ms = now_ms;
}

int64_t user_wait_ms(struct user *user, const struct user_limits *limits, int64_t now_ms)
{
    add_credit(user, limits, now_ms);
    if (user->credit >= ONE)
        return 0;
    return (ONE - user->credit + limits->rate - 1) / limits->rate;
}

void user_take(struct user *user)
{
    user->credit -= ONE;
}
