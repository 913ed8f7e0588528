/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uses memory in a guest as the host says: reads "KIND MIB [KIND MIB…]" from its own xenstore key
 * data/workload whenever that changes, makes it so, and answers with the same text in
 * data/workload-done. A kind that is not named is given back. "ready" stands there once it listens.
 * "run COMMAND" has a shell carry it out instead.
 *
 * anon, shm, tmpfs: memory of these sorts. pin: anonymous and locked. huge: set aside for huge
 * pages. cache: a page cache, of a file without blocks that is read through a loop device, so that
 * nothing else holds memory. swap: the size of a swap in compressed memory. pace: MiB a second that
 * tmpfs grows by; 0: as fast as can be. Of all sorts tmpfs is the one that emulation does not slow
 * down: no page has to be zeroed or mapped.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#define WANTED "data/workload"
#define DONE   "data/workload-done"
#define MIB    ((size_t)1 << 20)

/* One way of using memory. */
struct kind {
    const char *name;
    int (*resize)(struct kind *kind, size_t mib); /* 0, or −1 with errno */
    size_t mib;                                   /* in use now */
    char *memory;                                 /* of mapped kinds: one mapping */
};

static size_t pace_mib; /* a second; 0: no limit */

static char *map(size_t mib, int flags)
{
    return mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
}

/* Every page is written to, each with something else: the kernel has to have them all. */
static void touch(char *from, size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    for (size_t at = 0; at < length; at += page)
        memcpy(from + at, &at, sizeof(at));
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int resize_pace(struct kind *kind, size_t mib)
{
    (void)kind;
    pace_mib = mib;
    return 0;
}

static int resize_anon(struct kind *kind, size_t mib)
{
    char *memory;

    if (mib == 0)
        return kind->mib ? munmap(kind->memory, kind->mib * MIB) : 0;
    memory = kind->mib ? mremap(kind->memory, kind->mib * MIB, mib * MIB, MREMAP_MAYMOVE)
                       : map(mib, MAP_PRIVATE | MAP_NORESERVE);
    if (memory == MAP_FAILED)
        return -1;
    kind->memory = memory;
    if (mib > kind->mib)
        touch(memory + kind->mib * MIB, (mib - kind->mib) * MIB);
    return 0;
}

/* Given back as a whole, and made anew. */
static int remap(struct kind *kind, size_t mib, int flags)
{
    if (kind->mib && munmap(kind->memory, kind->mib * MIB))
        return -1;
    kind->mib = 0;
    if (mib == 0)
        return 0;
    kind->memory = map(mib, flags);
    if (kind->memory == MAP_FAILED)
        return -1;
    touch(kind->memory, mib * MIB);
    return 0;
}

static int resize_shm(struct kind *kind, size_t mib)
{
    return remap(kind, mib, MAP_SHARED);
}

static int resize_pin(struct kind *kind, size_t mib)
{
    return remap(kind, mib, MAP_PRIVATE | MAP_LOCKED);
}

/* The kernel sets aside what it finds: less is a failure. */
static int resize_huge(struct kind *kind, size_t mib)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/sys/vm/nr_hugepages", "r+");

    (void)kind;
    if (!file)
        return -1;
    fprintf(file, "%zu", mib / 2);
    rewind(file);
    if (fscanf(file, "%lu", &pages) == 1 && pages != mib / 2)
        errno = ENOMEM;
    fclose(file);
    return pages == mib / 2 ? 0 : -1;
}

/* A MiB at a time, and no sooner than the pace has it. 0, or −1 with errno. */
static int allocate_in_pace(int fd, size_t from_mib, size_t mib)
{
    int64_t begin = now_us();

    for (size_t i = 0; i < mib; i++) {
        int64_t early = pace_mib ? begin + (int64_t)(i * 1000000 / pace_mib) - now_us() : 0;

        if (early > 0)
            usleep((useconds_t)early);
        if (fallocate(fd, 0, (off_t)((from_mib + i) * MIB), (off_t)MIB))
            return -1;
    }
    printf("workload: %zu MiB within %lld ms\n", mib, (long long)(now_us() - begin) / 1000);
    return 0;
}

static int resize_tmpfs(struct kind *kind, size_t mib)
{
    int fd = open("/tmp/load", O_RDWR | O_CREAT, 0600);
    int code;

    if (fd < 0)
        return -1;
    code = ftruncate(fd, (off_t)(mib * MIB));
    if (code == 0 && mib > kind->mib)
        code = allocate_in_pace(fd, kind->mib, mib - kind->mib);
    close(fd);
    return code;
}

static int read_all(const char *path, size_t length)
{
    static char buffer[64 * 1024];
    int fd = open(path, O_RDONLY);
    size_t done = 0;
    ssize_t part = 0;

    if (fd < 0)
        return -1;
    while (done < length && (part = read(fd, buffer, sizeof(buffer))) > 0)
        done += (size_t)part;
    close(fd);
    return part < 0 ? -1 : 0;
}

