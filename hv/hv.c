/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hands each operation to the backend that was opened. */
#include "hv/hv.h"

#include <string.h>

#include "base/err.h"
#include "config.h"
#include "hv/hv_ops.h"

int hv_open(const char *backend, struct hv **out, struct err *err)
{
    if (strncmp(backend, "sim:", 4) == 0)
        return hv_sim_open(backend + 4, out, err);
    if (strcmp(backend, "xen") != 0)
        return err_set(err, ERR_INVALID, "backend '%s' is neither xen nor sim:FILE", backend);
#ifdef HAVE_XEN
    return hv_xen_open(out, err);
#else
    return err_set(err, ERR_UNSUPPORTED,
                   "this build has no Xen in it: use --backend sim:FILE, or build it with "
                   "libxen-dev installed");
#endif
}

void hv_close(struct hv *hv)
{
    if (hv)
        hv->ops->close(hv);
}

const char *hv_kind(const struct hv *hv)
{
    return hv->ops->kind;
}

size_t hv_fds(struct hv *hv, int fds[HV_MAX_FDS])
{
    return hv->ops->fds(hv, fds);
}

int hv_drain(struct hv *hv, unsigned *changes, struct err *err)
{
    return hv->ops->drain(hv, changes, err);
}

int hv_read(struct hv *hv, int64_t now_ms, struct hv_view *view, struct err *err)
{
    return hv->ops->read(hv, now_ms, view, err);
}

int hv_set_target(struct hv *hv, const struct hv_ref *ref, struct kib target, struct kib cap,
                  struct err *err)
{
    return hv->ops->set_target(hv, ref, target, cap, err);
}

int hv_set_cap(struct hv *hv, const struct hv_ref *ref, struct kib cap, struct err *err)
{
    return hv->ops->set_cap(hv, ref, cap, err);
}

int hv_adopt_target(struct hv *hv, const struct hv_ref *ref, struct err *err)
{
    return hv->ops->adopt_target(hv, ref, err);
}
