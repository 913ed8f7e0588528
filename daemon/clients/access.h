/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what: decided from the peer's credentials, which the kernel vouches for. */
#ifndef DAEMON_CLIENTS_ACCESS_H
#define DAEMON_CLIENTS_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

/* Each level includes those before it. */
enum access_level {
    ACCESS_NONE,
    ACCESS_READ,    /* look: host, list, show, events … */
    ACCESS_OPERATE, /* make room: balance, reserve, freeze … */
    ACCESS_ADMIN,   /* change settings and policies */
};

/* "nothing", "read", "operate", "admin" */
const char *access_level_name(enum access_level level);

#define ACCESS_MAX_IDS 32

/* Users and groups that were given one level. */
struct access_list {
    uid_t uids[ACCESS_MAX_IDS];
    size_t n_uids;
    gid_t gids[ACCESS_MAX_IDS];
    size_t n_gids;
};

struct access {
    struct access_list lists[ACCESS_ADMIN + 1]; /* by level; ACCESS_NONE unused */
};

/* The one at the other end of a socket. */
struct access_peer {
    pid_t pid;
    uid_t uid;
    gid_t gid;
    gid_t groups[64]; /* supplementary; more than 64 are ignored */
    size_t n_groups;
};

/*
 * Reads "root,@wheel ann": users and @groups, separated by blanks or commas, into the list of
 * level. 0, or −1 with ERR_INVALID naming the one that does not exist.
 */
int access_allow(struct access *access, enum access_level level, const char *text, struct err *err);

/* Gives the group xenmem the right to read, where there is such a group: for who says nothing else.
 */
void access_allow_usual(struct access *access);

/* True where nobody but root is given anything: the socket can then be closed to everybody else. */
bool access_root_only(const struct access *access);

/* Asks the kernel who is at the other end of fd. 0 or −1. */
int access_peer_of(int fd, struct access_peer *out, struct err *err);

/* The highest level of peer. Root, and the user that the daemon itself runs as, have them all. */
enum access_level access_level_of(const struct access *access, const struct access_peer *peer);

#endif
