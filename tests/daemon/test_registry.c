/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is there: domains come, go, change their names and use ids again; VMs are known by name
 * throughout. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/layers.h"
#include "daemon/registry.h"

static struct registry *registry;
static struct layers *layers;
static struct hv_domain domains[16];
static size_t n_domains;
static char heard[1024]; /* what the last update told: "appeared web1\n…" */

static void make(void)
{
    registry = registry_new();
    layers = layers_new();
    n_domains = 0;
}

static void unmake(void)
{
    registry_free(registry);
    layers_free(layers);
}

static void hear(const char *what, const char *name, const char *more)
{
    size_t length = strlen(heard);

    snprintf(heard + length, sizeof(heard) - length, "%s %s%s%s\n", what, name,
             more[0] != '\0' ? " " : "", more);
}

static void on_appeared(void *arg, struct vm_entry *vm)
{
    (void)arg;
    ck_assert_ptr_nonnull(vm->domain);
    hear("appeared", vm->name, "");
}

static void on_gone(void *arg, struct vm_entry *vm, const struct domain *last)
{
    char id[16];

    (void)arg;
    snprintf(id, sizeof(id), "%u", last->now.ref.domid);
    hear("gone", vm->name, id);
}

static void on_renamed(void *arg, const char *from, struct vm_entry *to)
{
    (void)arg;
    hear("renamed", from, to->name);
}

/* What the update must tell. */
static void look(const char *expected)
{
    static const struct registry_watcher watcher = {NULL, on_appeared, on_gone, on_renamed};
    const struct hv_view view = {.domains = domains, .n_domains = n_domains};

    heard[0] = '\0';
    registry_update(registry, layers, &view, &watcher);
    ck_assert_str_eq(heard, expected);
    for (size_t i = 0; i < registry->n_domains; i++) {
        struct domain *domain = &registry->domains[i];

        ck_assert(!domain->vm || domain->vm->domain == domain);
    }
}

static struct hv_domain *find(uint32_t domid)
{
    for (size_t i = 0; i < n_domains; i++)
        if (domains[i].ref.domid == domid)
            return &domains[i];
    ck_abort_msg("no domain %u", domid);
    return NULL;
}

/* A running domain of 1 GiB with a static-max of 4 GiB. Its place is that of its id. */
static struct hv_domain *build(uint32_t domid, uint8_t uuid, const char *name)
{
    size_t at = n_domains++;

    for (; at > 0 && domains[at - 1].ref.domid > domid; at--)
        domains[at] = domains[at - 1];
    domains[at] = (struct hv_domain){.ref = {.domid = domid, .uuid = {uuid}},
                                     .state = VM_RUNNING,
                                     .assigned = kib_gib(1),
                                     .target = kib_gib(1),
                                     .static_max = kib_gib(4)};
    snprintf(domains[at].name, sizeof(domains[at].name), "%s", name);
    return &domains[at];
}

static void destroy(uint32_t domid)
{
    size_t at = (size_t)(find(domid) - domains);

    memmove(&domains[at], &domains[at + 1], (--n_domains - at) * sizeof(domains[0]));
}

static void rename_to(uint32_t domid, const char *name)
{
    snprintf(find(domid)->name, sizeof(domains[0].name), "%s", name);
}

static const struct vm_entry *vm(const char *name)
{
    const struct vm_entry *entry = registry_find(registry, name);

    ck_assert_msg(entry != NULL, "no %s", name);
    return entry;
}

/* The id of the domain that has the name; −1 none. */
static int64_t id_of(const char *name)
{
    return vm(name)->domain ? (int64_t)vm(name)->domain->now.ref.domid : -1;
}

/* --- come and go ------------------------------------------------------------------------------ */

START_TEST(a_domain_comes_and_goes_and_its_vm_stays_known)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    look("");
    ck_assert_int_eq(id_of("web1"), 1);
    build(2, 2, "db1");
    look("appeared db1\n");
    destroy(1);
    look("gone web1 1\n");
    ck_assert_int_eq(id_of("web1"), -1);
    ck_assert_int_eq(id_of("db1"), 2);
    look("");
}
END_TEST

