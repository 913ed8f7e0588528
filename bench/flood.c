/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients that ask for vm.list as often as they are told to, and read the answers without looking
 * into them.
 *
 * usage: flood SOCKET CLIENTS REQUESTS-A-SECOND SECONDS [IDLE-CONNECTIONS]
 *
 * Prints asked, answered, bytes, and the time from request to answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"vm.list\"}\n";

struct client {
    int64_t asked_us; /* 0: nothing is asked */
};

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void give_up(const char *what)
{
    fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char byte;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)))
        give_up(path);
    do /* the hello */
        if (read(fd, &byte, 1) != 1)
            give_up("hello");
    while (byte != '\n');
    return fd;
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

/* Reads what is there. True where an answer ended with it. */
static bool take(int fd, int64_t *bytes)
{
    static char buffer[256 * 1024];
    ssize_t length = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

    if (length <= 0) {
        if (length < 0 && errno == EAGAIN)
            return false;
        give_up("the daemon closed");
    }
    *bytes += length;
    return buffer[length - 1] == '\n';
}

int main(int argc, char **argv)
{
    int clients = argc > 4 ? atoi(argv[2]) : 0, idle = argc > 5 ? atoi(argv[5]) : 0;
    int64_t rate = argc > 4 ? atoll(argv[3]) : 0, seconds = argc > 4 ? atoll(argv[4]) : 0;
    const struct rlimit files = {.rlim_cur = 2048, .rlim_max = 2048};
    int64_t began, asked = 0, answered = 0, bytes = 0, *times;
    struct client *state;
    struct pollfd *fds;

    if (clients < 1 || rate < 1 || seconds < 1) {
        fprintf(stderr, "usage: flood SOCKET CLIENTS RATE SECONDS [IDLE-CONNECTIONS]\n");
        return 2;
    }
    (void)setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < idle; i++)
        (void)connect_to(argv[1]);
    state = calloc((size_t)clients, sizeof(*state));
    fds = calloc((size_t)clients, sizeof(*fds));
    times = calloc((size_t)(rate * seconds), sizeof(*times));
    if (!state || !fds || !times)
        give_up("memory");
    for (int i = 0; i < clients; i++)
        fds[i] = (struct pollfd){.fd = connect_to(argv[1]), .events = POLLIN};
    began = now_us();
    while (now_us() - began < seconds * 1000000) {
        int64_t due = (now_us() - began) * rate / 1000000;

        for (int i = 0; i < clients && asked < due; i++) {
            if (state[i].asked_us > 0)
                continue;
            if (send(fds[i].fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
                give_up("send");
            state[i].asked_us = now_us();
            asked++;
        }
        (void)poll(fds, (nfds_t)clients, 1);
        for (int i = 0; i < clients; i++) {
            if ((fds[i].revents & POLLIN) == 0 || !take(fds[i].fd, &bytes))
                continue;
            times[answered++] = now_us() - state[i].asked_us;
            state[i].asked_us = 0;
        }
    }
    qsort(times, (size_t)answered, sizeof(*times), by_size);
    printf(
        "asked,answered,answered_per_s,mib_per_s,median_us,p99_us\n%lld,%lld,%lld,%lld,%lld,%lld\n",
        (long long)asked, (long long)answered, (long long)(answered / seconds),
        (long long)(bytes / seconds / 1048576), (long long)(answered ? times[answered / 2] : 0),
        (long long)(answered ? times[answered * 99 / 100] : 0));
    free(times);
    free(fds);
    free(state);
    return 0;
}
