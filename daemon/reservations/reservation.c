/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One reservation: its state, its domain, and how long it may wait. */
#include <string.h>

#include "core/reason.h"
#include "daemon/registry.h"
#include "daemon/reservations/reservations.h"

#define INCOMING "--incoming"

const char *reservation_state_name(enum reservation_state state)
{
    static const char *const names[] = {"queued", "squeezing", "saving", "granted", "bound"};

    return names[state];
}

static bool is_its_name(const char *domain, const char *name)
{
    size_t length = strlen(name);

    return length > 0 && strncmp(domain, name, length) == 0 &&
           (domain[length] == '\0' || strcmp(domain + length, INCOMING) == 0);
}

ssize_t reservation_find_domain(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->n_domains; i++) {
        const struct hv_domain *now = &registry->domains[i].now;

        if (!now->dom0 && now->state != VM_DYING && now->state != VM_SHUTDOWN &&
            is_its_name(now->name, name))
            return (ssize_t)i;
    }
    return -1;
}

bool reservation_is_over(const struct reservation *reservation, int64_t now_ms)
{
    int64_t waited = now_ms - reservation->since_ms;

    if (reservation->state == RESERVATION_QUEUED)
        return waited >= reservation->wait_ms;
    return now_ms - reservation->squeezed_ms >= RESERVATION_SQUEEZE_MS &&
           waited >= reservation->wait_ms;
}

void reservation_judge(struct reservation *reservation, bool is_feasible, int64_t now_ms)
{
    if (reservation->since_ms < 0)
        reservation->since_ms = now_ms;
    if (!is_feasible) {
        reservation->state = RESERVATION_QUEUED;
        reservation->squeezed_ms = -1;
        return;
    }
    reservation->state = RESERVATION_SQUEEZING;
    if (reservation->squeezed_ms < 0)
        reservation->squeezed_ms = now_ms;
}

void reservation_judge_refusal(const struct reservation *reservation, struct refusal *refusal)
{
    if (reservation->wait_ms > 0) {
        refusal->code = REFUSAL_WAITED;
        refusal->waited_ms = reservation->wait_ms;
    } else if (reservation->state == RESERVATION_SQUEEZING) {
        refusal->code = REFUSAL_NOT_GIVEN;
        refusal->waited_ms = RESERVATION_SQUEEZE_MS;
    }
}
