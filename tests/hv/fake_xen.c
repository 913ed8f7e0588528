/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/hv/fake_xen.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenstore.h>

#define VALUES_MAX 64
#define EVENTS_MAX 256
#define PATH_ROOM  128
#define ALL_PAGES  (8ull * 1024 * 1024 / 4) /* 8 GiB */
#define GUESTS     4                        /* dom0 is the first */

struct value {
    char path[PATH_ROOM], text[PATH_ROOM];
};

struct store {
    struct value values[VALUES_MAX];
    size_t count;
};

struct watch {
    char path[PATH_ROOM], token[PATH_ROOM];
};

struct xc_interface_core {
    int unused;
};
struct xs_handle {
    int unused;
};
struct xenevtchn_handle {
    int fd;
};

static struct {
    char folder[64];
    xc_domaininfo_t infos[GUESTS];
    int64_t pods[GUESTS];
    struct store store, pending; /* pending: of the one open transaction */
    struct watch watches[VALUES_MAX];
    size_t n_watches;
    struct watch events[EVENTS_MAX];
    size_t n_events;
    size_t n_handles, n_transactions;
    int countdown, failures, disturbances;
    uint64_t moving;         /* pages, while the domains are next listed */
    uint64_t pool, pool_due; /* the HVM guest's pages for its tables, and those about to be */
    const char *failed;
} fake;

/* --- faults ---------------------------------------------------------------------------------- */

void fake_xen_fail(int nth, int times)
{
    fake.countdown = nth;
    fake.failures = nth < 0 ? 0 : times;
    fake.failed = NULL;
}

const char *fake_xen_failed(void)
{
    return fake.failed;
}

void fake_xen_disturb(int times)
{
    fake.disturbances = times;
}

void fake_xen_move_balloons(uint64_t pages)
{
    fake.moving = pages;
}

void fake_xen_build(uint64_t pages)
{
    fake.infos[FAKE_HVM].flags |= XEN_DOMINF_paused;
    fake.infos[FAKE_HVM].cpu_time = 0;
    fake.pool_due = pages;
}

static bool fails(const char *call)
{
    if (fake.failures == 0 || fake.countdown-- > 0)
        return false;
    fake.failures--;
    if (!fake.failed)
        fake.failed = call;
    errno = EIO;
    return true;
}

/* --- xenstore's tree ------------------------------------------------------------------------- */

static struct value *find_value(struct store *store, const char *path)
{
    for (size_t i = 0; i < store->count; i++)
        if (strcmp(store->values[i].path, path) == 0)
            return &store->values[i];
    return NULL;
}

static void set_value(struct store *store, const char *path, const char *text)
{
    struct value *value = find_value(store, path);

    if (!value) {
        ck_assert_uint_lt(store->count, VALUES_MAX);
        value = &store->values[store->count++];
        snprintf(value->path, sizeof(value->path), "%s", path);
    }
    snprintf(value->text, sizeof(value->text), "%s", text);
}

static void fire(const struct watch *watch)
{
    ck_assert_uint_lt(fake.n_events, EVENTS_MAX);
    fake.events[fake.n_events++] = *watch;
}

static void fire_all(const char *path)
{
    for (size_t i = 0; i < fake.n_watches; i++)
        if (strcmp(fake.watches[i].path, path) == 0)
            fire(&fake.watches[i]);
}

static int64_t number_at(const char *path)
{
    const struct value *value = find_value(&fake.store, path);

    return value ? strtoll(value->text, NULL, 10) : -1;
}

void fake_xen_write(uint32_t domid, const char *name, const char *value)
{
    char path[PATH_ROOM];

    snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/%s", domid, name);
    set_value(&fake.store, path, value);
    fire_all(path);
}

/* --- begin and end --------------------------------------------------------------------------- */

