/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"

#define HELD_PATH  "/sys/devices/system/xen_memory/xen_memory0/info/current_kb"
#define TEXT_MAX   (16 * 1024) /* /proc/vmstat has 5 KiB; of a longer text the beginning counts */
#define LOOKS_MOST 5           /* at memory that moves */

/* The file's text into buf; its length, or −1 with errno. */
static ssize_t read_text(const char *root, const char *path, char *buf, size_t room)
{
    char full[PATH_MAX];
    size_t length = 0;
    ssize_t part = 0;
    int fd;

    if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while (length < room && (part = read(fd, buf + length, room - length)) > 0)
        length += (size_t)part;
    close(fd);
    return part < 0 ? -1 : (ssize_t)length;
}

static int read_memory(const char *root, struct meminfo *out, struct err *err)
{
    char text[TEXT_MAX];
    ssize_t length = read_text(root, "/proc/meminfo", text, sizeof(text));

    if (length < 0)
        return err_set_errno(err, ERR_FAILED, errno, "read %s/proc/meminfo", root);
    return proc_text_meminfo(text, (size_t)length, out, err);
}

/* False where there is no balloon driver. */
static bool read_held(const char *root, struct kib *out)
{
    char text[64];
    ssize_t length = read_text(root, HELD_PATH, text, sizeof(text));

    return length >= 0 && proc_text_kib(text, (size_t)length, out);
}

/* Memory and what the domain holds, of one moment. */
static int read_together(const char *root, struct kernel_view *out, struct err *err)
{
    struct kib before, after;
    struct kib most = kib(-1); /* held minus available, so far */
    struct kernel_view view = {.balloon = true};

    if (!read_held(root, &before)) {
        if (read_memory(root, &out->memory, err))
            return -1;
        out->held = out->memory.total;
        out->balloon = false;
        return 0;
    }
    for (int look = 0; look < LOOKS_MOST; look++) {
        if (read_memory(root, &view.memory, err))
            return -1;
        if (!read_held(root, &after))
            after = before;
        view.held = kib_max(before, after);
        if (kib_excess(view.held, view.memory.available).v > most.v || before.v == after.v) {
            most = kib_excess(view.held, view.memory.available);
            *out = view;
        }
        if (before.v == after.v)
            break;
        before = after;
    }
    return 0;
}

int kernel_look(const char *root, struct kernel_view *out, struct err *err)
{
    struct kernel_view view = {0};
    char text[TEXT_MAX];
    ssize_t length;

    if (read_together(root, &view, err))
        return -1;
    length = read_text(root, "/proc/pressure/memory", text, sizeof(text));
    proc_text_pressure(text, length < 0 ? 0 : (size_t)length, &view.pressure);
    length = read_text(root, "/proc/vmstat", text, sizeof(text));
    proc_text_vmstat(text, length < 0 ? 0 : (size_t)length, &view.counters);
    *out = view;
    return 0;
}
