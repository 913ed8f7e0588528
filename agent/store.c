/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/store.h"

#include <errno.h>
#include <xenstore.h>

#include "base/err.h"
#include "core/report.h"

int store_open(struct store *store, struct err *err)
{
    store->xs = xs_open(0); /* a daemon's socket, else /dev/xen/xenbus */
    if (store->xs)
        return 0;
    if (errno == EACCES || errno == EPERM)
        return err_set_errno(
            err, ERR_DENIED, errno,
            "open /dev/xen/xenbus (run this as root, or give the user access to it)");
    return err_set_errno(err, ERR_UNREACHABLE, errno,
                         "no xenstore here: this runs in a Xen guest, with /dev/xen/xenbus");
}

int store_publish(struct store *store, const char *text, size_t length, struct err *err)
{
    if (!store->xs && store_open(store, err))
        return -1;
    if (xs_write(store->xs, XBT_NULL, REPORT_KEY, text, (unsigned)length))
        return 0;
    err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_UNREACHABLE, errno, "write " REPORT_KEY);
    xs_close(store->xs);
    store->xs = NULL;
    return -1;
}