START_TEST(an_empty_host_is_one_too)
{
    look("");
    look("");
    ck_assert_ptr_null(registry->vms);
    registry_free(NULL);
}
END_TEST

START_TEST(a_reused_id_is_another_domain)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    registry->domains[0].track.demand_ms = 77;
    destroy(1);
    build(1, 2, "web1");
    look("gone web1 1\nappeared web1\n");
    ck_assert_int_eq(registry->domains[0].track.demand_ms, 0);
    destroy(1);
    build(1, 3, "db1");
    look("gone web1 1\nappeared db1\n");
    ck_assert_int_eq(id_of("web1"), -1);
}
END_TEST

START_TEST(what_is_remembered_goes_with_the_domain)
{
    build(3, 3, "web3");
    look("appeared web3\n");
    registry->domains[0].track.demand_ms = 77;
    registry->domains[0].failed_writes = 2;
    build(1, 1, "web1");
    build(5, 5, "web5");
    look("appeared web1\nappeared web5\n");
    ck_assert_int_eq(registry->domains[1].track.demand_ms, 77);
    ck_assert_int_eq(registry->domains[1].failed_writes, 2);
    ck_assert_int_eq(registry->domains[0].track.demand_ms, 0);
    destroy(1);
    look("gone web1 1\n");
    ck_assert_int_eq(registry->domains[0].track.demand_ms, 77);
}
END_TEST

START_TEST(dom0_and_stub_domains_are_no_vms)
{
    build(0, 0, "Domain-0")->dom0 = true;
    build(4, 4, "web1");
    build(5, 5, "web1-dm")->stub = true;
    build(6, 6, "");
    look("appeared web1\n");
    ck_assert_uint_eq(registry->n_domains, 4);
    ck_assert_ptr_null(registry->domains[0].vm);
    ck_assert_ptr_null(registry->domains[2].vm);
    ck_assert_ptr_null(registry->domains[3].vm);
    ck_assert_ptr_null(registry_find(registry, "Domain-0"));
    ck_assert_ptr_null(registry_find(registry, "web1-dm"));
}
END_TEST

START_TEST(a_name_that_comes_late_is_found)
{
    build(1, 1, "");
    look("");
    rename_to(1, "web1");
    look("appeared web1\n");
}
END_TEST

/* xl takes the name out of the store before the hypervisor is done with the domain. */
START_TEST(a_domain_that_loses_its_name_is_still_the_vms)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    rename_to(1, "");
    find(1)->state = VM_DYING;
    look("");
    look("");
    ck_assert_int_eq(id_of("web1"), 1);
    ck_assert_str_eq(registry->domains[0].now.name, "web1");
    destroy(1);
    look("gone web1 1\n");
}
END_TEST

START_TEST(a_dropped_vm_is_forgotten)
{
    struct vm_entry *off = registry_get(registry, layers, "off");

    ck_assert_ptr_eq(registry_get(registry, layers, "off"), off);
    registry_drop(registry, off);
    ck_assert_ptr_null(registry_find(registry, "off"));
}
END_TEST

START_TEST(every_vm_has_a_place_of_its_own_in_the_order)
{
    build(1, 1, "b");
    build(2, 2, "a");
    look("appeared b\nappeared a\n");
    registry_get(registry, layers, "c");
    ck_assert_uint_lt(vm("b")->order, vm("a")->order);
    ck_assert_uint_lt(vm("a")->order, vm("c")->order);
}
END_TEST

/* --- two of one name -------------------------------------------------------------------------- */

START_TEST(a_reboot_gives_the_name_to_the_one_that_lives)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    find(1)->state = VM_DYING;
    build(2, 1, "web1")->state = VM_BUILDING;
    look("gone web1 1\nappeared web1\n");
    ck_assert_int_eq(id_of("web1"), 2);
    ck_assert_ptr_null(registry->domains[0].vm);
    look("");
    destroy(1);
    look("");
    ck_assert_int_eq(id_of("web1"), 2);
}
END_TEST

