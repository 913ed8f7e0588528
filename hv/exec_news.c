/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/exec_news.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where a message has what. */
#define EVENT_AT   (NLMSG_HDRLEN + sizeof(struct cn_msg))
#define WHAT_AT    (EVENT_AT + offsetof(struct proc_event, what))
#define EXEC_AT    (EVENT_AT + offsetof(struct proc_event, event_data.exec.process_pid))
#define NAMED_AT   (EVENT_AT + offsetof(struct proc_event, event_data.comm.process_pid))
#define EVENT_MOST 512

/* Programs that begin between two looks, about a KiB each. */
#define QUEUE_BYTES (1 << 20)

/* Of all that happens to processes only what is asked for reaches our queue: programs that begin,
 * and our own mark. */
static int ask_for_little(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)WHAT_AT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_EXEC), 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(PROC_EVENT_COMM), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)NAMED_AT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl((uint32_t)getpid()), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, EVENT_MOST),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int ask_for_news(int fd)
{
    const enum proc_cn_mcast_op listen_to_it = PROC_CN_MCAST_LISTEN;
    const struct cn_msg ask = {.id = {CN_IDX_PROC, CN_VAL_PROC}, .len = sizeof(listen_to_it)};
    const struct nlmsghdr head = {.nlmsg_len = NLMSG_LENGTH(sizeof(ask) + sizeof(listen_to_it)),
                                  .nlmsg_type = NLMSG_DONE,
                                  .nlmsg_pid = (uint32_t)getpid()};
    char message[NLMSG_SPACE(sizeof(ask) + sizeof(listen_to_it))] = {0};

    memcpy(message, &head, sizeof(head));
    memcpy(message + NLMSG_HDRLEN, &ask, sizeof(ask));
    memcpy(message + EVENT_AT, &listen_to_it, sizeof(listen_to_it));
    return send(fd, message, head.nlmsg_len, 0) < 0 ? -1 : 0;
}

int exec_news_open(void)
{
    const struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
    const int queue = QUEUE_BYTES;
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_CONNECTOR);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue));
    if (ask_for_little(fd) == 0 && bind(fd, (const struct sockaddr *)&group, sizeof(group)) == 0 &&
        ask_for_news(fd) == 0)
        return fd;
    close(fd);
    return -1;
}

/* The kernel tells everybody when a process names itself. Done before reading, and as the last news
 * read, it proves that they come, and that all before it have come. */
static void leave_mark(void)
{
    char name[16];

    if (prctl(PR_GET_NAME, name) == 0)
        (void)prctl(PR_SET_NAME, name);
}

/* The word at an offset of a message; 0 beyond its end. */
static uint32_t word_at(const char *message, size_t length, size_t at)
{
    uint32_t word = 0;

    if (at + sizeof(word) <= length)
        memcpy(&word, message + at, sizeof(word));
    return word;
}

bool exec_news_read(int fd, void (*began)(void *arg, pid_t pid), void *arg)
{
    char message[EVENT_MOST];
    bool marked = false, lost = false;

    leave_mark();
    for (;;) {
        ssize_t length = recv(fd, message, sizeof(message), MSG_DONTWAIT);
        size_t size = length > 0 ? (size_t)length : 0;
        uint32_t what = word_at(message, size, WHAT_AT);

        if (length < 0 && errno == ENOBUFS)
            lost = true;
        else if (length <= 0)
            return marked && !lost;
        else if (what == PROC_EVENT_EXEC)
            began(arg, (pid_t)word_at(message, size, EXEC_AT));
        else if (what == PROC_EVENT_COMM)
            marked = word_at(message, size, NAMED_AT) == (uint32_t)getpid();
    }
}
