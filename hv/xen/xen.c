/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Xen backend: opening, the host's own figures, and the table of operations. */
#include "hv/xen/xen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/invariant.h"
#include "hv/exec_news.h"

#define VIRQ_LOW_MEMORY 12 /* VIRQ_ENOMEM of xen/include/public/xen.h */

static struct xen *xen_of(struct hv *hv)
{
    return (struct xen *)hv;
}

static void xen_close(struct hv *hv)
{
    struct xen *xen = xen_of(hv);

    if (xen->evtchn)
        xenevtchn_close(xen->evtchn);
    if (xen->savers.has_news)
        close(xen->savers.news);
    if (xen->watches)
        xs_close(xen->watches);
    if (xen->xs)
        xs_close(xen->xs);
    if (xen->xc)
        xc_interface_close(xen->xc);
    free(xen->infos);
    free(xen->known);
    free(xen->view);
    free(xen);
}

static size_t xen_fds(struct hv *hv, int fds[HV_MAX_FDS])
{
    struct xen *xen = xen_of(hv);
    size_t count = 0;

    fds[count++] = xs_fileno(xen->watches);
    if (xen->evtchn)
        fds[count++] = xenevtchn_fd(xen->evtchn);
    return count;
}

/* The hypervisor's signal that free memory fell below its threshold. */
static void drain_low_memory(struct xen *xen, unsigned *changes)
{
    xenevtchn_port_or_error_t port;

    if (!xen->evtchn)
        return;
    while ((port = xenevtchn_pending(xen->evtchn)) >= 0) {
        (void)xenevtchn_unmask(xen->evtchn, (evtchn_port_t)port);
        *changes |= HV_LOW_MEMORY;
    }
}

static int xen_drain(struct hv *hv, unsigned *changes, struct err *err)
{
    struct xen *xen = xen_of(hv);

    *changes = 0;
    drain_low_memory(xen, changes);
    return store_drain(xen, changes, err);
}

static int ask_host(struct xen *xen, xc_physinfo_t *out, struct err *err)
{
    *out = (xc_physinfo_t){0};
    if (xc_physinfo(xen->xc, out)) {
        err_set_errno(err, ERR_UNREACHABLE, errno, "ask the hypervisor for the host's memory");
        return err_advise(err, XEN_MISMATCH);
    }
    return 0;
}

static uint64_t held_pages(const struct xen *xen)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < xen->n_infos; i++)
        sum += xen->infos[i].tot_pages;
    return sum;
}

/* All hypercalls about memory in one go; xenstore takes its time afterwards. */
static int read_memory(struct xen *xen, struct hv_host *host, struct err *err)
{
    xc_physinfo_t before, after;
    uint64_t free_pages;
    int tries = 0;

    do {
        if (ask_host(xen, &before, err) || domains_query(xen, err) || ask_host(xen, &after, err))
            return -1;
    } while (!moment_fits(&xen->moment, before.free_pages, held_pages(xen), after.free_pages,
                          &free_pages) &&
             ++tries < MOMENT_TRIES);
    *host = (struct hv_host){
        .total = kib_from_pages(after.total_pages),
        .free = kib_from_pages(free_pages),
        .claimed = kib_from_pages(after.outstanding_pages),
    };
    return 0;
}

static void read_sharing(struct xen *xen, struct hv_host *host)
{
    long shared;

    if (xen->sharing_unsupported)
        return;
    shared = xc_sharing_freed_pages(xen->xc);
    xen->sharing_unsupported = shared < 0;
    host->shared = kib_from_pages(shared > 0 ? (uint64_t)shared : 0);
}

