/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A damaged database is moved out of the way, and kept: somebody may still read it. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "db/db.h"
#include "db/internal.h"

/* A name that nothing has yet: PATH.damaged-20250131T100030Z, with a number if need be. */
static void find_name(const char *path, char *out, size_t room)
{
    time_t now = time(NULL);
    struct tm date = {0};
    char moment[32];

    (void)gmtime_r(&now, &date);
    strftime(moment, sizeof(moment), "%Y%m%dT%H%M%SZ", &date);
    snprintf(out, room, "%s.damaged-%s", path, moment);
    for (int i = 2; access(out, F_OK) == 0; i++)
        snprintf(out, room, "%s.damaged-%s-%d", path, moment, i);
}

/* Moves one of the database's files; one that is not there need not be. */
static int move(const char *path, const char *aside, const char *suffix, struct err *err)
{
    char from[PATH_MAX + 8], to[PATH_MAX + 8];

    snprintf(from, sizeof(from), "%s%s", path, suffix);
    snprintf(to, sizeof(to), "%s%s", aside, suffix);
    if (rename(from, to) == 0 || (errno == ENOENT && suffix[0]))
        return 0;
    err_set_errno(err, ERR_FAILED, errno, "move the damaged %s to %s", from, to);
    return err_advise(err, "move it away yourself, or put a backup in its place");
}

int db_open_or_begin(const char *path, const struct db_limits *limits, char *aside, size_t room,
                     struct db **out, struct err *err)
{
    char real[PATH_MAX];
    bool damaged;

    aside[0] = '\0';
    if (open_or_tell(path, limits, &damaged, out, err) == 0)
        return 0;
    if (!damaged || !realpath(path, real))
        return -1;
    find_name(real, aside, room);
    /* The log goes first: without it, what is left at PATH is still found to be damaged. */
    if (move(real, aside, "-wal", err) || move(real, aside, "-shm", err) ||
        move(real, aside, "", err))
        return -1;
    return db_open(path, limits, out, err);
}