/* Ids start again at the end of their range: the younger one may have the lower id. */
START_TEST(the_one_that_lives_may_have_the_lower_id)
{
    build(9, 1, "web1");
    look("appeared web1\n");
    find(9)->state = VM_SHUTDOWN;
    build(2, 2, "web1")->state = VM_BUILDING;
    look("gone web1 9\nappeared web1\n");
    ck_assert_int_eq(id_of("web1"), 2);
    find(9)->state = VM_DYING;
    look("");
    ck_assert_int_eq(id_of("web1"), 2);
}
END_TEST

START_TEST(of_two_that_live_the_first_keeps_the_name)
{
    build(1, 1, "web1");
    build(2, 2, "web1");
    look("appeared web1\n");
    look("");
    ck_assert_int_eq(id_of("web1"), 1);
    destroy(1);
    look("gone web1 1\nappeared web1\n");
    ck_assert_int_eq(id_of("web1"), 2);
}
END_TEST

/* One that never gives its memory back stays behind, and is not taken for the VM again. */
START_TEST(a_zombie_does_not_come_back)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    find(1)->state = VM_DYING;
    build(2, 2, "web1");
    look("gone web1 1\nappeared web1\n");
    destroy(2);
    look("gone web1 2\n");
    look("");
    ck_assert_int_eq(id_of("web1"), -1);
}
END_TEST

START_TEST(one_that_is_dying_at_the_first_look_is_shown_as_such)
{
    build(1, 1, "web1")->state = VM_DYING;
    look("appeared web1\n");
    ck_assert_int_eq(id_of("web1"), 1);
    build(2, 2, "db1")->state = VM_DYING;
    look("");
    ck_assert_int_eq(id_of("db1"), -1);
}
END_TEST

/* --- other names ------------------------------------------------------------------------------ */

START_TEST(a_renamed_domain_is_followed)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    registry->domains[0].track.demand_ms = 77;
    rename_to(1, "shop");
    look("renamed web1 shop\n");
    ck_assert_int_eq(id_of("shop"), 1);
    ck_assert_int_eq(id_of("web1"), -1);
    ck_assert_int_eq(registry->domains[0].track.demand_ms, 77);
    look("");
}
END_TEST

/* Settings are the name's; the uuid, and the memory that it was built with, go with the domain. */
START_TEST(the_uuid_follows_and_the_settings_do_not)
{
    struct setting_partial *said = layer_vm(layers_find(layers, LAYER_ID_BASE), "web1");

    setting_put(said, VM_KEY_PRIORITY, 90);
    build(1, 1, "web1");
    look("appeared web1\n");
    find(1)->target = kib_mib(300); /* by the balloon */
    rename_to(1, "shop");
    look("renamed web1 shop\n");
    ck_assert_int_eq(vm("web1")->settings.priority, 90);
    ck_assert_int_eq(vm("shop")->settings.priority, 50);
    ck_assert_int_eq(vm("shop")->natural.target.v, kib_gib(1).v);
    ck_assert_int_eq(vm("shop")->uuid[0], 1);
    ck_assert_int_eq(vm("web1")->uuid[0], 0);
    ck_assert(vm("web1")->unsaved && vm("shop")->unsaved);
    build(2, 2, "web1")->target = kib_gib(2);
    look("appeared web1\n");
    ck_assert_int_eq(vm("web1")->natural.target.v, kib_gib(2).v);
    ck_assert_int_eq(vm("web1")->settings.priority, 90);
}
END_TEST

