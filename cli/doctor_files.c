/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/doctor_files.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_ROOM 4096

struct looking {
    const char *root;
    file_finding_fn *tell;
    void *arg;
};

__attribute__((format(printf, 5, 6))) static void found(const struct looking *looking,
                                                        const char *check, bool wrong,
                                                        const char *advice, const char *format, ...)
{
    struct file_finding finding = {.check = check, .wrong = wrong, .advice = advice};
    char text[PATH_ROOM + 256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    finding.text = text;
    looking->tell(looking->arg, &finding);
}

/* The path below the root; false where it is too long to be one. */
__attribute__((format(printf, 3, 4))) static bool path_of(const struct looking *looking, char *out,
                                                          const char *format, ...)
{
    size_t length = strlen(looking->root);
    va_list args;
    int rest;

    if (length >= PATH_ROOM)
        return false;
    memcpy(out, looking->root, length + 1);
    va_start(args, format);
    rest = vsnprintf(out + length, PATH_ROOM - length, format, args);
    va_end(args);
    return rest >= 0 && (size_t)rest < PATH_ROOM - length;
}

/* --- autoballoon ----------------------------------------------------------------------------- */

/* The value of the last line "key = value" of a file, quotes taken off. False where the file is not
 * there; "" where it says nothing. */
static bool read_key(const struct looking *looking, const char *file, const char *key, char *value,
                     size_t room)
{
    char path[PATH_ROOM], line[512];
    FILE *from;

    value[0] = '\0';
    if (!path_of(looking, path, "%s", file) || !(from = fopen(path, "re")))
        return false;
    while (fgets(line, sizeof(line), from)) {
        char *at = line + strspn(line, " \t");
        size_t length = strlen(key);

        if (strncmp(at, key, length) != 0)
            continue;
        at += length + strspn(at + length, " \t");
        if (*at++ != '=')
            continue;
        at += strspn(at, " \t\"'");
        at[strcspn(at, "\"' \t\r\n#")] = '\0';
        snprintf(value, room, "%s", at);
    }
    fclose(from);
    return true;
}

static bool is_off(const char *value)
{
    return strcmp(value, "off") == 0 || strcmp(value, "0") == 0;
}

static void look_at_autoballoon(const struct looking *looking)
{
    static const char xl[] = "/etc/xen/xl.conf", libvirt[] = "/etc/libvirt/libxl.conf";
    char value[64];

    if (read_key(looking, xl, "autoballoon", value, sizeof(value)) && !is_off(value)) {
        bool is_auto = value[0] == '\0' || strcmp(value, "auto") == 0;

        found(looking, "autoballoon", !is_auto, "write autoballoon=\"off\" into it",
              "%s has autoballoon %s: xl shrinks dom0 for a start%s", xl, is_auto ? "auto" : value,
              is_auto ? " unless Xen was booted with dom0_mem=" : "");
    }
    if (read_key(looking, libvirt, "autoballoon", value, sizeof(value)) && !is_off(value))
        found(looking, "autoballoon", value[0] != '\0', "write autoballoon = 0 into it",
              "%s has autoballoon %s: libvirt shrinks dom0 for a start%s", libvirt,
              value[0] ? value : "unset", value[0] ? "" : " unless Xen was booted with dom0_mem=");
}

/* --- other daemons --------------------------------------------------------------------------- */

/* The program of a process is the end of one of its first two arguments: an interpreter's script
 * counts too. */
static bool runs(const char *arguments, size_t length, const char *program)
{
    const char *at = arguments, *end = arguments + length;

    for (int i = 0; i < 2 && at < end; i++) {
        const char *slash = strrchr(at, '/');
        const char *name = slash ? slash + 1 : at;

        if (strcmp(name, program) == 0 || (strncmp(name, program, strlen(program)) == 0 &&
                                           strcmp(name + strlen(program), ".py") == 0))
            return true;
        at += strlen(at) + 1;
    }
    return false;
}

static void look_at_process(const struct looking *looking, const char *pid)
{
    static const char *const rivals[] = {"squeezed", "qmemman", "qmemmand", "momd"};
    char path[PATH_ROOM], arguments[512];
    size_t length;
    FILE *from;

    if (!path_of(looking, path, "/proc/%s/cmdline", pid) || !(from = fopen(path, "re")))
        return;
    length = fread(arguments, 1, sizeof(arguments) - 1, from);
    fclose(from);
    arguments[length] = '\0';
    for (size_t i = 0; i < sizeof(rivals) / sizeof(*rivals); i++)
        if (runs(arguments, length, rivals[i]))
            found(looking, "rival", true, "stop and disable one of the two",
                  "%s runs (process %s): it moves the same guests' memory", rivals[i], pid);
}

static void look_at_processes(const struct looking *looking)
{
    char path[PATH_ROOM];
    const struct dirent *entry;
    DIR *folder;

    if (!path_of(looking, path, "/proc") || !(folder = opendir(path)))
        return;
    while ((entry = readdir(folder)))
        if (isdigit((unsigned char)entry->d_name[0]))
            look_at_process(looking, entry->d_name);
    closedir(folder);
}

/* --------------------------------------------------------------------------------------------- */

void doctor_files_look(const char *root, enum clock_state clock, file_finding_fn *tell, void *arg)
{
    const struct looking looking = {.root = root, .tell = tell, .arg = arg};

    look_at_autoballoon(&looking);
    look_at_processes(&looking);
    if (clock == CLOCK_STATE_ALONE)
        found(&looking, "clock", false, "run chrony or systemd-timesyncd",
              "this host's clock is not synchronised: events and timed settings go by it");
}