static void add_guest(uint32_t domid, const char *name, uint32_t flags)
{
    xc_domaininfo_t *info = &fake.infos[domid];

    *info = (xc_domaininfo_t){.domain = (domid_t)domid,
                              .flags = flags,
                              .cpu_time = 1,
                              .tot_pages = 256 * 1024,
                              .max_pages = 256 * 1024 + 256};
    memset(info->handle, (int)domid, sizeof(info->handle));
    fake.pods[domid] = -1;
    fake_xen_write(domid, "name", name);
    fake_xen_write(domid, "memory/target", "1048576");
    fake_xen_write(domid, "memory/static-max", "2097152");
}

static void make_file(const char *name, const char *text)
{
    char path[PATH_ROOM];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", fake.folder, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

void fake_xen_begin(void)
{
    memset(&fake, 0, sizeof(fake));
    strcpy(fake.folder, "/tmp/xenmem-fake-xen-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fake.folder));
    make_file("capabilities", "control_d\n");
    add_guest(0, "Domain-0", 0);
    add_guest(FAKE_PV, "pv", 0);
    add_guest(FAKE_HVM, "hvm", XEN_DOMINF_hvm_guest);
    add_guest(FAKE_STUB, "hvm-dm", 0);
    fake_xen_write(FAKE_STUB, "target", "2");
    fake_xen_fail(-1, 0);
}

void fake_xen_end(void)
{
    char path[PATH_ROOM];

    snprintf(path, sizeof(path), "%s/capabilities", fake.folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(fake.folder), 0);
}

const char *fake_xen_folder(void)
{
    return fake.folder;
}

/* All but the one that the control domain begins with. */
static size_t count_files(void)
{
    DIR *folder = opendir(fake.folder);
    size_t count = 0;

    ck_assert_ptr_nonnull(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.' && strcmp(entry->d_name, "capabilities") != 0;
    closedir(folder);
    return count;
}

size_t fake_xen_held(void)
{
    return fake.n_handles + fake.n_transactions + count_files();
}

struct fake_levers fake_xen_levers(uint32_t domid)
{
    char target[PATH_ROOM], own[PATH_ROOM], vm[PATH_ROOM];
    int length;

    snprintf(target, sizeof(target), "/local/domain/%" PRIu32 "/memory/target", domid);
    snprintf(own, sizeof(own), "/local/domain/%" PRIu32 "/memory/xenmem-target", domid);
    length = snprintf(vm, sizeof(vm), "/vm/");
    for (int i = 0; i < 16; i++)
        length += snprintf(vm + length, sizeof(vm) - (size_t)length, "%s%02x",
                           i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", (unsigned)domid);
    snprintf(vm + length, sizeof(vm) - (size_t)length, "/memory");
    return (struct fake_levers){(int64_t)fake.infos[domid].max_pages * 4, fake.pods[domid],
                                number_at(target), number_at(own), number_at(vm)};
}

/* --- the files of a control domain ----------------------------------------------------------- */

int __real_open(const char *path, int flags, ...);
int __real_stat(const char *path, struct stat *out);
int __real_unlink(const char *path);
int __wrap_open(const char *path, int flags, ...);
int __wrap_stat(const char *path, struct stat *out);
int __wrap_unlink(const char *path);

/* Xen's own paths are in the test's folder. */
static const char *place(const char *path, char out[PATH_ROOM])
{
    const char *const ours[] = {"/proc/xen/", "/var/lib/xen/"};

    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
        if (strncmp(path, ours[i], strlen(ours[i])) == 0) {
            snprintf(out, PATH_ROOM, "%s/%.60s", fake.folder, path + strlen(ours[i]));
            return out;
        }
    return path;
}

int __wrap_open(const char *path, int flags, ...)
{
    char moved[PATH_ROOM];

    return fails("open") ? -1 : __real_open(place(path, moved), flags, 0600);
}

int __wrap_stat(const char *path, struct stat *out)
{
    char moved[PATH_ROOM];

    return fails("stat") ? -1 : __real_stat(place(path, moved), out);
}

int __wrap_unlink(const char *path)
{
    char moved[PATH_ROOM];

    return __real_unlink(place(path, moved));
}

/* --- hypercalls ------------------------------------------------------------------------------ */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger,
                                unsigned open_flags)
{
    (void)logger;
    (void)dombuild_logger;
    (void)open_flags;
    if (fails(__func__))
        return NULL;
    fake.n_handles++;
    return calloc(1, sizeof(struct xc_interface_core));
}

int xc_interface_close(xc_interface *xch)
{
    free(xch);
    fake.n_handles--;
    return 0;
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
    uint64_t held = 0;

    (void)xch;
    if (fails(__func__))
        return -1;
    for (size_t i = 0; i < GUESTS; i++)
        held += fake.infos[i].tot_pages;
    info->total_pages = ALL_PAGES;
    info->free_pages = ALL_PAGES - held - fake.pool;
    return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain, unsigned int max_domains,
                          xc_domaininfo_t *info)
{
    int count = 0;

    (void)xch;
    if (fails(__func__))
        return -1;
    for (size_t i = first_domain; i < GUESTS && (unsigned)count < max_domains; i++) {
        info[count++] = fake.infos[i];
        if (i == FAKE_PV) {
            fake.infos[FAKE_PV].tot_pages += fake.moving;
            fake.infos[FAKE_HVM].tot_pages -= fake.moving;
            fake.moving = 0;
        }
    }
    return count;
}

long xc_sharing_freed_pages(xc_interface *xch)
{
    (void)xch;
    return fails(__func__) ? -1 : 0;
}

int xc_numainfo(xc_interface *xch, unsigned *max_nodes, xc_meminfo_t *meminfo, uint32_t *distance)
{
    (void)xch;
    (void)distance;
    if (fails(__func__))
        return -1;
    *max_nodes = 1;
    meminfo[0] = (xc_meminfo_t){.memsize = ALL_PAGES * 4096, .memfree = 0};
    return 0;
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid, uint64_t max_memkb)
{
    (void)xch;
    if (fails(__func__))
        return -1;
    fake.infos[domid].max_pages = max_memkb / 4;
    return 0;
}

int xc_domain_set_pod_target(xc_interface *xch, uint32_t domid, uint64_t target_pages,
                             uint64_t *tot_pages, uint64_t *pod_cache_pages, uint64_t *pod_entries)
{
    (void)xch;
    (void)tot_pages;
    (void)pod_cache_pages;
    (void)pod_entries;
    if (fails(__func__))
        return -1;
    fake.pods[domid] = (int64_t)target_pages * 4;
    return 0;
}

int xc_domain_get_pod_target(xc_interface *xch, uint32_t domid, uint64_t *tot_pages,
                             uint64_t *pod_cache_pages, uint64_t *pod_entries)
{
    (void)xch;
    (void)domid;
    if (fails(__func__))
        return -1;
    *tot_pages = *pod_cache_pages = *pod_entries = 0;
    return 0;
}

int xc_get_paging_mempool_size(xc_interface *xch, uint32_t domid, uint64_t *size)
{
    (void)xch;
    ck_assert_uint_eq(domid, FAKE_HVM); /* others have none, or are built */
    if (fails(__func__))
        return -1;
    fake.pool += fake.pool_due;
    fake.pool_due = 0;
    *size = fake.pool * 4096;
    return 0;
}

/* --- event channels -------------------------------------------------------------------------- */

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
    struct xenevtchn_handle *handle;

    (void)logger;
    (void)flags;
    if (fails(__func__))
        return NULL;
    handle = calloc(1, sizeof(*handle));
    ck_assert_ptr_nonnull(handle);
    handle->fd = __real_open("/dev/null", O_RDONLY | O_CLOEXEC);
    fake.n_handles++;
    return handle;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
    close(xce->fd);
    free(xce);
    fake.n_handles--;
    return 0;
}

int xenevtchn_fd(xenevtchn_handle *xce)
{
    return xce->fd;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce, unsigned int virq)
{
    (void)xce;
    (void)virq;
    return fails(__func__) ? -1 : 1;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *xce)
{
    (void)xce;
    return -1;
}

int xenevtchn_unmask(xenevtchn_handle *xce, evtchn_port_t port)
{
    (void)xce;
    (void)port;
    return 0;
}

/* --- xenstore -------------------------------------------------------------------------------- */

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    if (fails(__func__))
        return NULL;
    fake.n_handles++;
    return calloc(1, sizeof(struct xs_handle));
}

void xs_close(struct xs_handle *xsh)
{
    free(xsh);
    fake.n_watches = fake.n_events = 0;
    fake.n_handles--;
}

int xs_fileno(struct xs_handle *h)
{
    (void)h;
    return 0;
}

static struct watch *find_watch(const char *path, const char *token)
{
    for (size_t i = 0; i < fake.n_watches; i++)
        if (strcmp(fake.watches[i].path, path) == 0 && strcmp(fake.watches[i].token, token) == 0)
            return &fake.watches[i];
    return NULL;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
    struct watch *watch;

    (void)h;
    if (fails(__func__))
        return false;
    if (find_watch(path, token)) {
        errno = EEXIST;
        return false;
    }
    ck_assert_uint_lt(fake.n_watches, VALUES_MAX);
    watch = &fake.watches[fake.n_watches++];
    snprintf(watch->path, sizeof(watch->path), "%s", path);
    snprintf(watch->token, sizeof(watch->token), "%s", token);
    fire(watch);
    return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
    struct watch *watch = find_watch(path, token);

    (void)h;
    if (fails(__func__) || !watch)
        return false;
    *watch = fake.watches[--fake.n_watches];
    return true;
}

char **xs_check_watch(struct xs_handle *h)
{
    char **event;

    (void)h;
    if (fails(__func__))
        return NULL;
    if (fake.n_events == 0) {
        errno = EAGAIN;
        return NULL;
    }
    fake.n_events--;
    event = calloc(1, 2 * sizeof(*event) + sizeof(struct watch));
    ck_assert_ptr_nonnull(event);
    memcpy(event + 2, &fake.events[0], sizeof(struct watch));
    memmove(&fake.events[0], &fake.events[1], fake.n_events * sizeof(struct watch));
    event[XS_WATCH_PATH] = ((struct watch *)(void *)(event + 2))->path;
    event[XS_WATCH_TOKEN] = ((struct watch *)(void *)(event + 2))->token;
    return event;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
    const struct value *value = find_value(&fake.store, path);

    (void)h;
    (void)t;
    if (fails(__func__))
        return NULL;
    if (!value) {
        errno = ENOENT;
        return NULL;
    }
    *len = (unsigned)strlen(value->text);
    return strdup(value->text);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
              unsigned int len)
{
    char text[PATH_ROOM];

    (void)h;
    ck_assert_uint_ne(t, XBT_NULL); /* all or nothing */
    if (fails(__func__))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)data);
    set_value(&fake.pending, path, text);
    return true;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
    (void)h;
    if (fails(__func__))
        return XBT_NULL;
    ck_assert_uint_eq(fake.n_transactions, 0);
    fake.n_transactions++;
    fake.pending = (struct store){0};
    return 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
    (void)h;
    ck_assert_uint_eq(t, 1);
    fake.n_transactions--;
    if (fails(__func__))
        return false;
    if (!abort && fake.disturbances > 0) {
        fake.disturbances--;
        errno = EAGAIN;
        return false;
    }
    for (size_t i = 0; i < fake.pending.count && !abort; i++) {
        set_value(&fake.store, fake.pending.values[i].path, fake.pending.values[i].text);
        fire_all(fake.pending.values[i].path);
    }
    return true;
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid)
{
    (void)h;
    return !fails(__func__) && domid < GUESTS;
}
