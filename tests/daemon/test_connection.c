/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clients of every kind: quick, slow, silent, gone, hostile; each gets what it may have, and none
 * costs the others anything. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/clients/server.h"
#include "proto/proto.h"
#include "tests/daemon/client.h"

#define STRANGER 4242 /* a uid without any right */

/* --- requests and answers --------------------------------------------------------------------- */

START_TEST(the_server_speaks_first)
{
    struct client client = come(0);

    ck_assert_uint_eq(all.count, 1);
    leave(&client);
    turn_often();
    ck_assert_uint_eq(all.count, 0);
}
END_TEST

START_TEST(a_request_is_answered_with_its_id)
{
    struct client client = come(0);

    call_method(&client, 7, "echo", "\"text\":\"a\"");
    assert_answer(&client, 7, "a");
    say(&client, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"echo\"}\r\n");
    assert_line(&client, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":\"\"}");
    call_method(&client, 8, "refuse", "");
    assert_error(&client, "8", "busy", "uid 0 comes too early");
    leave(&client);
}
END_TEST

START_TEST(requests_may_come_in_any_portions)
{
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n";
    struct client client = come(0);

    for (size_t i = 0; i < sizeof(line) - 1; i++)
        say(&client, (char[]){line[i], '\0'});
    assert_answer(&client, 1, "");
    say(&client, "\n\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"}\n\n{\"jsonrpc\":\"2.0\","
                 "\"id\":3,\"method\":\"echo\"}\n{\"jsonrpc\":\"2.0\",\"id\":4,");
    assert_answer(&client, 2, "");
    assert_answer(&client, 3, "");
    say(&client, "\"method\":\"echo\"}\n");
    assert_answer(&client, 4, "");
    leave(&client);
}
END_TEST

START_TEST(nonsense_is_answered_and_costs_nothing_more)
{
    struct client client = come(0);

    say(&client, "hello?\n");
    assert_error(&client, "null", "invalid", "not JSON");
    say(&client, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"fly\"}\n");
    assert_error(&client, "5", "invalid", "no such method as fly");
    say(&client, "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"echo\",\"extra\":1}\n");
    assert_error(&client, "6", "invalid", "no member 'extra'");
    call_method(&client, 7, "echo", "");
    assert_answer(&client, 7, "");
    leave(&client);
}
END_TEST

START_TEST(a_notification_is_never_answered)
{
    struct client client = come(0);

    say(&client, "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n{\"jsonrpc\":\"2.0\",\"method\":"
                 "\"fly\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"refuse\"}\n");
    call_method(&client, 1, "echo", "");
    assert_answer(&client, 1, "");
    leave(&client);
}
END_TEST

START_TEST(a_line_without_end_ends_the_connection)
{
    struct client client = come(READER);
    char *text = malloc(PROTO_REQUEST_MAX + 2);

    ck_assert_ptr_nonnull(text);
    call_method(&client, 1, "echo", "");
    memset(text, 'x', PROTO_REQUEST_MAX + 1);
    text[PROTO_REQUEST_MAX + 1] = '\0';
    say(&client, text);
    assert_answer(&client, 1, "");
    assert_error(&client, "null", "invalid", "a line of more than 65536 bytes");
    assert_end(&client);
    ck_assert_uint_eq(all.count, 0);
    leave(&client);
    free(text);
}
END_TEST

START_TEST(answers_may_come_late_and_in_any_order)
{
    struct client client = come(0);

    for (int id = 1; id <= 3; id++)
        call_method(&client, id, "hold", "");
    turn_often();
    ck_assert_uint_eq(n_held, 3);
    answer_held(2, "c");
    answer_held(0, "a");
    answer_held(1, "b");
    assert_answer(&client, 3, "c");
    assert_answer(&client, 1, "a");
    assert_answer(&client, 2, "b");
    leave(&client);
}
END_TEST

/* --- rights ----------------------------------------------------------------------------------- */

