/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/hooks/hook_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/memory.h"
#include "proto/records.h"

#define N_VARIABLES 10
#define CLEAN_PATH  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What the child needs, made before the fork: behind it, only what is safe in a signal handler. */
struct child {
    const char *path;
    char *arguments[3];
    char *variables[N_VARIABLES + 1];
    int input, output;
    bool changes_user;
    uid_t uid;
    gid_t gid;
};

static char *variable(const char *name, const char *value)
{
    size_t room = strlen(name) + strlen(value) + 2;
    char *text = memory_new(room, 1);

    snprintf(text, room, "%s=%s", name, value);
    return text;
}

static char *number_variable(const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    return variable(name, value < 0 ? "" : text);
}

static void fill_environment(struct child *child, const struct hook_start *start)
{
    const struct proto_event *event = start->event;
    char **to = child->variables;

    *to++ = memory_copy_text(CLEAN_PATH);
    *to++ = variable("XENMEM_EVENT", event->kind);
    *to++ = number_variable("XENMEM_ID", event->id);
    *to++ = number_variable("XENMEM_TIME_MS", event->time_ms);
    *to++ = variable("XENMEM_VM", event->vm ? event->vm : "");
    *to++ = number_variable("XENMEM_DOMID", event->domid);
    *to++ = number_variable("XENMEM_UID", event->uid);
    *to++ = variable("XENMEM_REASON", event->reason ? event->reason : "");
    *to++ = variable("XENMEM_DETAIL", event->detail);
    *to++ = variable("XENMEM_SOCKET", start->socket);
}

static int find_user(struct child *child, const char *name, struct err *err)
{
    const struct passwd *user;

    if (name[0] == '\0')
        return 0;
    user = getpwnam(name);
    if (!user)
        return err_set(err, ERR_FAILED, "there is no user '%.40s'", name);
    child->uid = user->pw_uid;
    child->gid = user->pw_gid;
    child->changes_user = user->pw_uid != geteuid();
    return 0;
}

/* The daemon may be the last that the kernel kills when memory is short; a hook is like any other.
 */
static void be_killable(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0)
        (void)!write(fd, "0", 1);
}

static _Noreturn void run_child(const struct child *child)
{
    sigset_t none;

    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(child->input, 0) < 0 || dup2(child->output, 1) < 0 || dup2(child->output, 2) < 0 ||
        chdir("/"))
        _exit(126);
    be_killable();
    close_range(3, ~0U, 0);
    if (child->changes_user &&
        (setgroups(1, &child->gid) || setgid(child->gid) || setuid(child->uid))) {
        static const char complaint[] = "xenmemd: cannot become the hooks' user\n";

        (void)!write(2, complaint, sizeof(complaint) - 1);
        _exit(126);
    }
    /* Whoever comes after a daemon that was killed runs it again, and does not want two of it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execve(child->path, child->arguments, child->variables);
    _exit(errno == ENOENT ? 127 : 126);
}

/* Two pipes: what it reads is in the first one already, and fits. */
static int make_pipes(const struct hook_start *start, int input[2], int output[2], struct err *err)
{
    if (pipe2(input, O_CLOEXEC))
        return err_set_errno(err, ERR_FAILED, errno, "make a pipe");
    if (pipe2(output, O_CLOEXEC)) {
        err_set_errno(err, ERR_FAILED, errno, "make a pipe");
        close(input[0]);
        close(input[1]);
        return -1;
    }
    fcntl(input[1], F_SETFL, O_NONBLOCK);
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    (void)!write(input[1], start->input, start->length);
    close(input[1]);
    return 0;
}

static int fork_child(struct child *child, const struct hook_start *start, pid_t *pid, int *fd,
                      struct err *err)
{
    int input[2], output[2];

    if (make_pipes(start, input, output, err))
        return -1;
    child->input = input[0];
    child->output = output[1];
    *pid = fork();
    if (*pid == 0)
        run_child(child);
    close(input[0]);
    close(output[1]);
    if (*pid < 0) {
        close(output[0]);
        return err_set_errno(err, ERR_FAILED, errno, "fork");
    }
    setpgid(*pid, *pid); /* whoever of us comes first: it must be so before it is killed */
    *fd = output[0];
    return 0;
}

int hook_process_start(const struct hook_start *start, pid_t *pid, int *output_fd, struct err *err)
{
    struct child child = {.path = start->path,
                          .arguments = {(char *)start->path, (char *)start->event->kind, NULL}};
    int rc;

    if (find_user(&child, start->user, err))
        return -1;
    fill_environment(&child, start);
    rc = fork_child(&child, start, pid, output_fd, err);
    for (size_t i = 0; child.variables[i]; i++)
        free(child.variables[i]);
    return rc;
}