/* The database remembers web1's uuid; meanwhile that domain was called shop. */
START_TEST(a_rename_while_the_daemon_was_away_is_followed_too)
{
    struct vm_entry *known = registry_get(registry, layers, "web1");

    known->uuid[0] = 1;
    known->seen = true;
    known->natural = (struct vm_natural){kib_gib(1), kib_gib(4)};
    build(1, 1, "shop")->target = kib_mib(300);
    look("appeared shop\n");
    ck_assert_int_eq(vm("shop")->natural.target.v, kib_gib(1).v);
    ck_assert_int_eq(vm("web1")->uuid[0], 0);
}
END_TEST

START_TEST(two_that_swap_their_names_are_both_followed)
{
    build(1, 1, "a");
    build(2, 2, "b");
    look("appeared a\nappeared b\n");
    rename_to(1, "b");
    rename_to(2, "a");
    look("renamed a b\nrenamed b a\n");
    ck_assert_int_eq(id_of("a"), 2);
    ck_assert_int_eq(id_of("b"), 1);
    ck_assert_int_eq(vm("a")->uuid[0], 2);
    ck_assert_int_eq(vm("b")->uuid[0], 1);
}
END_TEST

START_TEST(an_arriving_domain_is_a_vm_only_once_it_has_its_name)
{
    struct setting_partial *said = layer_vm(layers_find(layers, LAYER_ID_CONFIG), "*");

    setting_put(said, VM_KEY_MODE, VM_MODE_DYNAMIC);
    build(1, 1, "web1--incoming");
    look("");
    ck_assert_ptr_null(registry->domains[0].vm);
    ck_assert_ptr_null(registry_find(registry, "web1--incoming"));
    rename_to(1, "web1");
    look("appeared web1\n");
    ck_assert_int_eq(vm("web1")->settings.mode, VM_MODE_DYNAMIC);
}
END_TEST

START_TEST(a_domain_that_migrated_away_is_gone)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    rename_to(1, "web1--migratedaway");
    look("gone web1 1\n");
    ck_assert_ptr_null(registry_find(registry, "web1--migratedaway"));
    destroy(1);
    look("");
}
END_TEST

/* To this very host: the new domain takes over under the eyes of the old one. */
START_TEST(a_migration_to_the_same_host_is_followed)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    build(2, 1, "web1--incoming");
    look("");
    rename_to(1, "web1--migratedaway");
    rename_to(2, "web1");
    look("gone web1 1\nappeared web1\n");
    ck_assert_int_eq(id_of("web1"), 2);
    ck_assert_int_eq(vm("web1")->natural.target.v, kib_gib(1).v);
}
END_TEST

/* --- sizes that nobody gave ------------------------------------------------------------------- */

START_TEST(sizes_that_nobody_gave_follow_from_the_domain)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    ck_assert_int_eq(vm("web1")->settings.startup.v, kib_gib(1).v);
    ck_assert_int_eq(vm("web1")->settings.minimum.v, kib_gib(1).v);
    ck_assert_int_eq(vm("web1")->settings.maximum.v, kib_gib(4).v);
    find(1)->target = kib_gib(2);
    look("");
    ck_assert_int_eq(vm("web1")->settings.startup.v, kib_gib(1).v);
    find(1)->static_max = kib_gib(8);
    look("");
    ck_assert_int_eq(vm("web1")->settings.maximum.v, kib_gib(8).v);
    destroy(1);
    look("gone web1 1\n");
    ck_assert_int_eq(vm("web1")->settings.maximum.v, kib_gib(8).v);
}
END_TEST

START_TEST(sizes_that_come_late_are_learnt_and_not_the_last_domains)
{
    struct hv_domain *new;

    build(1, 1, "web1");
    look("appeared web1\n");
    destroy(1);
    new = build(2, 2, "web1");
    new->state = VM_BUILDING;
    new->target = new->static_max = kib(0);
    look("gone web1 1\nappeared web1\n");
    find(2)->target = kib_mib(512);
    find(2)->static_max = kib_mib(512);
    look("");
    ck_assert_int_eq(vm("web1")->natural.target.v, kib_mib(512).v);
    ck_assert_int_eq(vm("web1")->settings.maximum.v, kib_mib(512).v);
}
END_TEST

