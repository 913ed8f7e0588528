/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a policy changes, or would change: xenmemd's answer to policy check, apply and revert. */
#ifndef CLI_FORESIGHT_H
#define CLI_FORESIGHT_H

#include <stdbool.h>

struct cli;
struct xenmemctl_value;

/* Settings that change; where nothing was done (dry), targets too. VM "-" is the host. */
void foresight_put(struct cli *cli, const struct xenmemctl_value *result, bool dry);

/* The settings that change, as they are in JSON. */
void foresight_put_csv(struct cli *cli, const struct xenmemctl_value *result);

#endif