START_TEST(who_has_no_right_is_told_which_one_is_missing)
{
    struct client client = come(STRANGER);

    call_method(&client, 1, "echo", "");
    assert_error(&client, "1", "denied",
                 "echo needs the right to read; uid 4242 has nothing (root gives it under "
                 "[access] in xenmemd.conf)");
    say(&client, "{\"jsonrpc\":\"2.0\",\"method\":\"hold\"}\n");
    turn_often();
    ck_assert_uint_eq(n_held, 0);
    call_method(&client, 2, "fly", "");
    assert_error(&client, "2", "invalid", "no such method");
    leave(&client);
}
END_TEST

/* Also for a client that is there already: the next request is held against the new lists. */
START_TEST(rights_are_those_of_the_moment)
{
    struct client client = come(STRANGER);

    options.access.lists[ACCESS_OPERATE].uids[options.access.lists[ACCESS_OPERATE].n_uids++] =
        STRANGER;
    call_method(&client, 1, "echo", "");
    assert_answer(&client, 1, "");
    call_method(&client, 2, "refuse", "");
    assert_error(&client, "2", "busy", "uid 4242");
    call_method(&client, 3, "change", "");
    assert_error(&client, "3", "denied", "the right to admin; uid 4242 has operate");
    options.access = (struct access){0};
    call_method(&client, 4, "echo", "");
    assert_error(&client, "4", "denied", "has nothing");
    leave(&client);
}
END_TEST

/* --- bounds ----------------------------------------------------------------------------------- */

/* An import goes in one request. */
START_TEST(who_may_change_settings_may_send_longer_lines)
{
    struct client client = come(0);
    char *text = malloc(PROTO_IMPORT_MAX + 2);

    ck_assert_ptr_nonnull(text);
    memset(text, ' ', PROTO_REQUEST_MAX + 1);
    text[PROTO_REQUEST_MAX + 1] = '\0';
    say(&client, text);
    call_method(&client, 1, "echo", "\"text\":\"x\"");
    assert_answer(&client, 1, "x");
    memset(text, 'x', PROTO_IMPORT_MAX + 1);
    text[PROTO_IMPORT_MAX + 1] = '\0';
    say(&client, text);
    assert_error(&client, "null", "invalid", "a line of more than 2097152 bytes");
    assert_end(&client);
    leave(&client);
    free(text);
}
END_TEST

START_TEST(open_calls_are_bounded_and_the_rest_waits)
{
    struct client client = come(0);

    for (int id = 1; id <= CONNECTION_MAX_CALLS + 10; id++)
        call_method(&client, id, "hold", "");
    turn_often();
    ck_assert_uint_eq(n_held, CONNECTION_MAX_CALLS);
    answer_held(5, "x");
    assert_answer(&client, 6, "x");
    turn_often();
    ck_assert_uint_eq(n_held, CONNECTION_MAX_CALLS + 1);
    for (size_t i = 0; i < n_held; i++) {
        if (i != 5)
            answer_held(i, "x");
        turn_often();
    }
    ck_assert_uint_eq(n_held, CONNECTION_MAX_CALLS + 10);
    leave(&client);
}
END_TEST