/* xl rebuilds a rebooting domain, with its uuid, at whatever its target was at that moment. */
START_TEST(a_reboot_is_not_taken_for_a_wish)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    destroy(1);
    look("gone web1 1\n");
    build(2, 1, "web1")->target = kib_mib(300);
    look("appeared web1\n");
    ck_assert_int_eq(vm("web1")->natural.target.v, kib_gib(1).v);
}
END_TEST

/* libvirt keeps the uuid of a VM for ever, also when its memory was configured anew. */
START_TEST(a_domain_with_another_static_max_was_configured_anew)
{
    struct hv_domain *new;

    build(1, 1, "web1");
    look("appeared web1\n");
    destroy(1);
    look("gone web1 1\n");
    new = build(2, 1, "web1");
    new->target = kib_gib(3);
    new->static_max = kib_gib(6);
    look("appeared web1\n");
    ck_assert_int_eq(vm("web1")->natural.target.v, kib_gib(3).v);
    ck_assert_int_eq(vm("web1")->settings.maximum.v, kib_gib(6).v);
}
END_TEST

/* After a restart of the daemon nothing is known of who was built when: what was learnt stays. */
START_TEST(what_the_database_remembers_is_not_learnt_again)
{
    struct vm_entry *known = registry_get(registry, layers, "web1");

    known->uuid[0] = 1;
    known->seen = true;
    known->natural = (struct vm_natural){kib_gib(1), kib_gib(4)};
    build(1, 1, "web1")->target = kib_mib(300);
    find(1)->static_max = kib_gib(5);
    look("appeared web1\n");
    ck_assert_int_eq(vm("web1")->natural.target.v, kib_gib(1).v);
    ck_assert_int_eq(vm("web1")->natural.static_max.v, kib_gib(5).v);
    ck_assert(vm("web1")->unsaved);
}
END_TEST

START_TEST(nothing_new_is_nothing_to_save)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    registry_find(registry, "web1")->unsaved = false;
    find(1)->target = kib_gib(2);
    find(1)->assigned = kib_gib(2);
    look("");
    ck_assert(!vm("web1")->unsaved);
}
END_TEST

/* --- settings --------------------------------------------------------------------------------- */

START_TEST(a_vm_that_is_off_can_have_settings)
{
    struct setting_partial *said = layer_vm(layers_find(layers, LAYER_ID_BASE), "new");

    setting_put(said, VM_KEY_STARTUP, kib_gib(2).v);
    setting_put(said, VM_KEY_MODE, VM_MODE_STATIC);
    registry_get(registry, layers, "new");
    ck_assert_int_eq(vm("new")->settings.startup.v, kib_gib(2).v);
    ck_assert_int_eq(vm("new")->settings.maximum.v, kib_gib(2).v);
    build(1, 1, "new");
    look("appeared new\n");
    ck_assert_int_eq(vm("new")->settings.mode, VM_MODE_STATIC);
    ck_assert_int_eq(vm("new")->settings.startup.v, kib_gib(2).v);
    ck_assert_int_eq(vm("new")->settings.maximum.v, kib_gib(4).v);
}
END_TEST

START_TEST(changed_layers_are_in_force_once_resolved)
{
    build(1, 1, "web1");
    look("appeared web1\n");
    setting_put(layer_vm(layers_find(layers, LAYER_ID_BASE), "web1"), VM_KEY_BUFFER, 33);
    ck_assert_int_eq(vm("web1")->settings.buffer_percent, 20);
    registry_resolve(registry, layers);
    ck_assert_int_eq(vm("web1")->settings.buffer_percent, 33);
}
END_TEST

