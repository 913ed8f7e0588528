/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which domains are being saved or migrated: xl and libvirt have a process at work for each, the
 * only sign there is before the domain is suspended. A list of processes that cannot be read whole
 * says nothing about anybody.
 */
#ifndef HV_SAVERS_H
#define HV_SAVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define SAVERS_MAX 64

/* For the view of a host, processes are looked at this often; before a write, so that what is known
 * is no older than this. While the kernel tells of each program that begins, and nobody was being
 * saved, only this often: what it finds no memory to tell is lost without a word. */
#define SAVERS_EVERY_MS 5000
#define SAVERS_FRESH_MS 100
#define SAVERS_NEWS_MS  30000

struct savers {
    const char *proc; /* where processes are: "/proc"; borrowed */
    bool has_news;    /* the kernel tells of programs that begin, at news */
    int news;         /* as exec_news_open has it; the caller's */
    bool began;       /* so it told of one that saves, or of one that could not be looked at */
    bool seen;        /* all of them were, at looked_ms */
    int64_t looked_ms;
    uint32_t domids[SAVERS_MAX];
    size_t count;
};

/* Looks again, unless what is known is younger than max_age_ms. now_ms: any clock, always the same.
 * False where not all of them could be seen, or they are too many. */
bool savers_look(struct savers *savers, int64_t now_ms, int64_t max_age_ms);

/* Among those seen last, is one at work on this domain? */
bool savers_have(const struct savers *savers, uint32_t domid);

/* May the domain be written, as far as this goes? 0, or −1: ERR_NOT_FOUND where it is being saved,
 * ERR_BUSY where that cannot be seen. */
int savers_check(struct savers *savers, uint32_t domid, int64_t now_ms, struct err *err);

#endif
