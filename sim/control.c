/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#include "base/err.h"
#include "hv/sim/client.h"
#include "hv/sim/sim.h"
#include "hv/sim/xl.h"
#include "sim/xl_file.h"

#define LOOK_MS      20
#define BUILD_LOOKS  30000 /* ten minutes */
#define GONE_LOOKS   500   /* ten seconds: a zombie never goes */
#define STOP_MS      5000
#define WORD_MAX_LEN 1000

static int open_host(const char *file, struct sim_client **out, struct err *err)
{
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

    if (sim_socket_path(file, path, sizeof(path), err))
        return -1;
    if (sim_client_open(path, out, err) == 0)
        return 0;
    if (err->code != ERR_UNREACHABLE)
        return -1;
    return err_set(err, ERR_UNREACHABLE,
                   "no simulated host of %s runs: start it with 'xenmem-sim host %s'", file, file);
}

/* What one look shows of a domain; *found is false where it is gone. */
static int look_at(struct sim_client *client, uint32_t domid, bool *found, struct sim_facts *out,
                   struct err *err)
{
    struct hv_host host;
    struct wire_in in;
    uint32_t n;

    wire_put_u64(sim_client_ask(client, WIRE_READ), UINT64_MAX);
    if (sim_client_call(client, &in, err))
        return -1;
    wire_get_host(&in, &host);
    (void)wire_get_u64(&in);
    n = wire_get_u32(&in);
    *found = false;
    for (uint32_t i = 0; i < n && !in.bad && !*found; i++) {
        wire_get_facts(&in, out);
        *found = out->ref.domid == domid;
    }
    return in.bad ? sim_client_break(client, err) : 0;
}

static bool has_come(enum sim_xl_wait wait, const struct sim_facts *facts)
{
    switch (wait) {
    case SIM_XL_WAIT_BUILT:
        return facts->flags & FACT_INTRODUCED;
    case SIM_XL_WAIT_RUNNING:
        return (facts->flags & FACT_INTRODUCED) && !(facts->flags & FACT_PAUSED);
    default:
        return false;
    }
}

/* As xl, returns when it is done. A domain that is gone before it was built makes create fail. */
static int wait_for(struct sim_client *client, enum sim_xl_wait wait, uint32_t domid,
                    int *exit_code, struct err *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    int looks = wait == SIM_XL_WAIT_GONE ? GONE_LOOKS : BUILD_LOOKS;

    for (int i = 0; wait != SIM_XL_WAIT_NONE && i < looks; i++) {
        struct sim_facts facts;
        bool found;

        if (look_at(client, domid, &found, &facts, err))
            return -1;
        if (!found && wait != SIM_XL_WAIT_GONE)
            *exit_code = SIM_XL_NOT_BUILT;
        if (!found || has_come(wait, &facts))
            return 0;
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int send_words(struct sim_client *client, size_t n_words, char *const words[],
                      struct wire_in *in, struct err *err)
{
    struct wire_out *out = sim_client_ask(client, WIRE_XL);

    if (n_words > SIM_XL_MAX_WORDS)
        return err_set(err, ERR_INVALID, "more than %d words", SIM_XL_MAX_WORDS);
    wire_put_u32(out, (uint32_t)n_words);
    for (size_t i = 0; i < n_words; i++) {
        if (strlen(words[i]) > WORD_MAX_LEN || out->length > WIRE_MAX_REQUEST - 2 * WORD_MAX_LEN)
            return err_set(err, ERR_INVALID, "'%.40s' is too long", words[i]);
        wire_put_text(out, words[i]);
    }
    return sim_client_call(client, in, err);
}

static int run(struct sim_client *client, size_t n_words, char *const words[], int *exit_code,
               struct err *err)
{
    struct wire_in in;
    char complaint[ERR_TEXT_MAX];
    const char *out;
    size_t length;
    uint32_t wait, domid;

    if (send_words(client, n_words, words, &in, err))
        return -1;
    *exit_code = (int)wire_get_u32(&in);
    wait = wire_get_u32(&in);
    domid = wire_get_u32(&in);
    out = wire_get_bytes(&in, WIRE_MAX_REPLY, &length);
    wire_get_text(&in, complaint, sizeof(complaint));
    if (!wire_in_done(&in) || wait > SIM_XL_WAIT_GONE)
        return sim_client_break(client, err);
    if (length > 0 && fwrite(out, 1, length, stdout) != length)
        return err_set_errno(err, ERR_FAILED, errno, "write what it says");
    if (complaint[0] != '\0')
        fprintf(stderr, "%s\n", complaint);
    return wait_for(client, (enum sim_xl_wait)wait, domid, exit_code, err);
}

/* xl is given a file, the simulated host a name. */
static bool names_a_file(const char *word)
{
    size_t length = strlen(word);

    return strchr(word, '/') || (length > 4 && strcmp(word + length - 4, ".cfg") == 0);
}

static int create_from_file(struct sim_client *client, size_t n_words, char *const words[],
                            int *exit_code, struct err *err)
{
    char *all[SIM_XL_MAX_WORDS];
    struct xl_file file;
    size_t n = 0;

    if (xl_file_read(words[1], &file, err))
        return -1;
    if (n_words - 1 + file.n_words > SIM_XL_MAX_WORDS)
        return err_set(err, ERR_INVALID, "create: too many words");
    all[n++] = words[0];
    for (size_t i = 0; i < file.n_words; i++)
        all[n++] = file.words[i];
    for (size_t i = 2; i < n_words; i++)
        all[n++] = words[i];
    return run(client, n, all, exit_code, err);
}

int control_xl(const char *file, size_t n_words, char *const words[], int *exit_code,
               struct err *err)
{
    struct sim_client *client;
    int rc;

    if (open_host(file, &client, err))
        return -1;
    if (n_words > 1 && strcmp(words[0], "create") == 0 && names_a_file(words[1]))
        rc = create_from_file(client, n_words, words, exit_code, err);
    else
        rc = run(client, n_words, words, exit_code, err);
    sim_client_close(client);
    return rc;
}

/* The connection breaks when the host is gone. */
static int wait_for_end(struct sim_client *client, int pid, struct err *err)
{
    struct timespec now;
    int64_t until_ms, left_ms = STOP_MS;
    unsigned changes;
    int fds[2];

    sim_client_fds(client, fds);
    clock_gettime(CLOCK_MONOTONIC, &now);
    until_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + STOP_MS;
    while (left_ms > 0) {
        struct pollfd poll_fd = {.fd = fds[0], .events = POLLIN};

        (void)poll(&poll_fd, 1, (int)left_ms);
        if (sim_client_drain(client, &changes, NULL))
            return 0;
        clock_gettime(CLOCK_MONOTONIC, &now);
        left_ms = until_ms - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    }
    return err_set(err, ERR_TIMEOUT, "the simulated host (process %d) does not end", pid);
}

int control_stop(const char *file, struct err *err)
{
    struct sim_client *client;
    int pid, rc;

    if (open_host(file, &client, err))
        return -1;
    pid = sim_client_pid(client);
    if (pid <= 0 || kill(pid, SIGTERM))
        rc = err_set_errno(err, ERR_FAILED, errno, "end process %d", pid);
    else
        rc = wait_for_end(client, pid, err);
    sim_client_close(client);
    return rc;
}
