/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"

int trigger_open(struct trigger *trigger, const char *root, struct err *err)
{
    char path[PATH_MAX];

    trigger->fd = -1;
    if (snprintf(path, sizeof(path), "%s/proc/pressure/memory", root) >= (int)sizeof(path))
        return err_set(err, ERR_FAILED, "a root of more than %d bytes", PATH_MAX);
    trigger->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    /* With its NUL: that is how the kernel wants it. */
    if (trigger->fd >= 0 &&
        write(trigger->fd, TRIGGER_TEXT, sizeof(TRIGGER_TEXT)) == sizeof(TRIGGER_TEXT))
        return 0;
    err_set_errno(err, errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_FAILED, errno,
                  "ask %s for a signal", path);
    trigger_close(trigger);
    return -1;
}

bool trigger_wait(struct trigger *trigger, int64_t ms)
{
    struct pollfd poll_fd = {.fd = trigger->fd, .events = POLLPRI};

    if (poll(&poll_fd, 1, (int)ms) <= 0)
        return false;
    if (poll_fd.revents & (POLLERR | POLLNVAL)) {
        trigger_close(trigger);
        return false;
    }
    return poll_fd.revents & POLLPRI;
}

void trigger_close(struct trigger *trigger)
{
    if (trigger->fd >= 0)
        close(trigger->fd);
    trigger->fd = -1;
}
