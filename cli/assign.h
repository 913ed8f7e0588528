/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings as they are typed: KEY=VALUE, a word each. */
#ifndef CLI_ASSIGN_H
#define CLI_ASSIGN_H

#include <stddef.h>

struct cli;
struct xenmemctl_request;

/* What can be seen to be wrong without asking xenmemd. EXIT_DONE, or it complained. */
int assign_check(struct cli *cli, const char *const *words, size_t n_words);

/* Puts them into the request as "settings". */
void assign_put(struct xenmemctl_request *request, const char *const *words, size_t n_words);

#endif
