/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "hv/sim/session.h"
#include "hv/sim/sim.h"
#include "hv/sim/step.h"
#include "hv/sim/world.h"
#include "sim/scenario.h"

#define MAX_CLIENTS 64
#define STEP_MS     50 /* the world is looked at this often, whether anybody asks or not */
#define READ_CHUNK  65536
#define PATH_ROOM   sizeof(((struct sockaddr_un *)0)->sun_path)

struct client {
    int fd;
    struct sim_session *session;
};

struct server {
    struct world *world;
    int64_t speed, begun_ms;
    uint64_t told_notes; /* how many of the world's notes are in the log */
    char socket_path[PATH_ROOM];
    char lock_path[PATH_ROOM + 8];
    int lock_fd, listen_fd, signal_fd;
    bool locked; /* lock_fd holds the lock */
    struct client clients[MAX_CLIENTS];
    size_t n_clients;
    bool stopping;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- beginning and end --- */

/* A predecessor removes its lock when it ends: what we hold may by then be a lock on nothing. */
static bool is_still_the_file(const struct server *server)
{
    struct stat open_one, named_one;

    return fstat(server->lock_fd, &open_one) == 0 && lstat(server->lock_path, &named_one) == 0 &&
           open_one.st_dev == named_one.st_dev && open_one.st_ino == named_one.st_ino;
}

/* Whoever holds the lock is the host of that file; what a killed one left behind is in nobody's
 * way.
 */
static int lock(struct server *server, const char *file, struct err *err)
{
    snprintf(server->lock_path, sizeof(server->lock_path), "%s.lock", server->socket_path);
    for (;;) {
        server->lock_fd = open(server->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (server->lock_fd < 0)
            return err_set_errno(err, ERR_FAILED, errno, "open %s", server->lock_path);
        if (flock(server->lock_fd, LOCK_EX | LOCK_NB))
            break;
        if (is_still_the_file(server)) {
            server->locked = true;
            return 0;
        }
        close(server->lock_fd);
    }
    if (errno != EWOULDBLOCK)
        return err_set_errno(err, ERR_FAILED, errno, "lock %s", server->lock_path);
    return err_set(err, ERR_BUSY,
                   "the simulated host of %s runs already; 'xenmem-sim stop %s' ends it", file,
                   file);
}

static int listen_there(struct server *server, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, server->socket_path);
    server->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->listen_fd < 0)
        return err_set_errno(err, ERR_FAILED, errno, "make a socket");
    if (unlink(server->socket_path) && errno != ENOENT)
        return err_set_errno(err, ERR_FAILED, errno, "remove the old %s", server->socket_path);
    if (bind(server->listen_fd, (const struct sockaddr *)&address, sizeof(address)) ||
        listen(server->listen_fd, MAX_CLIENTS))
        return err_set_errno(err, ERR_FAILED, errno, "listen on %s", server->socket_path);
    return 0;
}

static int catch_signals(struct server *server, struct err *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGHUP, SIG_IGN); /* it outlives the terminal, as a host does */
    if (sigprocmask(SIG_BLOCK, &set, NULL))
        return err_set_errno(err, ERR_FAILED, errno, "block signals");
    server->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server->signal_fd < 0)
        return err_set_errno(err, ERR_FAILED, errno, "make a signalfd");
    return 0;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void drop_client(struct server *server, size_t at)
{
    close(server->clients[at].fd);
    sim_session_free(server->clients[at].session);
    server->clients[at] = server->clients[--server->n_clients];
}

/* The log that the daemon gave it, beside the socket, is of no use once it ended as it was told. */
static void remove_log(const struct server *server)
{
    char path[PATH_ROOM + 8];
    struct stat ours, named;

    snprintf(path, sizeof(path), "%s.log", server->socket_path);
    if (fstat(STDERR_FILENO, &ours) == 0 && lstat(path, &named) == 0 &&
        ours.st_dev == named.st_dev && ours.st_ino == named.st_ino)
        unlink(path);
}

static void end(struct server *server)
{
    while (server->n_clients > 0)
        drop_client(server, server->n_clients - 1);
    if (server->listen_fd >= 0)
        unlink(server->socket_path);
    if (server->locked)
        unlink(server->lock_path);
    close_fd(server->listen_fd);
    close_fd(server->signal_fd);
    close_fd(server->lock_fd);
    world_free(server->world);
}

/* --- clients --- */

/* The folder already keeps others out; this does too where somebody opened it. */
static bool is_ours(int fd)
{
    struct ucred who;
    socklen_t length = sizeof(who);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 &&
           (who.uid == geteuid() || who.uid == 0);
}

