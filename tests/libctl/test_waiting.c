/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blocking convenience: the server is the other end of a socket pair, and says by heart what it
 * says. What it says before it is asked waits in the kernel, so that most need no second process.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libctl/xenmemctl.h"

#define HELLO                                                                                      \
    "{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"protocol\":1,\"server\":"             \
    "\"xenmemd 9\",\"simulated\":false,\"features\":[]}}\n"
#define EVENT(id) "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"id\":" #id "}}\n"
#define SHORT     50    /* ms; a limit that is meant to be reached */
#define LONG      30000 /* one that is not */

static int server; /* the other end */
static struct xenmemctl *connection;
static struct xenmemctl_message *message;
static struct xenmemctl_error error;
static char folder[64], path[96];
static int n_open_before;

static int count_open(void)
{
    DIR *open_files = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(open_files);
    while (readdir(open_files))
        count++;
    closedir(open_files);
    return count;
}

static void set_up(void)
{
    n_open_before = count_open();
    server = -1;
    connection = NULL;
    message = NULL;
    strcpy(folder, "/tmp/xenmem-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/socket", folder);
}

static void tear_down(void)
{
    xenmemctl_message_free(message);
    xenmemctl_free(connection);
    if (server >= 0)
        close(server);
    unlink(path);
    rmdir(folder);
    ck_assert_int_eq(count_open(), n_open_before);
}

static void say(const char *text)
{
    ck_assert_int_eq(write(server, text, strlen(text)), (ssize_t)strlen(text));
}

static void hang_up(void)
{
    close(server);
    server = -1;
}

static int make_pair(void)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    server = ends[0];
    return ends[1];
}

/* A connection to a server that says text after its hello. */
static void meet(const char *text)
{
    int end = make_pair();

    say(HELLO);
    ck_assert_msg(xenmemctl_adopt(end, LONG, &connection, &error) == 0, "%s", error.text);
    say(text);
}

static int call(int timeout_ms)
{
    xenmemctl_message_free(message);
    return xenmemctl_call(connection, xenmemctl_request_new("host.get"), timeout_ms, &message,
                          &error);
}

static void assert_error(enum xenmemctl_code code, const char *what)
{
    ck_assert_msg(error.code == code, "code %d: %s", error.code, error.text);
    ck_assert_msg(strstr(error.text, what) != NULL, "'%s' does not say '%s'", error.text, what);
}

static int64_t event_id(void)
{
    int64_t id = -1;

    ck_assert_int_eq(xenmemctl_message_kind(message), XENMEMCTL_NOTIFICATION);
    xenmemctl_integer(xenmemctl_member(xenmemctl_message_value(message), "id"), &id);
    xenmemctl_message_free(message);
    message = NULL;
    return id;
}

START_TEST(a_call_is_answered)
{
    char heard[200] = "";

    meet("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":7}\n");
    ck_assert_str_eq(xenmemctl_server(connection), "xenmemd 9");
    ck_assert_int_eq(call(LONG), 0);
    ck_assert_int_eq(xenmemctl_message_id(message), 1);
    ck_assert_int_gt(read(server, heard, sizeof(heard) - 1), 0);
    ck_assert_str_eq(heard,
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"host.get\",\"params\":{}}\n");
}
END_TEST

START_TEST(a_refused_call_fails_and_the_next_is_answered)
{
    meet("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"message\":\"no\",\"data\":{\"name\":"
         "\"denied\"}}}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":7}\n");
    ck_assert_int_eq(call(LONG), -1);
    assert_error(XENMEMCTL_DENIED, "no");
    ck_assert_int_eq(call(LONG), 0);
}
END_TEST

START_TEST(notifications_before_an_answer_are_kept_in_their_order)
{
    meet(EVENT(1) EVENT(2) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":7}\n" EVENT(3));
    ck_assert_int_eq(call(LONG), 0);
    for (int id = 1; id <= 3; id++) {
        xenmemctl_message_free(message);
        ck_assert_int_eq(xenmemctl_wait(connection, LONG, &message, &error), 1);
        ck_assert_int_eq(event_id(), id);
    }
    ck_assert_int_eq(xenmemctl_wait(connection, 0, &message, &error), 0);
    ck_assert_ptr_null(message);
}
END_TEST

