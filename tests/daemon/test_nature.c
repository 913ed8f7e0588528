/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is learnt of a VM from its domains, and what it makes of the settings. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/daemon/view.h"

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
    Suite *suite = suite_create("nature");
    TCase *tests = tcase_create("nature");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, view_make, view_unmake);
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