static void accept_client(struct server *server)
{
    int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    if (server->n_clients == MAX_CLIENTS || !is_ours(fd)) {
        close(fd);
        return;
    }
    server->clients[server->n_clients++] = (struct client){fd, sim_session_new(server->world)};
}

/* False where the connection is over. */
static bool flush(struct client *client)
{
    size_t length;
    const void *output = sim_session_output(client->session, &length);
    ssize_t part;

    if (length == 0)
        return true;
    part = send(client->fd, output, length, MSG_NOSIGNAL);
    if (part >= 0)
        sim_session_sent(client->session, (size_t)part);
    return part >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool hear(struct client *client)
{
    char bytes[READ_CHUNK];
    ssize_t length = recv(client->fd, bytes, sizeof(bytes), 0);
    struct err err;

    if (length < 0)
        return errno == EAGAIN || errno == EINTR;
    if (length == 0)
        return false;
    if (sim_session_take(client->session, bytes, (size_t)length, &err) == 0)
        return true;
    log_warning("sim-client-dropped why=\"%s\"", err.text);
    return false;
}

/* --- time --- */

static void log_notes(struct server *server)
{
    const struct world *world = server->world;

    if (world->n_notes - server->told_notes > WORLD_NOTES)
        server->told_notes = world->n_notes - WORLD_NOTES;
    for (; server->told_notes < world->n_notes; server->told_notes++) {
        const struct sim_note *note = &world->notes[server->told_notes % WORLD_NOTES];

        log_notice("sim-note at_ms=%" PRId64 " text=\"%s\"", note->ms, note->text);
    }
}

static void let_time_pass(struct server *server)
{
    world_advance(server->world, (now_ms() - server->begun_ms) * server->speed);
    log_notes(server);
}

static void tell_changes(struct server *server)
{
    for (size_t i = server->n_clients; i > 0; i--) {
        sim_session_tell(server->clients[i - 1].session, server->world->changes);
        if (!flush(&server->clients[i - 1]))
            drop_client(server, i - 1);
    }
    server->world->changes = 0;
}

/* --- the loop --- */

static size_t fill_polls(const struct server *server, struct pollfd polls[])
{
    polls[0] = (struct pollfd){.fd = server->signal_fd, .events = POLLIN};
    polls[1] = (struct pollfd){.fd = server->listen_fd, .events = POLLIN};
    for (size_t i = 0; i < server->n_clients; i++) {
        size_t waiting;

        sim_session_output(server->clients[i].session, &waiting);
        polls[2 + i] = (struct pollfd){.fd = server->clients[i].fd,
                                       .events = waiting > 0 ? POLLIN | POLLOUT : POLLIN};
    }
    return 2 + server->n_clients;
}

static void serve_once(struct server *server)
{
    struct pollfd polls[2 + MAX_CLIENTS];
    size_t n_polls = fill_polls(server, polls);
    bool ready = poll(polls, n_polls, STEP_MS) > 0;

    let_time_pass(server);
    /* From the last on, for a dropped one's place is taken by the last. */
    for (size_t i = n_polls; ready && i > 2; i--)
        if (polls[i - 1].revents & (POLLIN | POLLHUP | POLLERR) && !hear(&server->clients[i - 3]))
            drop_client(server, i - 3);
    if (ready && polls[1].revents)
        accept_client(server);
    server->stopping = ready && polls[0].revents;
    tell_changes(server);
    log_notes(server);
}

static int begin(struct server *server, const char *file, struct err *err)
{
    if (scenario_read(file, &server->world, NULL, err) ||
        sim_socket_path(file, server->socket_path, sizeof(server->socket_path), err) ||
        lock(server, file, err) || catch_signals(server, err))
        return -1;
    server->begun_ms = now_ms();
    return listen_there(server, err);
}

int host_serve(const char *file, int64_t speed, struct err *err)
{
    struct server server = {.speed = speed, .lock_fd = -1, .listen_fd = -1, .signal_fd = -1};
    char size[UNITS_TEXT];

    if (begin(&server, file, err)) {
        end(&server);
        return -1;
    }
    log_notice("sim-host-ready file=%s socket=%s size=\"%s\" vms=%zu speed=%" PRId64
               " text=\"this host is simulated\"",
               file, server.socket_path, kib_format(server.world->host.size, size),
               server.world->n_vms, speed);
    while (!server.stopping)
        serve_once(&server);
    log_notice("sim-host-stopping file=%s at_ms=%" PRId64, file, server.world->now_ms);
    remove_log(&server);
    end(&server);
    return 0;
}
