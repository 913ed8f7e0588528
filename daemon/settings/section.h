/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sections [host] and [vm PATTERN], as the configuration and policies have them. */
#ifndef DAEMON_SETTINGS_SECTION_H
#define DAEMON_SETTINGS_SECTION_H

struct err;
struct setting_partial;

/* The pattern of a section "vm PATTERN", "" where it is missing; NULL where it is another section.
 */
const char *section_pattern(const char *section);

/*
 * One line of such a section into what it says: 0, or −1 with ERR_INVALID. Settings of a VM that
 * contradict each other are refused at the line that brings the contradiction.
 */
int section_take_host(struct setting_partial *said, const char *key, const char *text,
                      struct err *err);
int section_take_vm(struct setting_partial *said, const char *section, const char *key,
                    const char *text, struct err *err);

#endif
