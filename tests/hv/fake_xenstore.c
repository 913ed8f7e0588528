/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/hv/fake_xenstore.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#include "tests/hv/fake_xen.h"

#define VALUES_MAX 64
#define EVENTS_MAX 256
#define PATH_ROOM  128

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

struct xs_handle {
    int unused;
};

static struct {
    struct store store;
    struct watch watches[VALUES_MAX];
    size_t n_watches;
    struct watch events[EVENTS_MAX];
    size_t n_events;
    size_t n_handles;
} fake;

void fake_xenstore_begin(void)
{
    memset(&fake, 0, sizeof(fake));
}

size_t fake_xenstore_held(void)
{
    return fake.n_handles;
}

/* --- the tree --------------------------------------------------------------------------------- */

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

int64_t fake_xenstore_number(const char *path)
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

/* --- what libxenstore has ----------------------------------------------------------------------
 */

struct xs_handle *xs_open(unsigned long flags)
{
    (void)flags;
    if (fake_xen_fails(__func__))
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
    if (fake_xen_fails(__func__))
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
    if (fake_xen_fails(__func__) || !watch)
        return false;
    *watch = fake.watches[--fake.n_watches];
    return true;
}

char **xs_check_watch(struct xs_handle *h)
{
    char **event;

    (void)h;
    if (fake_xen_fails(__func__))
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
    if (fake_xen_fails(__func__))
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
    ck_assert_uint_eq(t, XBT_NULL);
    if (fake_xen_fails(__func__))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)data);
    set_value(&fake.store, path, text);
    fire_all(path);
    return true;
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid)
{
    (void)h;
    return !fake_xen_fails(__func__) && domid < FAKE_DOMAINS;
}
