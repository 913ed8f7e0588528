/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/hooks/hook_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/memory.h"

static void judge_one(const char *path, char *why)
{
    struct stat what;

    if (stat(path, &what))
        snprintf(why, HOOK_REASON_MAX, "%.90s: %s", path, strerror(errno));
    else if (what.st_uid != 0 && what.st_uid != geteuid())
        snprintf(why, HOOK_REASON_MAX, "%.90s belongs to uid %u, not to root", path,
                 (unsigned)what.st_uid);
    else if ((what.st_mode & 022) && !(S_ISDIR(what.st_mode) && (what.st_mode & S_ISVTX)))
        snprintf(why, HOOK_REASON_MAX, "%.90s can be written by others: chmod go-w", path);
}

/* Each folder above it. */
static void judge_above(const char *real, char *why)
{
    char part[PATH_MAX];

    snprintf(part, sizeof(part), "%s", real);
    for (char *slash = strrchr(part, '/'); slash && why[0] == '\0'; slash = strrchr(part, '/')) {
        *slash = '\0';
        judge_one(part[0] ? part : "/", why);
    }
}

void hook_files_judge(const char *path, char *why)
{
    char real[PATH_MAX];
    struct stat what;

    why[0] = '\0';
    if (!realpath(path, real) || stat(real, &what)) {
        snprintf(why, HOOK_REASON_MAX, "%s", strerror(errno));
        return;
    }
    if (!S_ISREG(what.st_mode))
        snprintf(why, HOOK_REASON_MAX, "is not a file");
    else if (!(what.st_mode & 0111))
        snprintf(why, HOOK_REASON_MAX, "cannot be executed: chmod +x");
    else
        judge_one(real, why);
    if (why[0] == '\0')
        judge_above(real, why);
}

static struct hook_file *add(struct hook_files *files, const char *event, const char *path)
{
    struct hook_file *file;

    files->files = memory_grow(files->files, files->count + 1, sizeof(*files->files));
    file = &files->files[files->count++];
    *file = (struct hook_file){.event = memory_copy_text(event), .path = memory_copy_text(path)};
    return file;
}

/* Hidden files and what editors leave behind are no hooks. */
static int is_hook_name(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && entry->d_name[length - 1] != '~';
}

void hook_files_add(struct hook_files *files, const char *folder, const char *event)
{
    char path[PATH_MAX], file[PATH_MAX];
    struct dirent **names;
    struct stat what;
    int count;

    snprintf(path, sizeof(path), "%s/%s", folder, event);
    if (lstat(path, &what))
        return;
    if (!S_ISDIR(what.st_mode)) {
        snprintf(add(files, event, path)->refused, HOOK_REASON_MAX, "%s",
                 S_ISLNK(what.st_mode) ? "is a link, not a folder" : "is not a folder");
        return;
    }
    count = scandir(path, &names, is_hook_name, alphasort);
    if (count < 0)
        snprintf(add(files, event, path)->refused, HOOK_REASON_MAX, "cannot be listed: %s",
                 strerror(errno));
    for (int i = 0; i < count; i++) {
        if ((size_t)snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name) < sizeof(file))
            hook_files_judge(file, add(files, event, file)->refused);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

void hook_files_add_strays(struct hook_files *files, const char *folder,
                           bool (*is_event)(const char *name))
{
    struct dirent **names;
    int count = scandir(folder, &names, is_hook_name, alphasort);

    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        struct stat what;

        snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        if (!is_event(names[i]->d_name) && lstat(path, &what) == 0 &&
            (!S_ISREG(what.st_mode) || (what.st_mode & 0111))) {
            struct hook_file *file = add(files, names[i]->d_name, path);

            file->is_stray = true;
            snprintf(file->refused, HOOK_REASON_MAX, "no event that runs hooks has this name");
        }
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

bool hook_files_any(const char *folder, const char *event)
{
    char path[PATH_MAX];
    struct stat what;

    snprintf(path, sizeof(path), "%s/%s", folder, event);
    return lstat(path, &what) == 0;
}

void hook_files_fini(struct hook_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->files[i].event);
        free(files->files[i].path);
    }
    free(files->files);
    *files = (struct hook_files){0};
}
