/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long one decision takes: want, share and plan of a whole host.
 *
 * `bench/decide [N…]` prints CSV: the number of VMs, whether they begin at random or have settled,
 * whether there is plenty or scarcity, and the median of the time that one decision takes of one
 * core, in µs. With --admit first it is the time of one admission instead: is there room for a
 * start of priority 50? `bench/decide --once N random|settled plenty|scarcity` decides once, for
 * instructions.sh to count.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/admit.h"
#include "core/decide.h"

#define RUNS_MIN     15
#define RUNS_MAX     2001
#define RUN_US       300000.0 /* about so long for each line */
#define SETTLE_LIMIT 300

struct bench {
    struct snapshot snapshot;
    struct decision decision;
    struct vm *vms;
    struct vm_track *tracks, *before;
};

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static struct kib random_mib(uint64_t *state, int64_t low, int64_t high)
{
    return kib_mib(low + (int64_t)(next_random(state) % (uint64_t)(high - low + 1)));
}

static void *room_for(size_t n, size_t size)
{
    void *room = calloc(n, size);

    if (!room) {
        perror("bench/decide");
        exit(EXIT_FAILURE);
    }
    return room;
}

static void make_vm(uint64_t *state, bool is_scarce, struct vm *vm)
{
    struct kib maximum = random_mib(state, 512, 16384);
    struct kib minimum = kib_scale(maximum, 1, 4);

    *vm = (struct vm){
        .state = VM_RUNNING,
        .settings = {.startup = kib_scale(maximum, 1, 2),
                     .minimum = minimum,
                     .maximum = maximum,
                     .buffer_percent = 20,
                     .priority = (int32_t)(next_random(state) % 101),
                     .mode = VM_MODE_DYNAMIC},
        .target = random_mib(state, minimum.v / 1024, maximum.v / 1024 / (is_scarce ? 2 : 1)),
        .report = {.source = NEED_AGENT, .balloon = true},
        .fresh = true,
    };
    vm->report.need = random_mib(state, 100, maximum.v / 1024);
    vm->assigned = vm->target;
    vm->cap = model_cap(vm, vm->target);
}

static struct bench make_bench(size_t n, bool is_scarce)
{
    struct bench bench = {
        .vms = room_for(n, sizeof(*bench.vms)),
        .tracks = room_for(n, sizeof(*bench.tracks)),
        .before = room_for(n, sizeof(*bench.before)),
        .decision = {.verdicts = room_for(n, sizeof(struct verdict)),
                     .actions = room_for(n, sizeof(struct action)),
                     .work = room_for(n, sizeof(struct decide_work)),
                     .parts = room_for(n, sizeof(struct part)),
                     .waiting = room_for(n, sizeof(struct waiting))},
    };
    uint64_t state = n;
    struct kib wanted = kib(0);
    struct kib counted = kib(0);

    for (size_t i = 0; i < n; i++) {
        make_vm(&state, is_scarce, &bench.vms[i]);
        wanted = kib_add(wanted, kib_scale(bench.vms[i].report.need, 12, 10));
        counted = kib_add(counted, model_counted(&bench.vms[i]));
    }
    /* Three quarters, or half as much again, of what all want together. */
    bench.snapshot = (struct snapshot){.now_ms = 1000000, .vms = bench.vms, .n_vms = n};
    bench.snapshot.host.free = kib_excess(kib_scale(wanted, is_scarce ? 3 : 6, 4), counted);
    host_settings_resolve(NULL, 0, &bench.snapshot.settings);
    bench.snapshot.settings.reserve = kib(0);
    return bench;
}

static void free_bench(struct bench *bench)
{
    free(bench->vms);
    free(bench->tracks);
    free(bench->before);
    free(bench->decision.verdicts);
    free(bench->decision.actions);
    free(bench->decision.work);
    free(bench->decision.parts);
    free(bench->decision.waiting);
}

