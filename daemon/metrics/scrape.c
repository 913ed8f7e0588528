/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/metrics/scrape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "base/err.h"
#include "base/invariant.h"
#include "base/units.h"
#include "daemon/clients/listening.h"
#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/loop.h"
#include "daemon/memory.h"
#include "daemon/metrics/metrics.h"
#include "daemon/options.h"

#define REQUEST_MAX  4096 /* bytes of a request's head */
#define VISITORS_MAX 8    /* at once; the rest waits in the kernel's queue */

/* One who asks. */
struct visitor {
    struct scrape *scrape;
    struct bufferevent *stream;
    struct event *limit; /* of the whole request, then of reading the whole answer */
    bool answered;
    struct visitor *prev, *next;
};

struct scrape {
    struct daemon *daemon;
    int fd;
    struct listening *listening;
    struct visitor *visitors;
    size_t n_visitors;
    char *text; /* metrics of the pass below; NULL none */
    int64_t passes;
};

int scrape_address(const char *text, struct sockaddr_storage *out, struct err *err)
{
    struct sockaddr_in *four = (struct sockaddr_in *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    const char *colon = strrchr(text, ':');
    char host[64];
    int64_t port;

    memset(out, 0, sizeof(*out));
    if (!colon || (size_t)(colon - text) >= sizeof(host) ||
        integer_parse(colon + 1, 1, 65535, &port, NULL))
        return err_set(err, ERR_INVALID, "'%s' is not 127.0.0.1:PORT or [::1]:PORT", text);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1 &&
        (ntohl(four->sin_addr.s_addr) >> 24) == 127) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        return sizeof(*four);
    }
    if (strcmp(host, "[::1]") == 0) {
        six->sin6_family = AF_INET6;
        six->sin6_addr = in6addr_loopback;
        six->sin6_port = htons((uint16_t)port);
        return sizeof(*six);
    }
    return err_set(err, ERR_INVALID, "'%s' is not a loopback address: 127.0.0.1:PORT or [::1]:PORT",
                   text);
}

static void visitor_free(struct visitor *visitor)
{
    struct scrape *scrape = visitor->scrape;

    DL_DELETE(scrape->visitors, visitor);
    scrape->n_visitors--;
    if (scrape->listening)
        listening_resume(scrape->listening);
    event_free(visitor->limit);
    bufferevent_free(visitor->stream);
    free(visitor);
}

/* However many bytes come meanwhile: one that sends or reads a byte now and then would be there for
 * ever, and a few of them in everybody's way. */
static void limit_to(struct visitor *visitor, int64_t ms)
{
    const struct timeval limit = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    invariant(event_add(visitor->limit, &limit) == 0);
}

/* The text is made once a pass, however many ask. */
static const char *text_of_pass(struct scrape *scrape)
{
    int64_t passes = engine_status(scrape->daemon->engine)->passes;

    if (scrape->text && scrape->passes == passes)
        return scrape->text;
    free(scrape->text);
    scrape->text = metrics_text(scrape->daemon);
    scrape->passes = passes;
    return scrape->text;
}

static void answer(struct visitor *visitor, const char *status, const char *type, const char *body)
{
    struct evbuffer *output = bufferevent_get_output(visitor->stream);

    visitor->answered = true;
    limit_to(visitor, visitor->scrape->daemon->options->read_time_ms);
    invariant(evbuffer_add_printf(output,
                                  "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                                  "Connection: close\r\n\r\n",
                                  status, type, strlen(body)) > 0);
    invariant(evbuffer_add(output, body, strlen(body)) == 0);
}