START_TEST(waiting_in_vain_is_no_failure)
{
    meet("");
    ck_assert_int_eq(xenmemctl_wait(connection, SHORT, &message, &error), 0);
    say(EVENT(5));
    ck_assert_int_eq(xenmemctl_wait(connection, LONG, &message, &error), 1);
    ck_assert_int_eq(event_id(), 5);
}
END_TEST

START_TEST(a_server_without_a_hello_is_not_waited_for_for_ever)
{
    ck_assert_int_eq(xenmemctl_adopt(make_pair(), SHORT, &connection, &error), -1);
    ck_assert_ptr_null(connection);
    assert_error(XENMEMCTL_TIMEOUT, "says nothing");
}
END_TEST

START_TEST(a_call_without_an_answer_ends_and_so_does_the_connection)
{
    meet("");
    ck_assert_int_eq(call(SHORT), -1);
    assert_error(XENMEMCTL_TIMEOUT, "no answer from xenmemd within 50 ms");
    say("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":7}\n");
    ck_assert_int_eq(call(LONG), -1);
    assert_error(XENMEMCTL_TIMEOUT, "no answer");
}
END_TEST

START_TEST(an_answer_to_somebody_else_is_none)
{
    meet("{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":7}\n");
    ck_assert_int_eq(call(SHORT), -1);
    assert_error(XENMEMCTL_TIMEOUT, "no answer");
}
END_TEST

START_TEST(a_server_that_hangs_up_in_its_answer_is_gone)
{
    meet("{\"jsonrpc\":\"2.0\",\"id\":1,\"res");
    hang_up();
    ck_assert_int_eq(call(LONG), -1);
    assert_error(XENMEMCTL_UNREACHABLE, "in the middle of a line");
}
END_TEST

START_TEST(a_server_that_hangs_up_while_others_wait_is_gone)
{
    meet("");
    hang_up();
    ck_assert_int_eq(xenmemctl_wait(connection, LONG, &message, &error), -1);
    assert_error(XENMEMCTL_UNREACHABLE, "closed the connection");
}
END_TEST

START_TEST(last_words_are_heard_also_where_nothing_can_be_said_any_more)
{
    meet("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"message\":\"line too long\","
         "\"data\":{\"name\":\"invalid\"}}}\n");
    hang_up();
    ck_assert_int_eq(call(LONG), -1);
    assert_error(XENMEMCTL_INVALID, "line too long");
}
END_TEST

START_TEST(a_server_of_another_protocol_is_not_adopted)
{
    int end = make_pair();

    say("{\"jsonrpc\":\"2.0\",\"method\":\"hello\",\"params\":{\"protocol\":3,\"server\":\"x\"}}"
        "\n");
    ck_assert_int_eq(xenmemctl_adopt(end, LONG, &connection, &error), -1);
    assert_error(XENMEMCTL_PROTOCOL, "x speaks protocol 3");
}
END_TEST

START_TEST(a_negative_limit_is_refused)
{
    ck_assert_int_eq(xenmemctl_adopt(make_pair(), -1, &connection, &error), -1);
    assert_error(XENMEMCTL_INVALID, "negative");
    ck_assert_int_eq(xenmemctl_connect(path, -1, &connection, &error), -1);
    assert_error(XENMEMCTL_INVALID, "negative");
}
END_TEST

/* --- servers that need a process of their own ------------------------------------------------ */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Sends text again and again until nobody takes it, with a pause of pause_us after each. */
static pid_t repeat(const char *text, size_t length, useconds_t pause_us)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child > 0)
        return child;
    while (send(server, text, length, MSG_NOSIGNAL) > 0)
        if (pause_us > 0)
            usleep(pause_us);
    _exit(0);
}