START_TEST(what_would_be_is_told_without_being_done)
{
    struct setting_partial extra = {0};
    struct vm_settings outcome;
    struct err err;

    build(1, 1, "web1");
    look("appeared web1\n");
    setting_put(&extra, VM_KEY_MINIMUM, kib_mib(256).v);
    ck_assert_int_eq(registry_resolve_one(vm("web1"), "web1", layers, &extra, &outcome, &err), 0);
    ck_assert_int_eq(outcome.minimum.v, kib_mib(256).v);
    ck_assert_int_eq(outcome.startup.v, kib_gib(1).v);
    ck_assert_int_eq(vm("web1")->settings.minimum.v, kib_gib(1).v);
    setting_put(&extra, VM_KEY_MAXIMUM, kib_mib(128).v);
    ck_assert_int_eq(registry_resolve_one(vm("web1"), "web1", layers, &extra, &outcome, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_int_eq(registry_resolve_one(NULL, "none", layers, &extra, &outcome, NULL), -1);
}
END_TEST

START_TEST(the_operators_hand_is_seen)
{
    struct hv_domain *domain = build(1, 1, "web1");

    look("appeared web1\n");
    ck_assert(!registry->domains[0].overridden);
    domain->has_own_target = true;
    domain->own_target = domain->target;
    look("");
    ck_assert(!registry->domains[0].overridden);
    domain->target = kib_mib(700);
    look("");
    ck_assert(registry->domains[0].overridden);
    domain->own_target = domain->target;
    look("");
    ck_assert(!registry->domains[0].overridden);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry");
    TCase *tests = tcase_create("registry");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, make, unmake);
    tcase_add_test(tests, a_domain_comes_and_goes_and_its_vm_stays_known);
    tcase_add_test(tests, an_empty_host_is_one_too);
    tcase_add_test(tests, a_reused_id_is_another_domain);
    tcase_add_test(tests, what_is_remembered_goes_with_the_domain);
    tcase_add_test(tests, dom0_and_stub_domains_are_no_vms);
    tcase_add_test(tests, a_name_that_comes_late_is_found);
    tcase_add_test(tests, a_domain_that_loses_its_name_is_still_the_vms);
    tcase_add_test(tests, a_dropped_vm_is_forgotten);
    tcase_add_test(tests, every_vm_has_a_place_of_its_own_in_the_order);
    tcase_add_test(tests, a_reboot_gives_the_name_to_the_one_that_lives);
    tcase_add_test(tests, the_one_that_lives_may_have_the_lower_id);
    tcase_add_test(tests, of_two_that_live_the_first_keeps_the_name);
    tcase_add_test(tests, a_zombie_does_not_come_back);
    tcase_add_test(tests, one_that_is_dying_at_the_first_look_is_shown_as_such);
    tcase_add_test(tests, a_renamed_domain_is_followed);
    tcase_add_test(tests, the_uuid_follows_and_the_settings_do_not);
    tcase_add_test(tests, a_rename_while_the_daemon_was_away_is_followed_too);
    tcase_add_test(tests, two_that_swap_their_names_are_both_followed);
    tcase_add_test(tests, an_arriving_domain_is_a_vm_only_once_it_has_its_name);
    tcase_add_test(tests, a_domain_that_migrated_away_is_gone);
    tcase_add_test(tests, a_migration_to_the_same_host_is_followed);
    tcase_add_test(tests, sizes_that_nobody_gave_follow_from_the_domain);
    tcase_add_test(tests, sizes_that_come_late_are_learnt_and_not_the_last_domains);
    tcase_add_test(tests, a_reboot_is_not_taken_for_a_wish);
    tcase_add_test(tests, a_domain_with_another_static_max_was_configured_anew);
    tcase_add_test(tests, what_the_database_remembers_is_not_learnt_again);
    tcase_add_test(tests, nothing_new_is_nothing_to_save);
    tcase_add_test(tests, a_vm_that_is_off_can_have_settings);
    tcase_add_test(tests, changed_layers_are_in_force_once_resolved);
    tcase_add_test(tests, what_would_be_is_told_without_being_done);
    tcase_add_test(tests, the_operators_hand_is_seen);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
