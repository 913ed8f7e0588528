/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uses memory in a guest as the host says: reads "KIND MIB [KIND MIB…]" from its own xenstore key
 * data/workload whenever that changes, makes it so, and answers with the same text in
 * data/workload-done. A kind that is not named is given back. "ready" stands there once it listens.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
    char *memory;                                 /* of anon: one mapping */
};

static char *map(size_t mib)
{
    return mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Every page is written to, each with something else: the kernel has to have them all. */
static void touch(char *from, size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    for (size_t at = 0; at < length; at += page)
        memcpy(from + at, &at, sizeof(at));
}

static int resize_anon(struct kind *kind, size_t mib)
{
    char *memory;

    if (mib == 0)
        return kind->mib ? munmap(kind->memory, kind->mib * MIB) : 0;
    memory =
        kind->mib ? mremap(kind->memory, kind->mib * MIB, mib * MIB, MREMAP_MAYMOVE) : map(mib);
    if (memory == MAP_FAILED)
        return -1;
    kind->memory = memory;
    if (mib > kind->mib)
        touch(memory + kind->mib * MIB, (mib - kind->mib) * MIB);
    return 0;
}

/* Guest root at its own balloon: the kernel tries to have so much, whatever the host's target is.
 */
static int write_target(struct kind *kind, size_t mib)
{
    FILE *file;

    (void)kind;
    if (mib == 0)
        return 0;
    file = fopen("/sys/devices/system/xen_memory/xen_memory0/target_kb", "we");
    if (!file)
        return -1;
    fprintf(file, "%zu", mib * 1024);
    return fclose(file);
}

static struct kind kinds[] = {
    {.name = "anon", .resize = resize_anon},
    {.name = "target", .resize = write_target},
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

static void obey(struct xs_handle *xs, const char *text)
{
    char said[128];

    for (size_t i = 0; i < N_KINDS; i++) {
        struct kind *kind = &kinds[i];
        size_t mib = wanted_mib(text, kind->name);

        if (kind->resize(kind, mib)) {
            snprintf(said, sizeof(said), "failed: %s %zu: %s", kind->name, mib, strerror(errno));
            answer(xs, said);
            return;
        }
        kind->mib = mib;
    }
    answer(xs, text);
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