static bool accepts_more(struct client *client)
{
    static const char line[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"big\",\"params\":{\"bytes\":10000}}\n";

    return send(client->fd, line, sizeof(line) - 1, MSG_DONTWAIT) == sizeof(line) - 1;
}

/* One that asks and asks but never reads: at some time nothing is taken from it any more, and what
 * was taken is answered once it reads. */
START_TEST(who_does_not_read_is_not_read_from)
{
    struct client client = come(0), other = come(0);
    int asked = 0, answered = 0, turns = 0;

    while (turns < 1000) {
        if (accepts_more(&client)) {
            asked++;
            turns = 0;
        } else {
            turns++;
        }
        turn();
        ck_assert_int_lt(asked, 100000);
    }
    call_method(&other, 1, "echo", "");
    assert_answer(&other, 1, "");
    for (; answered < asked; answered++)
        ck_assert_uint_gt(strlen(next_line(&client)), 10000);
    call_method(&client, 2, "echo", "");
    assert_answer(&client, 2, "");
    leave(&client);
    leave(&other);
}
END_TEST

START_TEST(a_flood_of_one_does_not_keep_others_waiting)
{
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n";
    struct client flood = come(0), other = come(0);
    char *text = malloc(1000 * sizeof(line));
    size_t length = 0, before;

    ck_assert_ptr_nonnull(text);
    for (int i = 0; i < 1000; i++, length += sizeof(line) - 1)
        memcpy(text + length, line, sizeof(line) - 1);
    ck_assert_int_eq(send(flood.fd, text, length, MSG_DONTWAIT), (ssize_t)length);
    call_method(&other, 9, "echo", "");
    assert_answer(&other, 9, "");
    before = flood.length;
    ck_assert(read_some(&flood));
    ck_assert_uint_lt(flood.length - before, 500 * strlen(line));
    flood.length = 0;
    free(text);
    leave(&flood);
    leave(&other);
}
END_TEST

/* --- ends ------------------------------------------------------------------------------------- */

START_TEST(a_client_that_leaves_is_not_waited_for)
{
    struct client client = come(0);

    call_method(&client, 1, "hold", "");
    call_method(&client, 2, "hold", "");
    turn_often();
    ck_assert(call_is_alive(held[0]));
    leave(&client);
    turn_often();
    ck_assert_uint_eq(all.count, 0);
    ck_assert(!call_is_alive(held[0]));
    ck_assert_uint_eq(call_uid(held[0]), 0);
    call_subscribe(held[0]);
    answer_held(0, "to nobody");
    ck_assert_uint_eq(all.n_subscribers, 0);
}
END_TEST

/* As `echo … | socat` does: it sends, shuts down, and reads until the end. */
START_TEST(who_is_done_with_sending_still_gets_its_answers)
{
    struct client client = come(0);

    call_method(&client, 1, "hold", "");
    say(&client,
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"}\n{\"jsonrpc\":\"2.0\",\"id\":3");
    ck_assert_int_eq(shutdown(client.fd, SHUT_WR), 0);
    assert_answer(&client, 2, "");
    turn_often();
    ck_assert_uint_eq(all.count, 1);
    answer_held(0, "late");
    assert_answer(&client, 1, "late");
    assert_end(&client);
    ck_assert_uint_eq(all.count, 0);
    leave(&client);
}
END_TEST

START_TEST(a_client_may_be_cut_at_any_byte)
{
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hold\"}\n";

    for (size_t length = 0; length < sizeof(line); length++) {
        struct client client = come_in(0);
        char part[sizeof(line)];

        snprintf(part, sizeof(part), "%.*s", (int)length, line);
        say(&client, part);
        turn();
        leave(&client);
        turn_often();
        ck_assert_uint_eq(all.count, 0);
    }
}
END_TEST

START_TEST(the_end_of_the_daemon_is_an_end_for_everybody)
{
    struct client idle = come_in(0), waiting = come(0), reading = come(0);

    call_method(&waiting, 1, "hold", "");
    call_method(&reading, 1, "big", "\"bytes\":100000");
    turn_often();
    connections_fini(&all);
    connections_init(&all, all.daemon);
    ck_assert_ptr_nonnull(strstr(next_line(&idle), "hello"));
    assert_end(&idle);
    assert_end(&waiting);
    ck_assert_uint_gt(strlen(next_line(&reading)), 100000);
    leave(&idle);
    leave(&waiting);
    leave(&reading);
}
END_TEST

/* --- subscribers ------------------------------------------------------------------------------ */

static void publish(const char *line)
{
    connections_publish(&all, line, strlen(line));
}

START_TEST(subscribers_get_what_is_published_and_others_do_not)
{
    struct client watcher = come(0), other = come(0);

    ck_assert_uint_eq(all.n_subscribers, 0);
    call_method(&watcher, 1, "watch", "");
    assert_answer(&watcher, 1, "watching");
    ck_assert_uint_eq(all.n_subscribers, 1);
    publish("{\"a\":1}\n");
    publish("{\"a\":2}\n");
    assert_line(&watcher, "{\"a\":1}");
    assert_line(&watcher, "{\"a\":2}");
    call_method(&other, 1, "echo", "");
    assert_answer(&other, 1, "");
    call_method(&watcher, 2, "echo", "");
    assert_answer(&watcher, 2, "");
    leave(&watcher);
    turn_often();
    ck_assert_uint_eq(all.n_subscribers, 0);
    publish("{\"a\":3}\n");
    leave(&other);
}
END_TEST

/* It asked, shut down its sending side, and listens: no reason to close. */
START_TEST(a_subscriber_need_not_send_any_more)
{
    struct client watcher = come(0);

    call_method(&watcher, 1, "watch", "");
    ck_assert_int_eq(shutdown(watcher.fd, SHUT_WR), 0);
    assert_answer(&watcher, 1, "watching");
    turn_often();
    publish("{\"a\":1}\n");
    assert_line(&watcher, "{\"a\":1}");
    /* That it left shows when it is written to. */
    leave(&watcher);
    publish("{\"a\":2}\n");
    turn_often();
    ck_assert_uint_eq(all.count, 0);
}
END_TEST

static void publish_until_cut(struct client *quick)
{
    static char line[10001];
    time_t from = time(NULL);

    memset(line, 'x', sizeof(line) - 2);
    line[sizeof(line) - 2] = '\n';
    while (all.n_subscribers > 1) {
        publish(line);
        ck_assert_uint_eq(strlen(next_line(quick)), sizeof(line) - 2);
        ck_assert_msg(!time_is_up(from), "never cut");
    }
}

START_TEST(a_slow_subscriber_is_told_so_and_cut)
{
    struct client slow = come(0), quick = come(0);
    const char *line;

    call_method(&slow, 1, "watch", "");
    assert_answer(&slow, 1, "watching");
    call_method(&quick, 1, "watch", "");
    assert_answer(&quick, 1, "watching");
    publish_until_cut(&quick);
    while (strlen(line = next_line(&slow)) == 9999)
        ;
    ck_assert_str_eq(line, "{\"jsonrpc\":\"2.0\",\"method\":\"too-slow\",\"params\":"
                           "{\"limit_bytes\":1048576}}");
    assert_end(&slow);
    publish("{\"a\":1}\n");
    assert_line(&quick, "{\"a\":1}");
    leave(&slow);
    leave(&quick);
}
END_TEST

/* It is told, but does not even read that: after some seconds it is gone all the same. */
START_TEST(last_words_are_not_waited_for_for_ever)
{
    struct client slow = come(0), quick = come(0);
    time_t from = time(NULL);

    call_method(&slow, 1, "watch", "");
    call_method(&quick, 1, "watch", "");
    assert_answer(&quick, 1, "watching");
    publish_until_cut(&quick);
    ck_assert_uint_eq(all.count, 2);
    while (all.count > 1 && !time_is_up(from))
        turn_waiting();
    ck_assert_uint_eq(all.count, 1);
    ck_assert_uint_eq(connections_of(&all, 0), 1);
    leave(&slow);
    leave(&quick);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connection");
    TCase *tests = tcase_create("connection");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, clients_make, clients_unmake);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_server_speaks_first);
    tcase_add_test(tests, a_request_is_answered_with_its_id);
    tcase_add_test(tests, requests_may_come_in_any_portions);
    tcase_add_test(tests, nonsense_is_answered_and_costs_nothing_more);
    tcase_add_test(tests, a_notification_is_never_answered);
    tcase_add_test(tests, a_line_without_end_ends_the_connection);
    tcase_add_test(tests, answers_may_come_late_and_in_any_order);
    tcase_add_test(tests, who_has_no_right_is_told_which_one_is_missing);
    tcase_add_test(tests, rights_are_those_of_the_moment);
    tcase_add_test(tests, who_may_change_settings_may_send_longer_lines);
    tcase_add_test(tests, open_calls_are_bounded_and_the_rest_waits);
    tcase_add_test(tests, who_does_not_read_is_not_read_from);
    tcase_add_test(tests, a_flood_of_one_does_not_keep_others_waiting);
    tcase_add_test(tests, a_client_that_leaves_is_not_waited_for);
    tcase_add_test(tests, who_is_done_with_sending_still_gets_its_answers);
    tcase_add_test(tests, a_client_may_be_cut_at_any_byte);
    tcase_add_test(tests, the_end_of_the_daemon_is_an_end_for_everybody);
    tcase_add_test(tests, subscribers_get_what_is_published_and_others_do_not);
    tcase_add_test(tests, a_subscriber_need_not_send_any_more);
    tcase_add_test(tests, a_slow_subscriber_is_told_so_and_cut);
    tcase_add_test(tests, last_words_are_not_waited_for_for_ever);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