static void read_nodes(struct xen *xen, struct hv_host *host)
{
    xc_meminfo_t nodes[HV_MAX_NODES] = {0};
    unsigned count = HV_MAX_NODES;

    if (xc_numainfo(xen->xc, &count, nodes, NULL))
        return;
    for (unsigned i = 0; i < count && i < HV_MAX_NODES; i++) {
        if (nodes[i].memsize == XEN_INVALID_MEM_SZ)
            continue;
        host->nodes[host->n_nodes++] = (struct hv_node){kib((int64_t)(nodes[i].memsize / 1024)),
                                                        kib((int64_t)(nodes[i].memfree / 1024))};
    }
}

/* Once more where a pool has grown since free was read: only then does it count. That is once or
 * twice while a domain is built. */
static int look_at_domains(struct xen *xen, struct hv_host *host, struct err *err)
{
    for (int looks = 0; looks == 0 || (looks == 1 && xen->pool_moved); looks++) {
        if (read_memory(xen, host, err))
            return -1;
        domains_update(xen, xen->now_ms);
    }
    return 0;
}

static int xen_read(struct hv *hv, int64_t now_ms, struct hv_view *view, struct err *err)
{
    struct xen *xen = xen_of(hv);

    xen->n_reads = 0;
    xen->now_ms = now_ms;
    if (look_at_domains(xen, &view->host, err))
        return -1;
    read_sharing(xen, &view->host);
    read_nodes(xen, &view->host);
    xen->view = realloc(xen->view, (xen->n_known + 1) * sizeof(*xen->view));
    invariant(xen->view);
    for (size_t i = 0; i < xen->n_known; i++)
        xen->view[i] = xen->known[i].seen;
    view->domains = xen->view;
    view->n_domains = xen->n_known;
    view->n_reads = xen->n_reads;
    return 0;
}

static const struct hv_ops xen_ops = {
    .kind = "xen",
    .close = xen_close,
    .fds = xen_fds,
    .drain = xen_drain,
    .read = xen_read,
    .set_target = write_target,
    .set_cap = write_cap,
    .adopt_target = write_adopt,
};

static int check_control_domain(struct err *err)
{
    char text[64] = "";
    int fd = open("/proc/xen/capabilities", O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (fd < 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "this is not Xen's control domain (no /proc/xen/capabilities): run it in "
                       "dom0, or try a "
                       "simulated host with --backend sim:FILE");
    length = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (length <= 0 || !strstr(text, "control_d"))
        return err_set(err, ERR_UNSUPPORTED,
                       "this is a Xen guest, not the control domain: run it in dom0, or try a "
                       "simulated host with "
                       "--backend sim:FILE");
    return 0;
}

/* Somebody else may have bound the signal already; we then see shortage a little later, by looking.
 */
static void bind_low_memory(struct xen *xen)
{
    xen->evtchn = xenevtchn_open(NULL, 0);
    if (!xen->evtchn)
        return;
    if (xenevtchn_bind_virq(xen->evtchn, VIRQ_LOW_MEMORY) < 0 ||
        fcntl(xenevtchn_fd(xen->evtchn), F_SETFL, O_NONBLOCK)) {
        xenevtchn_close(xen->evtchn);
        xen->evtchn = NULL;
    }
}

static int open_all(struct xen *xen, struct err *err)
{
    if (check_control_domain(err))
        return -1;
    xen->xc = xc_interface_open(NULL, NULL, 0);
    if (!xen->xc)
        return err_set_errno(
            err, errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_UNREACHABLE, errno,
            "open /dev/xen/privcmd (is the module xen-privcmd loaded, and are you root?)");
    if (store_open(xen, err))
        return -1;
    bind_low_memory(xen);
    return 0;
}

int hv_xen_open(struct hv **out, struct err *err)
{
    struct xen *xen = calloc(1, sizeof(*xen));

    invariant(xen);
    xen->hv.ops = &xen_ops;
    xen->savers.proc = "/proc";
    xen->savers.news = exec_news_open();
    xen->savers.has_news = xen->savers.news >= 0;
    if (open_all(xen, err)) {
        xen_close(&xen->hv);
        return -1;
    }
    *out = &xen->hv;
    return 0;
}
