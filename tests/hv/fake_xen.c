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

#include "tests/hv/fake_xenstore.h"

#define PATH_ROOM 128
#define ALL_PAGES (8ull * 1024 * 1024 / 4) /* 8 GiB */

struct xc_interface_core {
    int unused;
};
struct xenevtchn_handle {
    int fd;
};

static struct {
    char folder[64];
    xc_domaininfo_t infos[FAKE_DOMAINS];
    int64_t pods[FAKE_DOMAINS];
    size_t n_handles;
    int countdown, failures;
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

void fake_xen_die(void)
{
    fake.infos[FAKE_HVM].flags |= XEN_DOMINF_dying;
    fake.pool = 0;
}

bool fake_xen_fails(const char *call)
{
    if (fake.failures == 0 || fake.countdown-- > 0)
        return false;
    fake.failures--;
    if (!fake.failed)
        fake.failed = call;
    errno = EIO;
    return true;
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
    fake_xenstore_begin();
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
    return fake.n_handles + fake_xenstore_held() + count_files();
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
                                fake_xenstore_number(target), fake_xenstore_number(own),
                                fake_xenstore_number(vm)};
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

    return fake_xen_fails("open") ? -1 : __real_open(place(path, moved), flags, 0600);
}

int __wrap_stat(const char *path, struct stat *out)
{
    char moved[PATH_ROOM];

    return fake_xen_fails("stat") ? -1 : __real_stat(place(path, moved), out);
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
    if (fake_xen_fails(__func__))
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
    if (fake_xen_fails(__func__))
        return -1;
    for (size_t i = 0; i < FAKE_DOMAINS; i++)
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
    if (fake_xen_fails(__func__))
        return -1;
    for (size_t i = first_domain; i < FAKE_DOMAINS && (unsigned)count < max_domains; i++) {
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
    return fake_xen_fails(__func__) ? -1 : 0;
}

int xc_numainfo(xc_interface *xch, unsigned *max_nodes, xc_meminfo_t *meminfo, uint32_t *distance)
{
    (void)xch;
    (void)distance;
    if (fake_xen_fails(__func__))
        return -1;
    *max_nodes = 1;
    meminfo[0] = (xc_meminfo_t){.memsize = ALL_PAGES * 4096, .memfree = 0};
    return 0;
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid, uint64_t max_memkb)
{
    (void)xch;
    if (fake_xen_fails(__func__))
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
    if (fake_xen_fails(__func__))
        return -1;
    fake.pods[domid] = (int64_t)target_pages * 4;
    return 0;
}

int xc_domain_get_pod_target(xc_interface *xch, uint32_t domid, uint64_t *tot_pages,
                             uint64_t *pod_cache_pages, uint64_t *pod_entries)
{
    (void)xch;
    (void)domid;
    if (fake_xen_fails(__func__))
        return -1;
    *tot_pages = *pod_cache_pages = *pod_entries = 0;
    return 0;
}

int xc_get_paging_mempool_size(xc_interface *xch, uint32_t domid, uint64_t *size)
{
    (void)xch;
    ck_assert_uint_eq(domid, FAKE_HVM); /* others have none */
    if (fake_xen_fails(__func__))
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
    if (fake_xen_fails(__func__))
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
    return fake_xen_fails(__func__) ? -1 : 1;
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
