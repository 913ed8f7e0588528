/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a backend implements: hv.h's operations, one by one. A backend's own struct begins with
 * struct hv. */
#ifndef HV_HV_OPS_H
#define HV_HV_OPS_H

#include "hv/hv.h"

struct hv_ops {
    const char *kind; /* for people: "xen", "simulated" */
    void (*close)(struct hv *hv);
    size_t (*fds)(struct hv *hv, int fds[HV_MAX_FDS]);
    int (*drain)(struct hv *hv, unsigned *changes, struct err *err);
    int (*read)(struct hv *hv, int64_t now_ms, struct hv_view *view, struct err *err);
    int (*set_target)(struct hv *hv, const struct hv_ref *ref, struct kib target, struct kib cap,
                      struct err *err);
    int (*set_cap)(struct hv *hv, const struct hv_ref *ref, struct kib cap, struct err *err);
    int (*adopt_target)(struct hv *hv, const struct hv_ref *ref, struct err *err);
};

struct hv {
    const struct hv_ops *ops;
};

/* Constructors. hv_xen_open exists only in builds with Xen. */
int hv_xen_open(struct hv **out, struct err *err);
int hv_sim_open(const char *socket, struct hv **out, struct err *err);

#endif