static void follow(struct bench *bench)
{
    for (size_t i = 0; i < bench->decision.n_actions; i++) {
        const struct action *action = &bench->decision.actions[i];
        struct vm *vm = &bench->vms[action->vm];

        vm->cap = action->cap;
        if (action->kind == ACTION_TARGET)
            vm->target = action->target;
        bench->snapshot.host.free =
            kib_add(bench->snapshot.host.free, kib_sub(vm->assigned, vm->target));
        vm->assigned = vm->target;
    }
    bench->snapshot.now_ms += 1000;
}

static void settle(struct bench *bench)
{
    static const struct decide_faults none;

    for (int i = 0; i < SETTLE_LIMIT; i++) {
        decide(&bench->snapshot, bench->tracks, &bench->decision, &none);
        if (bench->decision.settled)
            return;
        follow(bench);
    }
}

/* The time that this thread has had a core: what others do meanwhile on the machine is not counted.
 */
static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* What valgrind counts: found by its name. */
__attribute__((noinline)) static void decide_once(struct bench *bench)
{
    static const struct decide_faults none;

    decide(&bench->snapshot, bench->tracks, &bench->decision, &none);
}

static void admit_once(struct bench *bench)
{
    volatile int64_t found = admit(&bench->snapshot, &bench->decision, 50).freeable.v;

    (void)found;
}

static double median_us(struct bench *bench, void (*once)(struct bench *))
{
    static double times[RUNS_MAX];
    size_t n = bench->snapshot.n_vms;
    double total = 0;
    int runs = 0;

    memcpy(bench->before, bench->tracks, n * sizeof(*bench->tracks));
    decide_once(bench);
    while (runs < RUNS_MAX && (runs < RUNS_MIN || total < RUN_US)) {
        double start;

        memcpy(bench->tracks, bench->before, n * sizeof(*bench->tracks));
        start = now_us();
        once(bench);
        times[runs] = now_us() - start;
        total += times[runs++];
    }
    qsort(times, (size_t)runs, sizeof(*times), by_value);
    return times[runs / 2];
}

static void run_once(size_t n, bool is_settled, bool is_scarce)
{
    struct bench bench = make_bench(n, is_scarce);

    if (is_settled)
        settle(&bench);
    decide_once(&bench);
    free_bench(&bench);
}

static void measure(size_t n, void (*once)(struct bench *))
{
    for (int is_scarce = 0; is_scarce < 2; is_scarce++)
        for (int is_settled = 0; is_settled < 2; is_settled++) {
            struct bench bench = make_bench(n, is_scarce);

            if (is_settled)
                settle(&bench);
            printf("%zu,%s,%s,%.1f\n", n, is_settled ? "settled" : "random",
                   is_scarce ? "scarcity" : "plenty", median_us(&bench, once));
            fflush(stdout);
            free_bench(&bench);
        }
}

static size_t number_of(const char *text)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);

    if (*end != '\0' || n < 1 || n > 10000000) {
        fprintf(stderr, "bench/decide: '%s' is not a number of VMs from 1 to 10000000\n", text);
        exit(2);
    }
    return (size_t)n;
}

int main(int argc, char **argv)
{
    static const size_t usual[] = {10, 100, 1000, 10000, 100000};
    void (*once)(struct bench *) = decide_once;
    int first = 1;

    if (argc == 5 && strcmp(argv[1], "--once") == 0) {
        run_once(number_of(argv[2]), strcmp(argv[3], "settled") == 0,
                 strcmp(argv[4], "scarcity") == 0);
        return EXIT_SUCCESS;
    }
    if (argc > 1 && strcmp(argv[1], "--admit") == 0) {
        once = admit_once;
        first++;
    }
    printf("vms,start,memory,median_us\n");
    for (int i = first; i < argc; i++)
        measure(number_of(argv[i]), once);
    for (size_t i = 0; argc == first && i < sizeof(usual) / sizeof(*usual); i++)
        measure(usual[i], once);
    return EXIT_SUCCESS;
}
