/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "hv/sim/sim.h"

#define FOLDER_ROOM 64

/* Does not depend on the environment: a daemon started by init and a shell must agree. */
static void name_folder(char out[FOLDER_ROOM])
{
    unsigned uid = geteuid();
    struct stat what;

    if (uid == 0) {
        snprintf(out, FOLDER_ROOM, "/run/xenmem-sim");
        return;
    }
    snprintf(out, FOLDER_ROOM, "/run/user/%u", uid);
    if (lstat(out, &what) == 0 && S_ISDIR(what.st_mode) && what.st_uid == uid)
        snprintf(out, FOLDER_ROOM, "/run/user/%u/xenmem-sim", uid);
    else
        snprintf(out, FOLDER_ROOM, "/tmp/xenmem-sim-%u", uid);
}

/* Nobody else may have made it, or be able to put something into it. */
static int make_folder(const char *folder, struct err *err)
{
    struct stat what;

    if (mkdir(folder, 0700) && errno != EEXIST) {
        err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_FAILED, errno, "make %s", folder);
        return err_advise(err, "simulated hosts listen there: make its disk writable");
    }
    if (lstat(folder, &what))
        return err_set_errno(err, ERR_FAILED, errno, "%s", folder);
    if (!S_ISDIR(what.st_mode) || what.st_uid != geteuid() || (what.st_mode & 0077) != 0)
        return err_set(err, ERR_DENIED,
                       "%s is not a folder of yours alone: have it removed, for simulated hosts "
                       "listen there",
                       folder);
    return 0;
}

/* FNV-1a */
static uint64_t hash(const char *text)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++)
        sum = (sum ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return sum;
}

int sim_socket_path(const char *file, char *out, size_t room, struct err *err)
{
    char canonical[PATH_MAX];
    char folder[FOLDER_ROOM];

    if (!realpath(file, canonical)) {
        err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_INVALID, errno, "%s", file);
        return err_advise(err, "name the scenario file of a simulated host");
    }
    name_folder(folder);
    if (make_folder(folder, err))
        return -1;
    if ((size_t)snprintf(out, room, "%s/%016" PRIx64 ".sock", folder, hash(canonical)) >= room)
        return err_set(err, ERR_INVALID, "no room for a path in %s", folder);
    return 0;
}
