/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's root that means harm: writes into the agent's xenstore key what may hurt a reader, for
 * as long as it runs.
 *
 * usage: liar MODE, where MODE is one of
 *   delete, binary, huge, negative, nul, full   no report, or none that is one
 *   replay                                      good reports, all with the same number
 *   stand                                       one good report, and then for ever that same text
 *   once                                        a good report a second
 *   flood                                       a good report 1,000 times a second
 *   greedy                                      a good report a second of one who needs 1 TiB
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xenstore.h>

#define REPORT_KEY "data/xenmem"
#define TEXT_ROOM  4096 /* the most that a message to xenstored may hold */
#define FULL_TEXT  2048 /* the most that it takes as a value */

struct lie {
    const char *mode;
    int (*make)(unsigned turn, char text[TEXT_ROOM]); /* its length; −1: delete the key */
    useconds_t pause_us;                              /* between two of them */
};

static int make_deletion(unsigned turn, char text[TEXT_ROOM])
{
    return turn % 2 ? -1 : snprintf(text, TEXT_ROOM, "here for a moment");
}

static int make_binary(unsigned turn, char text[TEXT_ROOM])
{
    for (int i = 0; i < 256; i++)
        text[i] = (char)(i * 7 + (int)turn);
    return 256;
}

/* A report in good form, if its numbers are. */
static int make_text(const char *sequence, const char *need, char text[TEXT_ROOM])
{
    return snprintf(text, TEXT_ROOM,
                    "xenmem1 seq=%s need=%s floor=%s total=131072 avail=0 swap=0 cache=0 swapin=0 "
                    "swapout=0 some=0 full=0 oom=0 balloon=1",
                    sequence, need, need);
}

static int make_false_number(const char *number, char text[TEXT_ROOM])
{
    return make_text(number, number, text);
}

static int make_huge(unsigned turn, char text[TEXT_ROOM])
{
    return make_false_number(turn % 2 ? "9223372036854775808" : "99999999999999999999999", text);
}

static int make_negative(unsigned turn, char text[TEXT_ROOM])
{
    return make_false_number(turn % 2 ? "-1" : "-9223372036854775808", text);
}

static int make_report(uint64_t sequence, int64_t need_kib, char text[TEXT_ROOM])
{
    char number[24], need[24];

    snprintf(number, sizeof(number), "%" PRIu64, sequence);
    snprintf(need, sizeof(need), "%" PRId64, need_kib);
    return make_text(number, need, text);
}

static int make_nul(unsigned turn, char text[TEXT_ROOM])
{
    int length = make_report(turn, 100000, text);

    text[8 + turn % 16] = '\0';
    return length;
}

static int make_full(unsigned turn, char text[TEXT_ROOM])
{
    memset(text, 'x', TEXT_ROOM);
    return turn % 2 ? FULL_TEXT : TEXT_ROOM;
}

static int make_replay(unsigned turn, char text[TEXT_ROOM])
{
    return make_report(1, 100000 + turn, text);
}

static int make_standing(unsigned turn, char text[TEXT_ROOM])
{
    (void)turn;
    return make_report(2, 100000, text);
}

/* Numbers greater than any of the agent's. */
static int make_flood(unsigned turn, char text[TEXT_ROOM])
{
    return make_report((UINT64_C(1) << 50) + turn, 100000 + turn % 2, text);
}

static int make_greedy(unsigned turn, char text[TEXT_ROOM])
{
    return make_report((UINT64_C(1) << 51) + turn, INT64_C(1) << 30, text);
}

static const struct lie lies[] = {
    {"delete", make_deletion, 10000}, {"binary", make_binary, 100000},
    {"huge", make_huge, 100000},      {"negative", make_negative, 100000},
    {"nul", make_nul, 100000},        {"full", make_full, 100000},
    {"replay", make_replay, 100000},  {"stand", make_standing, 100000},
    {"once", make_flood, 1000000},    {"flood", make_flood, 1000},
    {"greedy", make_greedy, 1000000},
};
#define N_LIES (sizeof(lies) / sizeof(*lies))

int main(int argc, char **argv)
{
    const struct lie *lie = NULL;
    struct xs_handle *xs = xs_open(0);
    char text[TEXT_ROOM];

    for (size_t i = 0; argc == 2 && i < N_LIES; i++)
        if (strcmp(argv[1], lies[i].mode) == 0)
            lie = &lies[i];
    if (!lie || !xs) {
        fputs(lie ? "liar: no xenstore\n" : "usage: liar MODE\n", stderr);
        return 2;
    }
    for (unsigned turn = 0;; turn++) {
        int length = lie->make(turn, text);

        /* What is refused does no harm: go on. */
        if (length < 0)
            xs_rm(xs, XBT_NULL, REPORT_KEY);
        else
            xs_write(xs, XBT_NULL, REPORT_KEY, text, (unsigned)length);
        usleep(lie->pause_us);
    }
}
