/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/units.h"

/* A leading '@' stands for the abstract namespace's NUL. Returns the address's length, 0 if it does
 * not fit. */
static socklen_t fill_address(struct sockaddr_un *address, const char *path)
{
    size_t length = strlen(path);

    if (length == 0 || length >= sizeof(address->sun_path))
        return 0;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    if (path[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void notify_send(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {0};
    socklen_t length = path ? fill_address(&address, path) : 0;
    int fd;

    if (length == 0)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    /* Nothing can be done about a supervisor that does not listen: it acts on the silence. */
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    close(fd);
}

int64_t notify_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    int64_t value;

    if (!usec || integer_parse(usec, 1000, INT64_C(3600) * 1000 * 1000, &value, NULL))
        return 0;
    if (pid && strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    return value / 1000 / 2 > 0 ? value / 1000 / 2 : 1;
}
