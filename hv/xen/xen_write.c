/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only writes to domains: cap, populate-on-demand target, memory/target, the way
 * libxl_set_memory_target does it and under its lock. Right before each, the domain is looked at
 * once more: domids are reused, and guests shut down at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "hv/domain_state.h"
#include "hv/xen/xen.h"

#define UUID_TEXT 37

static void format_uuid(const uint8_t uuid[16], char out[UUID_TEXT])
{
    char *at = out;

    for (int i = 0; i < 16; i++)
        at += sprintf(at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

/* libxl's own lock on a domain's memory. Never waited for. */
struct userdata_lock {
    char path[160];
    int fd;
};

static bool is_still_the_file(const struct userdata_lock *lock)
{
    struct stat open_one, named_one;

    return fstat(lock->fd, &open_one) == 0 && stat(lock->path, &named_one) == 0 &&
           open_one.st_dev == named_one.st_dev && open_one.st_ino == named_one.st_ino;
}

static int lock_userdata(const struct hv_ref *ref, struct userdata_lock *lock, struct err *err)
{
    char uuid[UUID_TEXT];

    format_uuid(ref->uuid, uuid);
    snprintf(lock->path, sizeof(lock->path),
             "/var/lib/xen/userdata-l.%" PRIu32 ".%s.domain-userdata-lock", ref->domid, uuid);
    lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock->fd < 0)
        return err_set_errno(err, ERR_FAILED, errno, "open %s", lock->path);
    /* Whoever had it before unlinked it: what we hold is then a lock on nothing. */
    if (flock(lock->fd, LOCK_EX | LOCK_NB) == 0 && is_still_the_file(lock))
        return 0;
    close(lock->fd);
    return err_set(err, ERR_BUSY, "xl or libvirt works on this domain right now");
}

/* Unlinked before it is released, as libxl does, so that no lock files pile up. */
static void unlock_userdata(struct userdata_lock *lock)
{
    unlink(lock->path);
    close(lock->fd);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int gone(struct err *err, const char *why)
{
    return err_set(err, ERR_NOT_FOUND, "%s", why);
}

/* The write gate: it is the same domain, and nothing goes on with it but running. *cap_now is its
 * cap. */
static int check_gate(struct xen *xen, const struct hv_ref *ref, struct kib *cap_now,
                      struct err *err)
{
    const struct xen_domain *known = domains_find(xen, ref->domid);
    xc_domaininfo_t info;
    int count = xc_domain_getinfolist(xen->xc, ref->domid, 1, &info);

    if (count < 0)
        return err_set_errno(err, ERR_FAILED, errno, "ask the hypervisor for the domain");
    if (count != 1 || info.domain != ref->domid ||
        memcmp(info.handle, ref->uuid, sizeof(ref->uuid)) != 0 || !known ||
        memcmp(known->seen.ref.uuid, ref->uuid, sizeof(ref->uuid)) != 0)
        return gone(err, "the domain is gone");
    if (info.flags & (XEN_DOMINF_dying | XEN_DOMINF_shutdown | XEN_DOMINF_paused))
        return gone(err, "the domain is not running any more");
    if (known->seen.dom0 || !known->introduced || domain_name_migrates(known->seen.name))
        return gone(err, "the domain is not a VM in normal operation");
    if (savers_check(&xen->savers, ref->domid, now_ms(), err))
        return -1;
    *cap_now = kib_from_pages(info.max_pages);
    return 0;
}

static int set_cap(struct xen *xen, uint32_t domid, struct kib cap, struct err *err)
{
    if (xc_domain_setmaxmem(xen->xc, domid, (uint64_t)cap.v))
        return err_set_errno(err, ERR_FAILED, errno, "set the domain's cap");
    return 0;
}

static int set_pod(struct xen *xen, const struct xen_domain *domain, struct kib target,
                   struct err *err)
{
    if (domain->seen.pv)
        return 0;
    if (xc_domain_set_pod_target(xen->xc, domain->seen.ref.domid,
                                 kib_to_pages(kib_add(target, CAP_SLACK)), NULL, NULL, NULL))
        return err_set_errno(err, ERR_FAILED, errno, "set the domain's populate-on-demand target");
    return 0;
}

static bool put(struct xen *xen, const char *path, const char *text)
{
    return xs_write(xen->xs, XBT_NULL, path, text, (unsigned)strlen(text));
}

/* Our own copy of the target; and beside it the one before, while it is not known which of the two
 * is there. Whenever we die, the target is one of them, and so is known to be ours. */
static bool put_own(struct xen *xen, uint32_t domid, struct kib target, const struct kib *before)
{
    char path[64], text[48];

    snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/" OWN_TARGET, domid);
    if (before)
        snprintf(text, sizeof(text), "%" PRId64 " %" PRId64, target.v, before->v);
    else
        snprintf(text, sizeof(text), "%" PRId64, target.v);
    return put(xen, path, text);
}

static bool put_target(struct xen *xen, uint32_t domid, struct kib target)
{
    char path[64], text[24];

    snprintf(path, sizeof(path), "/local/domain/%" PRIu32 "/memory/target", domid);
    snprintf(text, sizeof(text), "%" PRId64, target.v);
    return put(xen, path, text);
}

/* For the toolstack, which shows it and nothing else. */
static bool put_vm_memory(struct xen *xen, const struct hv_ref *ref, struct kib target)
{
    char path[80], text[24], uuid[UUID_TEXT];

    format_uuid(ref->uuid, uuid);
    snprintf(path, sizeof(path), "/vm/%s/memory", uuid);
    snprintf(text, sizeof(text), "%" PRId64, target.v / 1024);
    return put(xen, path, text);
}

/* The guest waits for its target: what can follow it does. A transaction would take it three more
 * answers of xenstored's to see it, of a millisecond and more each. */
static int write_store(struct xen *xen, const struct hv_ref *ref, struct kib target,
                       struct kib before, struct err *err)
{
    if (!put_own(xen, ref->domid, target, &before) || !put_target(xen, ref->domid, target))
        return err_set_errno(err, ERR_FAILED, errno, "write the domain's target to xenstore");
    (void)put_own(xen, ref->domid, target, NULL); /* else both stay there, which is as good */
    (void)put_vm_memory(xen, ref, target);
    return 0;
}

static void remember_target(struct xen_domain *domain, struct kib target, struct kib cap)
{
    domain->seen.target = domain->seen.own_target = target;
    domain->seen.has_own_target = true;
    domain->seen.cap = cap;
}

/* A target that differs from our copy was set by hand since we looked: it is not ours to replace
 * unseen. */
static int check_not_overridden(struct xen *xen, struct xen_domain *domain, struct err *err)
{
    struct kib target = kib(0);

    xen->read_failed = false;
    (void)store_read_amount(xen, domain->seen.ref.domid, "memory/target", &target);
    if (xen->read_failed)
        return err_set(err, ERR_FAILED, "the domain's target cannot be read from xenstore");
    if (target.v == domain->seen.target.v)
        return 0;
    domain->stale |= STALE_MEMORY;
    return err_set(err, ERR_BUSY, "somebody else has just set the domain's target");
}

/* Nobody was told of the new target: what fits the old one is put back. */
static void take_back(struct xen *xen, const struct xen_domain *domain, struct kib cap)
{
    (void)set_cap(xen, domain->seen.ref.domid, cap, NULL);
    (void)set_pod(xen, domain, domain->seen.target, NULL);
}

static int write_locked(struct xen *xen, const struct hv_ref *ref, struct kib target,
                        struct kib cap, struct kib cap_now, struct err *err)
{
    struct xen_domain *domain = domains_find(xen, ref->domid);

    if (check_not_overridden(xen, domain, err) || set_cap(xen, ref->domid, cap, err))
        return -1;
    if (set_pod(xen, domain, target, err) ||
        write_store(xen, ref, target, domain->seen.target, err)) {
        take_back(xen, domain, cap_now);
        return -1;
    }
    remember_target(domain, target, cap);
    return 0;
}

int write_target(struct hv *hv, const struct hv_ref *ref, struct kib target, struct kib cap,
                 struct err *err)
{
    struct xen *xen = (struct xen *)hv;
    struct userdata_lock lock;
    struct kib cap_now;
    int rc;

    if (lock_userdata(ref, &lock, err))
        return -1;
    rc = check_gate(xen, ref, &cap_now, err);
    if (rc == 0)
        rc = write_locked(xen, ref, target, cap, cap_now, err);
    unlock_userdata(&lock);
    return rc;
}

int write_cap(struct hv *hv, const struct hv_ref *ref, struct kib cap, struct err *err)
{
    struct xen *xen = (struct xen *)hv;
    struct userdata_lock lock;
    struct kib cap_now;
    int rc;

    if (lock_userdata(ref, &lock, err))
        return -1;
    rc = check_gate(xen, ref, &cap_now, err);
    if (rc == 0)
        rc = set_cap(xen, ref->domid, cap, err);
    unlock_userdata(&lock);
    return rc;
}

int write_adopt(struct hv *hv, const struct hv_ref *ref, struct err *err)
{
    struct xen *xen = (struct xen *)hv;
    struct kib cap_now;
    struct xen_domain *domain;

    if (check_gate(xen, ref, &cap_now, err))
        return -1;
    domain = domains_find(xen, ref->domid);
    if (!put_own(xen, ref->domid, domain->seen.target, NULL))
        return err_set_errno(err, ERR_FAILED, errno, "write our copy of the target to xenstore");
    domain->seen.own_target = domain->seen.target;
    domain->seen.has_own_target = true;
    return 0;
}
