/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/methods/trial.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/engine.h"
#include "daemon/memory.h"
#include "daemon/registry.h"
#include "daemon/settings/layers.h"

/* A decision of its own, beside the engine's. */
struct bench {
    struct snapshot snapshot;
    struct decision decision;
    struct vm *vms;
    struct vm_track *tracks;
    struct want *wants;
};

static void set_up(struct bench *bench, const struct snapshot *last)
{
    size_t n = last->n_vms;

    *bench = (struct bench){.snapshot = *last};
    bench->vms = memory_new(n + 1, sizeof(*bench->vms));
    bench->tracks = memory_new(n + 1, sizeof(*bench->tracks));
    bench->wants = memory_new(last->n_wants + 1, sizeof(*bench->wants));
    bench->decision = (struct decision){
        .verdicts = memory_new(n + 1, sizeof(struct verdict)),
        .actions = memory_new(n + 1, sizeof(struct action)),
        .work = memory_new(n + 1, sizeof(struct decide_work)),
        .parts = memory_new(n + 1, sizeof(struct part)),
        .waiting = memory_new(n + 1, sizeof(struct waiting)),
    };
    bench->snapshot.vms = bench->vms;
    bench->snapshot.wants = bench->wants;
}

static void tear_down(struct bench *bench)
{
    free(bench->vms);
    free(bench->tracks);
    free(bench->wants);
    free(bench->decision.verdicts);
    free(bench->decision.actions);
    free(bench->decision.work);
    free(bench->decision.parts);
    free(bench->decision.waiting);
}

static void fill_vms(struct bench *bench, const struct snapshot *last,
                     const struct registry *registry, const struct trial *trial)
{
    for (size_t i = 0; i < last->n_vms; i++) {
        const struct domain *domain = &registry->domains[i];

        bench->vms[i] = last->vms[i];
        bench->tracks[i] = domain->track;
        if (domain->vm)
            bench->vms[i].settings = domain->vm->settings;
        if (domain == trial->domain) {
            bench->vms[i].settings = trial->settings;
            bench->vms[i].overridden = false;
        }
    }
}

static void fill_host(struct bench *bench, const struct layers *layers, const struct trial *trial)
{
    const struct setting_partial *said[LAYERS_MAX];
    struct snapshot *snapshot = &bench->snapshot;
    size_t n_said = layers_of_host(layers, said);

    host_settings_resolve(said, n_said, &snapshot->settings);
    if (trial->start.size.v > 0)
        bench->wants[snapshot->n_wants++] = trial->start;
}

void trial_decide(struct daemon *daemon, const struct trial *trial,
                  void (*visit)(void *arg, const struct snapshot *snapshot,
                                const struct decision *decision),
                  void *arg)
{
    static const struct decide_faults none;
    const struct snapshot *last;
    const struct decision *decision;
    struct bench bench;

    engine_last(daemon->engine, &last, &decision);
    set_up(&bench, last);
    if (last->n_wants > 0)
        memcpy(bench.wants, last->wants, last->n_wants * sizeof(*bench.wants));
    fill_vms(&bench, last, daemon->registry, trial);
    fill_host(&bench, daemon->layers, trial);
    decide(&bench.snapshot, bench.tracks, &bench.decision, &none);
    visit(arg, &bench.snapshot, &bench.decision);
    tear_down(&bench);
}
