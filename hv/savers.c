/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/savers.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "hv/exec_news.h"

#define HELPER "libxl-save-help" /* -er: the kernel keeps 15 bytes of a name */

/* Reads a small file of a process: its length, 0 where the process has ended, −1 where it cannot be
 * read. */
static ssize_t read_file(const char *proc, const char *pid, const char *name, char *out,
                         size_t room)
{
    char path[PATH_MAX];
    ssize_t length;
    int fd, problem;

    snprintf(path, sizeof(path), "%s/%.20s/%s", proc, pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ESRCH ? 0 : -1;
    length = read(fd, out, room - 1);
    problem = errno;
    close(fd);
    if (length < 0)
        return problem == ESRCH ? 0 : -1;
    out[length] = '\0';
    return length;
}

/* libxl-save-helper --save-domain FD SENDFD DOMID …: the domid is the first number that follows two
 * others. False where there is no room for it. */
static bool note_saver(struct savers *savers, const char *command, size_t length)
{
    const char *at = command;
    int numbers = -1;

    for (; at < command + length; at += strlen(at) + 1) {
        if (strcmp(at, "--save-domain") == 0) {
            numbers = 0;
        } else if (numbers >= 0 && ++numbers == 3) {
            if (savers->count == SAVERS_MAX)
                return false;
            savers->domids[savers->count++] = (uint32_t)strtoul(at, NULL, 10);
        }
    }
    return true;
}

static bool look_at(struct savers *savers, const char *pid)
{
    char text[1024];
    ssize_t length = read_file(savers->proc, pid, "comm", text, sizeof(text));

    if (length > 0 && strncmp(text, HELPER, strlen(HELPER)) == 0) {
        length = read_file(savers->proc, pid, "cmdline", text, sizeof(text));
        return length >= 0 && note_saver(savers, text, (size_t)length);
    }
    return length >= 0;
}

static bool look_at_all(struct savers *savers)
{
    DIR *proc = opendir(savers->proc);
    struct dirent *entry;
    bool all = true;

    if (!proc)
        return false;
    while (errno = 0, (entry = readdir(proc)))
        if (isdigit((unsigned char)entry->d_name[0]))
            all &= look_at(savers, entry->d_name);
    all &= errno == 0;
    closedir(proc);
    return all;
}

/* A process that began a program; that it ended meanwhile is no matter. */
static void note_began(void *arg, pid_t pid)
{
    struct savers *savers = arg;
    char name[32], text[32];
    ssize_t length;

    snprintf(text, sizeof(text), "%d", (int)pid);
    length = read_file(savers->proc, text, "comm", name, sizeof(name));
    savers->began |= length < 0 || (length > 0 && strncmp(name, HELPER, strlen(HELPER)) == 0);
}

/* Is it known that since the last look nobody has begun to save anybody? */
static bool nobody_began(struct savers *savers)
{
    return savers->has_news && exec_news_read(savers->news, note_began, savers) && !savers->began;
}

static bool is_known(struct savers *savers, int64_t now_ms, int64_t max_age_ms)
{
    int64_t age_ms = now_ms - savers->looked_ms;

    if (!savers->seen)
        return false;
    return age_ms < max_age_ms ||
           (age_ms < SAVERS_NEWS_MS && savers->count == 0 && nobody_began(savers));
}

bool savers_look(struct savers *savers, int64_t now_ms, int64_t max_age_ms)
{
    if (is_known(savers, now_ms, max_age_ms))
        return true;
    savers->began = false;
    savers->count = 0;
    savers->seen = look_at_all(savers);
    savers->looked_ms = now_ms;
    return savers->seen;
}

bool savers_have(const struct savers *savers, uint32_t domid)
{
    for (size_t i = 0; i < savers->count; i++)
        if (savers->domids[i] == domid)
            return true;
    return false;
}

int savers_check(struct savers *savers, uint32_t domid, int64_t now_ms, struct err *err)
{
    bool all = savers_look(savers, now_ms, SAVERS_FRESH_MS);

    if (savers_have(savers, domid))
        return err_set(err, ERR_NOT_FOUND, "the domain is being saved or migrated");
    if (!all)
        return err_set(err, ERR_BUSY, "whether the domain is being saved cannot be seen");
    return 0;
}