/* The device stays open: its cache goes with whoever closes it last. */
static int resize_cache(struct kind *kind, size_t mib)
{
    static int loop = -1;
    int file, code = -1;

    if (loop >= 0) {
        ioctl(loop, LOOP_CLR_FD);
        close(loop);
        loop = -1;
    }
    (void)kind;
    if (mib == 0)
        return 0;
    loop = open("/dev/loop0", O_RDWR);
    file = open("/tmp/holes", O_RDWR | O_CREAT, 0600);
    if (loop >= 0 && file >= 0 && ftruncate(file, (off_t)(mib * MIB)) == 0 &&
        ioctl(loop, LOOP_SET_FD, file) == 0)
        code = read_all("/dev/loop0", mib * MIB);
    if (file >= 0)
        close(file);
    return code;
}

static int resize_swap(struct kind *kind, size_t mib)
{
    char command[160];

    if (kind->mib && system("swapoff /dev/zram0 && echo 1 >/sys/block/zram0/reset"))
        return -1;
    if (mib == 0)
        return 0;
    snprintf(command, sizeof(command),
             "echo %zuM >/sys/block/zram0/disksize && mkswap /dev/zram0 && swapon /dev/zram0", mib);
    return system(command) ? -1 : 0;
}

/* In the order in which they are made so. */
static struct kind kinds[] = {
    {.name = "pace", .resize = resize_pace},   {.name = "swap", .resize = resize_swap},
    {.name = "anon", .resize = resize_anon},   {.name = "shm", .resize = resize_shm},
    {.name = "tmpfs", .resize = resize_tmpfs}, {.name = "pin", .resize = resize_pin},
    {.name = "huge", .resize = resize_huge},   {.name = "cache", .resize = resize_cache},
};
#define N_KINDS (sizeof(kinds) / sizeof(*kinds))

/* The amount that text gives a kind; 0 where it does not name it. */
static size_t wanted_mib(const char *text, const char *name)
{
    char kind[16];
    unsigned long mib;
    int length;

    while (sscanf(text, "%15s %lu%n", kind, &mib, &length) == 2) {
        if (strcmp(kind, name) == 0)
            return mib;
        text += length;
    }
    return 0;
}

static void answer(struct xs_handle *xs, const char *text)
{
    if (!xs_write(xs, XBT_NULL, DONE, text, (unsigned)strlen(text)))
        printf("workload: cannot answer: %s\n", strerror(errno));
}

/* 0, or −1 with what failed in said. */
static int resize(struct kind *kind, size_t mib, char *said, size_t room)
{
    if (kind->resize(kind, mib)) {
        snprintf(said, room, "failed: %s %zu: %s", kind->name, mib, strerror(errno));
        return -1;
    }
    kind->mib = mib;
    return 0;
}

/* What is given back goes first, the last kind before the others: swap has to hold what is in it
 * until that is gone. */
static int resize_all(const char *text, char *said, size_t room)
{
    for (size_t i = N_KINDS; i-- > 0;) {
        size_t mib = wanted_mib(text, kinds[i].name);

        if (mib < kinds[i].mib && resize(&kinds[i], mib, said, room))
            return -1;
    }
    for (size_t i = 0; i < N_KINDS; i++) {
        size_t mib = wanted_mib(text, kinds[i].name);

        if (mib > kinds[i].mib && resize(&kinds[i], mib, said, room))
            return -1;
    }
    return 0;
}

static void obey(struct xs_handle *xs, const char *text)
{
    char said[128];

    if (strncmp(text, "run ", 4) == 0)
        answer(xs, system(text + 4) ? "failed: the command" : text);
    else
        answer(xs, resize_all(text, said, sizeof(said)) ? said : text);
}

/* /dev/xen/xenbus answers before the guest is connected with errors of its own. */
static struct xs_handle *connect_store(void)
{
    struct xs_handle *xs = xs_open(0);

    while (!xs || !xs_watch(xs, WANTED, "")) {
        printf("workload: no xenstore yet: %s\n", strerror(errno));
        if (xs)
            xs_close(xs);
        sleep(1);
        xs = xs_open(0);
    }
    return xs;
}

int main(void)
{
    struct xs_handle *xs = connect_store();

    answer(xs, "ready");
    for (;;) {
        unsigned n, length;
        char **event = xs_read_watch(xs, &n), *text;

        if (!event) {
            printf("workload: watching failed: %s\n", strerror(errno));
            return 1;
        }
        free(event);
        text = xs_read(xs, XBT_NULL, WANTED, &length);
        if (text && length)
            obey(xs, text);
        free(text);
    }
}
