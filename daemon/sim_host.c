/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/sim_host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "hv/sim/sim.h"

#define PROGRAM      "xenmem-sim"
#define WAIT_STEPS   500 /* of WAIT_STEP_MS: ten seconds */
#define WAIT_STEP_MS 20
#define LOG_TAIL     1024

/* A simulated host that is being started. */
struct start {
    const char *file;
    char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
    char log[sizeof(((struct sockaddr_un *)0)->sun_path) + 4]; /* its stderr */
    pid_t pid;
};

static bool answers(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool connected;

    if (fd < 0)
        return false;
    memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
    /* EAGAIN: it listens, but has its hands full. */
    connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN;
    close(fd);
    return connected;
}

/* Beside our own program, in a build tree, or installed; else the shell's PATH finds it. */
static void find_program(char out[PATH_MAX])
{
    static const char *const places[] = {"", "/../sim", "/../bin"};
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    self[length > 0 ? length : 0] = '\0';
    slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; slash && i < sizeof(places) / sizeof(*places); i++)
        if (snprintf(out, PATH_MAX, "%s%s/" PROGRAM, self, places[i]) < PATH_MAX &&
            access(out, X_OK) == 0)
            return;
    snprintf(out, PATH_MAX, "%s", PROGRAM);
}

static int advise_by_hand(struct err *err, const struct start *start)
{
    return err_advise(err, "see what `xenmem-sim host %.80s` says", start->file);
}

/* In the child: a session of its own, its output to the log. Tells errno through tell_fd if it
 * fails. */
__attribute__((noreturn)) static void become_sim(const char *program, const struct start *start,
                                                 int log_fd, int tell_fd)
{
    char *const argv[] = {(char *)PROGRAM, (char *)"host", (char *)start->file, NULL};
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int problem;

    setsid();
    if (null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 && dup2(log_fd, STDOUT_FILENO) >= 0 &&
        dup2(log_fd, STDERR_FILENO) >= 0)
        execvp(program, argv);
    problem = errno;
    (void)!write(tell_fd, &problem, sizeof(problem));
    _exit(127);
}

/* Forks and waits until the child is another program: that is when the pipe closes without a word.
 */
static int fork_sim(struct start *start, int log_fd, struct err *err)
{
    char program[PATH_MAX];
    int tell[2];
    int problem = 0;
    ssize_t told;

    find_program(program);
    if (pipe2(tell, O_CLOEXEC)) {
        err_set_errno(err, ERR_FAILED, errno, "make a pipe");
        return err_advise(err, "start the simulated host yourself: xenmem-sim host %.80s",
                          start->file);
    }
    start->pid = fork();
    if (start->pid == 0)
        become_sim(program, start, log_fd, tell[1]);
    problem = start->pid < 0 ? errno : 0;
    close(tell[1]);
    do {
        told = start->pid < 0 ? 0 : read(tell[0], &problem, sizeof(problem));
    } while (told < 0 && errno == EINTR);
    close(tell[0]);
    if (problem == 0)
        return 0;
    if (start->pid > 0)
        waitpid(start->pid, NULL, 0);
    err_set_errno(err, ERR_FAILED, problem, "run %s, a part of xenmem", program);
    return err_advise(err, "install it, or start the simulated host yourself");
}

/* The last line that the simulated host wrote: what it has to say about its end. */
static void read_last_words(const char *log, char out[LOG_TAIL])
{
    int fd = open(log, O_RDONLY | O_CLOEXEC);
    ssize_t length = 0;
    char *newline;

    if (fd >= 0) {
        off_t size = lseek(fd, 0, SEEK_END);

        length = pread(fd, out, LOG_TAIL - 1, size > LOG_TAIL - 1 ? size - (LOG_TAIL - 1) : 0);
        close(fd);
    }
    while (length > 0 && out[length - 1] == '\n')
        length--;
    out[length > 0 ? length : 0] = '\0';
    newline = strrchr(out, '\n');
    if (newline)
        memmove(out, newline + 1, strlen(newline + 1) + 1);
}

static int explain_end(const struct start *start, int status, struct err *err)
{
    char words[LOG_TAIL];
    int exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    enum err_code code = exit_code == 2 ? ERR_INVALID : exit_code == 6 ? ERR_DENIED : ERR_FAILED;

    read_last_words(start->log, words);
    if (words[0] != '\0')
        return err_set(err, code, "the simulated host did not start: %s", words);
    err_set(err, code, "the simulated host ended at once, without a word (status %d)", status);
    return advise_by_hand(err, start);
}

static int wait_for_answer(struct start *start, struct err *err)
{
    for (int step = 0; step < WAIT_STEPS; step++) {
        const struct timespec pause = {.tv_nsec = WAIT_STEP_MS * 1000000L};
        int status;

        if (answers(start->socket))
            return 0;
        if (waitpid(start->pid, &status, WNOHANG) == start->pid)
            /* Somebody else may have started one in the meantime. */
            return answers(start->socket) ? 0 : explain_end(start, status, err);
        nanosleep(&pause, NULL);
    }
    kill(start->pid, SIGKILL);
    waitpid(start->pid, NULL, 0);
    return err_set(err, ERR_TIMEOUT,
                   "the simulated host of %s does not answer on %s; look into its log, %s",
                   start->file, start->socket, start->log);
}

static int start_sim(struct start *start, struct err *err)
{
    int log_fd =
        open(start->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    int failed;

    if (log_fd < 0) {
        err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_FAILED, errno, "open %s", start->log);
        return advise_by_hand(err, start);
    }
    failed = fork_sim(start, log_fd, err);
    close(log_fd);
    return failed ? -1 : wait_for_answer(start, err);
}

void sim_host_end(pid_t started)
{
    if (started <= 0)
        return;
    (void)kill(started, SIGTERM);
    while (waitpid(started, NULL, 0) < 0 && errno == EINTR)
        ;
}

int sim_host_ensure(const char *file, char backend[SIM_HOST_BACKEND_MAX], pid_t *started,
                    struct err *err)
{
    struct start start = {.file = file};

    *started = 0;
    if (sim_socket_path(file, start.socket, sizeof(start.socket), err))
        return -1;
    snprintf(start.log, sizeof(start.log), "%s.log", start.socket);
    snprintf(backend, SIM_HOST_BACKEND_MAX, "sim:%s", start.socket);
    if (answers(start.socket)) {
        log_info("sim-host-found file=%s socket=%s", file, start.socket);
        return 0;
    }
    if (start_sim(&start, err))
        return -1;
    *started = start.pid;
    log_info("sim-host-started file=%s socket=%s log=%s pid=%d", file, start.socket, start.log,
             (int)start.pid);
    return 0;
}
