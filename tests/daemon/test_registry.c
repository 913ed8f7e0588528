/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is there: domains come, go, change their names and use ids again; VMs are known by name
 * throughout. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/daemon/view.h"

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
    registry->domains[0].busy_writes = 2;
    build(1, 1, "web1");
    build(5, 5, "web5");
    look("appeared web1\nappeared web5\n");
    ck_assert_int_eq(registry->domains[1].track.demand_ms, 77);
    ck_assert_int_eq(registry->domains[1].busy_writes, 2);
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

int main(void)
{
    Suite *suite = suite_create("registry");
    TCase *tests = tcase_create("registry");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, view_make, view_unmake);
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
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
