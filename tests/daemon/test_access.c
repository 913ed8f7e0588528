/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what: from the kernel's word on the peer, and the lists of the configuration. */
#include <check.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/clients/access.h"

/* Somebody that no list names, and who is not the user running this. */
static struct access_peer stranger(void)
{
    return (struct access_peer){.pid = 1, .uid = geteuid() + 4242, .gid = 4242};
}

static void allow(struct access *access, enum access_level level, const char *text)
{
    struct err err;

    ck_assert_msg(access_allow(access, level, text, &err) == 0, "'%s' refused: %s", text, err.text);
}

START_TEST(root_may_everything_unconfigured)
{
    struct access access = {0};
    struct access_peer peer = stranger();

    peer.uid = 0;
    ck_assert_int_eq(access_level_of(&access, &peer), ACCESS_ADMIN);
    peer.uid = geteuid();
    ck_assert_int_eq(access_level_of(&access, &peer), ACCESS_ADMIN);
}
END_TEST

START_TEST(a_stranger_may_nothing)
{
    struct access access = {0};
    struct access_peer peer = stranger();

    ck_assert_int_eq(access_level_of(&access, &peer), ACCESS_NONE);
    allow(&access, ACCESS_ADMIN, "daemon @daemon");
    ck_assert_int_eq(access_level_of(&access, &peer), ACCESS_NONE);
}
END_TEST

START_TEST(the_highest_level_that_lists_a_peer_counts)
{
    struct access access = {0};
    struct access_peer peer = stranger();

    allow(&access, ACCESS_READ, "@daemon");
    access.lists[ACCESS_OPERATE].uids[access.lists[ACCESS_OPERATE].n_uids++] = peer.uid;
    ck_assert_int_eq(access_level_of(&access, &peer), ACCESS_OPERATE);
    peer.uid++;
    ck_assert_int_eq(access_level_of(&access, &peer), ACCESS_NONE);
}
END_TEST

START_TEST(a_group_counts_as_main_and_as_further_one)
{
    struct access access = {0};
    struct access_peer peer = stranger();
    gid_t daemon_gid = getgrnam("daemon")->gr_gid;

    allow(&access, ACCESS_READ, "@daemon");
    peer.groups[peer.n_groups++] = 7777;
    ck_assert_int_eq(access_level_of(&access, &peer), ACCESS_NONE);
    peer.groups[peer.n_groups++] = daemon_gid;
    ck_assert_int_eq(access_level_of(&access, &peer), ACCESS_READ);
    peer.n_groups = 0;
    peer.gid = daemon_gid;
    ck_assert_int_eq(access_level_of(&access, &peer), ACCESS_READ);
}
END_TEST

START_TEST(lists_are_separated_by_blanks_or_commas)
{
    struct access access = {0};

    allow(&access, ACCESS_READ, " root,@daemon ,\tdaemon ");
    ck_assert_uint_eq(access.lists[ACCESS_READ].n_uids, 2);
    ck_assert_uint_eq(access.lists[ACCESS_READ].n_gids, 1);
    allow(&access, ACCESS_READ, "");
    ck_assert_uint_eq(access.lists[ACCESS_READ].n_uids, 2);
}
END_TEST

START_TEST(who_does_not_exist_is_named)
{
    struct access access = {0};
    struct err err;

    ck_assert_int_eq(access_allow(&access, ACCESS_READ, "root nobody-like-this", &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "nobody-like-this"));
    ck_assert_int_eq(access_allow(&access, ACCESS_READ, "@no-such-group", &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "no-such-group"));
}
END_TEST

START_TEST(more_than_there_is_room_for_is_refused)
{
    struct access access = {0};
    struct err err;
    char many[1100];

    for (int i = 0; i < ACCESS_MAX_IDS; i++)
        allow(&access, ACCESS_READ, "root @daemon");
    ck_assert_int_eq(access_allow(&access, ACCESS_READ, "root", &err), -1);
    ck_assert_int_eq(access_allow(&access, ACCESS_READ, "@daemon", &err), -1);
    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    ck_assert_int_eq(access_allow(&access, ACCESS_OPERATE, many, &err), -1);
    ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

START_TEST(root_alone_is_told_from_others)
{
    struct access access = {0};

    ck_assert(access_root_only(&access));
    allow(&access, ACCESS_ADMIN, "root");
    ck_assert(access_root_only(&access));
    allow(&access, ACCESS_READ, "daemon");
    ck_assert(!access_root_only(&access));
    access = (struct access){0};
    allow(&access, ACCESS_OPERATE, "@daemon");
    ck_assert(!access_root_only(&access));
}
END_TEST

START_TEST(the_kernel_tells_who_the_peer_is)
{
    struct access_peer peer;
    struct err err;
    int pair[2];
    gid_t own[64];
    int n_own = getgroups(64, own);

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(access_peer_of(pair[0], &peer, &err), 0);
    ck_assert_int_eq(peer.pid, getpid());
    ck_assert_uint_eq(peer.uid, geteuid());
    ck_assert_uint_eq(peer.gid, getegid());
    ck_assert_uint_eq(peer.n_groups, (size_t)n_own);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

START_TEST(a_descriptor_that_is_no_socket_is_an_error)
{
    struct access_peer peer;
    struct err err;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(access_peer_of(ends[0], &peer, &err), -1);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("access");
    TCase *tests = tcase_create("access");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, root_may_everything_unconfigured);
    tcase_add_test(tests, a_stranger_may_nothing);
    tcase_add_test(tests, the_highest_level_that_lists_a_peer_counts);
    tcase_add_test(tests, a_group_counts_as_main_and_as_further_one);
    tcase_add_test(tests, lists_are_separated_by_blanks_or_commas);
    tcase_add_test(tests, who_does_not_exist_is_named);
    tcase_add_test(tests, more_than_there_is_room_for_is_refused);
    tcase_add_test(tests, root_alone_is_told_from_others);
    tcase_add_test(tests, the_kernel_tells_who_the_peer_is);
    tcase_add_test(tests, a_descriptor_that_is_no_socket_is_an_error);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
