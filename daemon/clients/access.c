/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/clients/access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

const char *access_level_name(enum access_level level)
{
    static const char *const names[] = {"nothing", "read", "operate", "admin"};

    return names[level];
}

static int allow_group(struct access_list *list, const char *name, struct err *err)
{
    const struct group *group = getgrnam(name);

    if (!group)
        return err_set(err, ERR_INVALID, "there is no group '%s'", name);
    if (list->n_gids == ACCESS_MAX_IDS)
        return err_set(err, ERR_INVALID, "more than %d groups", ACCESS_MAX_IDS);
    list->gids[list->n_gids++] = group->gr_gid;
    return 0;
}

static int allow_user(struct access_list *list, const char *name, struct err *err)
{
    const struct passwd *user = getpwnam(name);

    if (!user)
        return err_set(err, ERR_INVALID, "there is no user '%s' (a group is written @%s)", name,
                       name);
    if (list->n_uids == ACCESS_MAX_IDS)
        return err_set(err, ERR_INVALID, "more than %d users", ACCESS_MAX_IDS);
    list->uids[list->n_uids++] = user->pw_uid;
    return 0;
}

int access_allow(struct access *access, enum access_level level, const char *text, struct err *err)
{
    struct access_list *list = &access->lists[level];
    char copy[1024];
    char *rest = copy;
    char *name;

    if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
        return err_set(err, ERR_INVALID, "list of users is longer than %zu bytes",
                       sizeof(copy) - 1);
    while ((name = strsep(&rest, ", \t"))) {
        if (*name == '\0')
            continue;
        if (name[0] == '@' ? allow_group(list, name + 1, err) : allow_user(list, name, err))
            return -1;
    }
    return 0;
}

void access_allow_usual(struct access *access)
{
    if (getgrnam("xenmem"))
        (void)allow_group(&access->lists[ACCESS_READ], "xenmem", NULL);
}

bool access_root_only(const struct access *access)
{
    for (int level = ACCESS_READ; level <= ACCESS_ADMIN; level++) {
        const struct access_list *list = &access->lists[level];

        if (list->n_gids > 0)
            return false;
        for (size_t i = 0; i < list->n_uids; i++)
            if (list->uids[i] != 0)
                return false;
    }
    return true;
}

int access_peer_of(int fd, struct access_peer *out, struct err *err)
{
    struct ucred credentials;
    socklen_t length = sizeof(credentials);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length))
        return err_set_errno(err, ERR_FAILED, errno, "ask who the client is");
    out->pid = credentials.pid;
    out->uid = credentials.uid;
    out->gid = credentials.gid;
    length = sizeof(out->groups);
    /* An older kernel does not tell, or there are too many: the main group still counts. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, out->groups, &length))
        length = 0;
    out->n_groups = length / sizeof(*out->groups);
    return 0;
}

static bool in_group(const struct access_peer *peer, gid_t gid)
{
    if (peer->gid == gid)
        return true;
    for (size_t i = 0; i < peer->n_groups; i++)
        if (peer->groups[i] == gid)
            return true;
    return false;
}

static bool listed(const struct access_list *list, const struct access_peer *peer)
{
    for (size_t i = 0; i < list->n_uids; i++)
        if (list->uids[i] == peer->uid)
            return true;
    for (size_t i = 0; i < list->n_gids; i++)
        if (in_group(peer, list->gids[i]))
            return true;
    return false;
}

enum access_level access_level_of(const struct access *access, const struct access_peer *peer)
{
    if (peer->uid == 0 || peer->uid == geteuid())
        return ACCESS_ADMIN;
    for (int level = ACCESS_ADMIN; level > ACCESS_NONE; level--)
        if (listed(&access->lists[level], peer))
            return (enum access_level)level;
    return ACCESS_NONE;
}
