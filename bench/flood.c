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

/* All clients, and what they have seen. */
struct flood {
    struct pollfd *fds;
    int64_t *asked_us; /* of each client; 0: it has asked nothing that is not answered */
    int clients;
    int64_t asked, answered, bytes;
    int64_t *times; /* µs from request to answer */
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

static void *room_for(int64_t n, size_t size)
{
    void *room = calloc((size_t)n, size);

    if (!room)
        give_up("memory");
    return room;
}

static struct flood open_flood(const char *path, int clients, int64_t requests)
{
    struct flood flood = {
        .clients = clients,
        .fds = room_for(clients, sizeof(*flood.fds)),
        .asked_us = room_for(clients, sizeof(*flood.asked_us)),
        .times = room_for(requests, sizeof(*flood.times)),
    };

    for (int i = 0; i < clients; i++)
        flood.fds[i] = (struct pollfd){.fd = connect_to(path), .events = POLLIN};
    return flood;
}

static void close_flood(struct flood *flood)
{
    free(flood->fds);
    free(flood->asked_us);
    free(flood->times);
}

/* Whoever has its answer asks again, until as many were asked as are due. */
static void ask(struct flood *flood, int64_t due)
{
    for (int i = 0; i < flood->clients && flood->asked < due; i++) {
        if (flood->asked_us[i] > 0)
            continue;
        if (send(flood->fds[i].fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
            give_up("send");
        flood->asked_us[i] = now_us();
        flood->asked++;
    }
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

static void take_all(struct flood *flood)
{
    (void)poll(flood->fds, (nfds_t)flood->clients, 1);
    for (int i = 0; i < flood->clients; i++) {
        if ((flood->fds[i].revents & POLLIN) == 0 || !take(flood->fds[i].fd, &flood->bytes))
            continue;
        flood->times[flood->answered++] = now_us() - flood->asked_us[i];
        flood->asked_us[i] = 0;
    }
}

static void tell(struct flood *flood, int64_t seconds)
{
    int64_t n = flood->answered;

    qsort(flood->times, (size_t)n, sizeof(*flood->times), by_size);
    puts("asked,answered,answered_per_s,mib_per_s,median_us,p99_us");
    printf("%lld,%lld,%lld,%lld,%lld,%lld\n", (long long)flood->asked, (long long)n,
           (long long)(n / seconds), (long long)(flood->bytes / seconds / 1048576),
           (long long)(n ? flood->times[n / 2] : 0),
           (long long)(n ? flood->times[n * 99 / 100] : 0));
}

int main(int argc, char **argv)
{
    int clients = argc > 4 ? atoi(argv[2]) : 0, idle = argc > 5 ? atoi(argv[5]) : 0;
    int64_t rate = argc > 4 ? atoll(argv[3]) : 0, seconds = argc > 4 ? atoll(argv[4]) : 0;
    const struct rlimit files = {.rlim_cur = 2048, .rlim_max = 2048};
    struct flood flood;
    int64_t began;

    if (clients < 1 || rate < 1 || seconds < 1) {
        fprintf(stderr, "usage: flood SOCKET CLIENTS RATE SECONDS [IDLE-CONNECTIONS]\n");
        return 2;
    }
    (void)setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < idle; i++)
        (void)connect_to(argv[1]);
    flood = open_flood(argv[1], clients, rate * seconds);
    began = now_us();
    while (now_us() - began < seconds * 1000000) {
        ask(&flood, (now_us() - began) * rate / 1000000);
        take_all(&flood);
    }
    tell(&flood, seconds);
    close_flood(&flood);
    return 0;
}
