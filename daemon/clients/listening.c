/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/clients/listening.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "base/log.h"
#include "daemon/loop.h"
#include "daemon/memory.h"

#define REST_S 1 /* between attempts to accept, where the system has no more descriptors */

struct listening {
    struct evconnlistener *listener;
    struct event *rested; /* accepting goes on */
    bool paused;
    const char *name;
    listening_fn *come;
    void *arg;
};

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int length, void *arg)
{
    struct listening *listening = arg;

    (void)listener;
    (void)from;
    (void)length;
    listening->come(listening->arg, fd);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    const struct timeval rest = {.tv_sec = REST_S};
    struct listening *listening = arg;

    log_error("accept-failed at=%s error=\"%s\" retry=%ds", listening->name, strerror(errno),
              REST_S);
    evconnlistener_disable(listener);
    invariant(event_add(listening->rested, &rest) == 0);
}

static void on_rested(evutil_socket_t fd, short what, void *arg)
{
    struct listening *listening = arg;

    (void)fd;
    (void)what;
    if (!listening->paused)
        evconnlistener_enable(listening->listener);
}

struct listening *listening_new(const struct loop *loop, int fd, const char *name,
                                listening_fn *come, void *arg)
{
    struct listening *listening = memory_new(1, sizeof(*listening));

    listening->name = name;
    listening->come = come;
    listening->arg = arg;
    listening->rested = evtimer_new(loop_base(loop), on_rested, listening);
    listening->listener =
        evconnlistener_new(loop_base(loop), on_accept, listening, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    invariant(listening->rested && listening->listener);
    evconnlistener_set_error_cb(listening->listener, on_accept_error);
    return listening;
}

void listening_free(struct listening *listening)
{
    if (!listening)
        return;
    evconnlistener_free(listening->listener);
    event_free(listening->rested);
    free(listening);
}

void listening_pause(struct listening *listening)
{
    listening->paused = true;
    evconnlistener_disable(listening->listener);
}

void listening_resume(struct listening *listening)
{
    listening->paused = false;
    if (!evtimer_pending(listening->rested, NULL))
        evconnlistener_enable(listening->listener);
}
