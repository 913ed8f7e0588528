/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/clients/server.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "daemon/clients/connection.h"
#include "daemon/clients/listening.h"
#include "daemon/clients/socket_file.h"
#include "daemon/daemon.h"
#include "daemon/memory.h"
#include "daemon/options.h"
#include "proto/proto.h"

#define MAX_CONNECTIONS 1100
#define KEPT_FOR_ADMINS 32 /* of all connections: others cannot lock an operator out */

struct server {
    struct connections connections;
    struct socket_file file;
    struct listening *listening;
    bool refusing; /* the last client was turned away; said once */
};

/* Tells a client why it is not let in, as far as it reads at once. */
static void turn_away(struct server *server, int fd, const struct access_peer *peer,
                      const struct err *why)
{
    struct proto_writer *own = server->connections.own;
    size_t length;
    const char *bytes;

    proto_write_error(own, "null", why);
    bytes = proto_writer_bytes(own, &length);
    (void)!send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    proto_writer_clear(own);
    close(fd);
    if (!server->refusing)
        log_warning("clients-refused uid=%u error=\"%s\"", (unsigned)peer->uid, why->text);
    server->refusing = true;
}

static int check_room(const struct server *server, const struct access_peer *peer, struct err *err)
{
    const struct connections *all = &server->connections;
    bool admin = access_level_of(&all->daemon->options->access, peer) == ACCESS_ADMIN;
    size_t limit = admin ? MAX_CONNECTIONS : MAX_CONNECTIONS - KEPT_FOR_ADMINS;
    size_t most = (size_t)all->daemon->options->limits.connections;

    if (all->count >= limit)
        return err_set(err, ERR_BUSY, "xenmemd has %zu clients already", all->count);
    if (!admin && connections_of(all, peer->uid) >= most)
        return err_set(err, ERR_BUSY, "uid %u has %zu connections to xenmemd already",
                       (unsigned)peer->uid, most);
    return 0;
}

static void on_client(void *arg, int fd)
{
    struct server *server = arg;
    struct access_peer peer = {0};
    struct err err;

    if (access_peer_of(fd, &peer, &err) || check_room(server, &peer, &err)) {
        turn_away(server, fd, &peer, &err);
        return;
    }
    server->refusing = false;
    connection_new(&server->connections, fd, &peer);
}

/* Where root is the only one with any right, nobody else need even knock. */
static mode_t mode_of(const struct daemon *daemon)
{
    return access_root_only(&daemon->options->access) ? 0600 : 0666;
}

int server_new(struct daemon *daemon, struct server **out, struct err *err)
{
    struct server *server = memory_new(1, sizeof(*server));

    if (socket_file_open(&server->file, daemon->options->socket, mode_of(daemon), err)) {
        free(server);
        return -1;
    }
    connections_init(&server->connections, daemon);
    server->listening = listening_new(daemon->loop, server->file.fd, "socket", on_client, server);
    *out = server;
    return 0;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    listening_free(server->listening);
    connections_fini(&server->connections);
    socket_file_close(&server->file);
    free(server);
}

int server_access_changed(struct server *server, struct err *err)
{
    return socket_file_set_mode(&server->file, mode_of(server->connections.daemon), err);
}

void server_publish(struct server *server, const char *line, size_t length)
{
    connections_publish(&server->connections, line, length);
}

void server_drop_shared(struct server *server)
{
    if (server)
        connections_drop_shared(&server->connections);
}

size_t server_connections(const struct server *server)
{
    return server->connections.count;
}

bool server_has_subscribers(const struct server *server)
{
    return server->connections.n_subscribers > 0;
}