static void stop(pid_t child)
{
    xenmemctl_free(connection);
    connection = NULL;
    hang_up();
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(a_server_that_sends_a_byte_now_and_then_does_not_prolong_the_wait)
{
    int64_t begin = now_ms();
    pid_t child;

    meet("");
    child = repeat("x", 1, 10000);
    ck_assert_int_eq(call(300), -1);
    assert_error(XENMEMCTL_TIMEOUT, "no answer");
    ck_assert_int_lt(now_ms() - begin, 20000);
    stop(child);
}
END_TEST

START_TEST(a_server_that_sends_without_an_end_is_refused)
{
    static char much[1024 * 1024];
    pid_t child;

    memset(much, 'x', sizeof(much));
    meet("");
    child = repeat(much, sizeof(much), 0);
    ck_assert_int_eq(call(LONG), -1);
    assert_error(XENMEMCTL_PROTOCOL, "a line of more than");
    stop(child);
}
END_TEST

START_TEST(a_server_that_answers_with_notifications_only_is_refused)
{
    pid_t child;

    meet("");
    child = repeat(EVENT(1), strlen(EVENT(1)), 0);
    ck_assert_int_eq(call(LONG), -1);
    assert_error(XENMEMCTL_PROTOCOL, "notifications instead of an answer");
    stop(child);
}
END_TEST

/* --- connecting ------------------------------------------------------------------------------ */

static void listen_at_path(int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, path);
    server = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(server, backlog), 0);
}

static void assert_no_connection(int timeout_ms, enum xenmemctl_code code, const char *what)
{
    ck_assert_int_eq(xenmemctl_connect(path, timeout_ms, &connection, &error), -1);
    ck_assert_ptr_null(connection);
    assert_error(code, what);
    assert_error(code, path);
}

START_TEST(where_nobody_listens_is_said)
{
    assert_no_connection(LONG, XENMEMCTL_UNREACHABLE, "No such file or directory");
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_no_connection(LONG, XENMEMCTL_UNREACHABLE, "refused");
    unlink(path);
    listen_at_path(1);
    hang_up();
    assert_no_connection(LONG, XENMEMCTL_UNREACHABLE, "refused");
}
END_TEST

START_TEST(a_listener_that_does_not_accept_is_not_waited_for_for_ever)
{
    listen_at_path(1);
    assert_no_connection(SHORT, XENMEMCTL_TIMEOUT, "");
}
END_TEST

START_TEST(a_full_queue_is_not_waited_for_for_ever)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int clients[8], n = 0;

    listen_at_path(0);
    strcpy(address.sun_path, path);
    do
        clients[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    while (connect(clients[n++], (struct sockaddr *)&address, sizeof(address)) == 0 && n < 8);
    ck_assert_int_eq(errno, EAGAIN);
    assert_no_connection(SHORT, XENMEMCTL_TIMEOUT, "does not answer");
    while (n > 0)
        close(clients[--n]);
}
END_TEST

START_TEST(a_path_that_no_socket_can_have_is_refused)
{
    char longer[200];

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    ck_assert_int_eq(xenmemctl_connect(longer, LONG, &connection, &error), -1);
    assert_error(XENMEMCTL_INVALID, "107 characters");
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_call_is_answered);
    tcase_add_test(tests, a_refused_call_fails_and_the_next_is_answered);
    tcase_add_test(tests, notifications_before_an_answer_are_kept_in_their_order);
    tcase_add_test(tests, waiting_in_vain_is_no_failure);
    tcase_add_test(tests, a_server_without_a_hello_is_not_waited_for_for_ever);
    tcase_add_test(tests, a_call_without_an_answer_ends_and_so_does_the_connection);
    tcase_add_test(tests, an_answer_to_somebody_else_is_none);
    tcase_add_test(tests, a_server_that_hangs_up_in_its_answer_is_gone);
    tcase_add_test(tests, a_server_that_hangs_up_while_others_wait_is_gone);
    tcase_add_test(tests, last_words_are_heard_also_where_nothing_can_be_said_any_more);
    tcase_add_test(tests, a_server_of_another_protocol_is_not_adopted);
    tcase_add_test(tests, a_negative_limit_is_refused);
    tcase_add_test(tests, a_server_that_sends_a_byte_now_and_then_does_not_prolong_the_wait);
    tcase_add_test(tests, a_server_that_sends_without_an_end_is_refused);
    tcase_add_test(tests, a_server_that_answers_with_notifications_only_is_refused);
    tcase_add_test(tests, where_nobody_listens_is_said);
    tcase_add_test(tests, a_listener_that_does_not_accept_is_not_waited_for_for_ever);
    tcase_add_test(tests, a_full_queue_is_not_waited_for_for_ever);
    tcase_add_test(tests, a_path_that_no_socket_can_have_is_refused);
}

int main(void)
{
    Suite *suite = suite_create("waiting");
    TCase *tests = tcase_create("waiting");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 120);
    add_tests(tests);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