static void on_request(struct bufferevent *stream, void *arg)
{
    struct visitor *visitor = arg;
    struct evbuffer *input = bufferevent_get_input(stream);
    size_t length = evbuffer_get_length(input);
    struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);
    char head[16] = "";

    if (visitor->answered) {
        evbuffer_drain(input, length);
        return;
    }
    if (end.pos < 0 && length < REQUEST_MAX)
        return;
    (void)evbuffer_remove(input, head, sizeof(head) - 1);
    evbuffer_drain(input, length);
    if (end.pos < 0)
        answer(visitor, "431 Request Header Fields Too Large", "text/plain", "too long\n");
    else if (strncmp(head, "GET /metrics ", 13) == 0 || strncmp(head, "GET /metrics?", 13) == 0)
        answer(visitor, "200 OK", "application/openmetrics-text; version=1.0.0; charset=utf-8",
               text_of_pass(visitor->scrape));
    else if (strncmp(head, "GET ", 4) == 0)
        answer(visitor, "404 Not Found", "text/plain", "there is /metrics\n");
    else
        answer(visitor, "405 Method Not Allowed", "text/plain", "there is GET /metrics\n");
}

static void on_sent(struct bufferevent *stream, void *arg)
{
    struct visitor *visitor = arg;

    (void)stream;
    if (visitor->answered)
        visitor_free(visitor);
}

static void on_end(struct bufferevent *stream, short what, void *arg)
{
    (void)stream;
    (void)what;
    visitor_free(arg);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    visitor_free(arg);
}

static void on_visitor(void *arg, int fd)
{
    struct scrape *scrape = arg;
    struct visitor *visitor = memory_new(1, sizeof(*visitor));

    visitor->scrape = scrape;
    visitor->limit = evtimer_new(loop_base(scrape->daemon->loop), on_limit, visitor);
    visitor->stream =
        bufferevent_socket_new(loop_base(scrape->daemon->loop), fd, BEV_OPT_CLOSE_ON_FREE);
    invariant(visitor->limit && visitor->stream);
    (void)bufferevent_priority_set(visitor->stream, LOOP_PRIORITY_CLIENTS);
    (void)event_priority_set(visitor->limit, LOOP_PRIORITY_CLIENTS);
    bufferevent_setcb(visitor->stream, on_request, on_sent, on_end, visitor);
    bufferevent_setwatermark(visitor->stream, EV_READ, 0, REQUEST_MAX);
    DL_APPEND(scrape->visitors, visitor);
    if (++scrape->n_visitors >= VISITORS_MAX)
        listening_pause(scrape->listening);
    limit_to(visitor, scrape->daemon->options->line_time_ms);
    invariant(bufferevent_enable(visitor->stream, EV_READ | EV_WRITE) == 0);
}

static int listen_at(const struct sockaddr_storage *address, socklen_t length)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (const struct sockaddr *)address, length) == 0 && listen(fd, VISITORS_MAX) == 0)
        return fd;
    close(fd);
    return -1;
}

int scrape_new(struct daemon *daemon, struct scrape **out, struct err *err)
{
    const char *where = daemon->options->metrics_listen;
    struct sockaddr_storage address;
    struct scrape *scrape;
    int length, fd;

    *out = NULL;
    if (strcmp(where, "off") == 0)
        return 0;
    length = scrape_address(where, &address, err);
    if (length < 0)
        return -1;
    fd = listen_at(&address, (socklen_t)length);
    if (fd < 0) {
        err_set_errno(err, errno == EADDRINUSE ? ERR_BUSY : ERR_FAILED, errno,
                      "listen for Prometheus at %s (metrics-listen)", where);
        return err_advise(err, "take another port, or metrics-listen = off");
    }
    scrape = memory_new(1, sizeof(*scrape));
    scrape->daemon = daemon;
    scrape->fd = fd;
    scrape->listening = listening_new(daemon->loop, fd, "metrics-listen", on_visitor, scrape);
    *out = scrape;
    return 0;
}

void scrape_free(struct scrape *scrape)
{
    struct visitor *visitor, *next;

    if (!scrape)
        return;
    listening_free(scrape->listening);
    scrape->listening = NULL;
    close(scrape->fd);
    DL_FOREACH_SAFE(scrape->visitors, visitor, next)
    visitor_free(visitor);
    free(scrape->text);
    free(scrape);
}
