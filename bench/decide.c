/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long one decision takes: want, share and plan of a whole host.
 *
 * `bench/decide [N…]` prints CSV: the number of VMs, whether they begin at random or have settled,
 * whether there is plenty or scarcity, and the median of the time that one decision takes of one
 * core, in µs. With --admit first it is the time of one admission instead: is there room for a
 * start of priority 50? With --growth first it is the exponent with which the time of a decision
 * grows from each N to the next. `bench/decide --once N random|settled plenty|scarcity` decides
 * once, for instructions.sh to count.
 *
 * Hosts of all sizes take turns, a decision each, so that what else goes on on the machine meets
 * them alike, and each finds the caches as another one has left them, as it is when a daemon
 * decides once a second.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/admit.h"
#include "core/decide.h"

#define ROUNDS_MIN   15
#define ROUNDS_MAX   1001
#define ROUNDS_US    1e6 /* about so long for all rounds of one kind of host */
#define SIZES_MAX    16
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

/* What kind of host. */
struct kind {
    bool is_scarce, is_settled;
};

/* A host, and how long it took in each round. */
struct series {
    struct bench bench;
    double us[ROUNDS_MAX];
};

static void measure_once(struct series *series, void (*once)(struct bench *), int round)
{
    struct bench *bench = &series->bench;
    double start;

    memcpy(bench->tracks, bench->before, bench->snapshot.n_vms * sizeof(*bench->tracks));
    start = now_us();
    once(bench);
    series->us[round] = now_us() - start;
}

static void begin(struct series *series, size_t n, struct kind kind)
{
    struct bench *bench = &series->bench;

    *bench = make_bench(n, kind.is_scarce);
    if (kind.is_settled)
        settle(bench);
    memcpy(bench->before, bench->tracks, n * sizeof(*bench->tracks));
    decide_once(bench);
}

/* Returns the number of rounds. */
static int measure(struct series *all, size_t n, void (*once)(struct bench *))
{
    double total = 0;
    int round;

    for (round = 0; round < ROUNDS_MAX && (round < ROUNDS_MIN || total < ROUNDS_US); round++)
        for (size_t i = 0; i < n; i++) {
            measure_once(&all[i], once, round);
            total += all[i].us[round];
        }
    return round;
}

static double median(const double *values, int n)
{
    static double sorted[ROUNDS_MAX];

    memcpy(sorted, values, (size_t)n * sizeof(*sorted));
    qsort(sorted, (size_t)n, sizeof(*sorted), by_value);
    return sorted[n / 2];
}

static void print_kind(struct kind kind)
{
    printf(",%s,%s,", kind.is_settled ? "settled" : "random",
           kind.is_scarce ? "scarcity" : "plenty");
}

static void print_times(const struct series *all, size_t n, struct kind kind, int rounds)
{
    for (size_t i = 0; i < n; i++) {
        printf("%zu", all[i].bench.snapshot.n_vms);
        print_kind(kind);
        printf("%.1f\n", median(all[i].us, rounds));
    }
}

/* The median of what each round says: what slows the machine down for a while slows down both. */
static double growth(const struct series *small, const struct series *large, int rounds)
{
    double vms = (double)large->bench.snapshot.n_vms / (double)small->bench.snapshot.n_vms;
    double exponents[ROUNDS_MAX];

    for (int round = 0; round < rounds; round++)
        exponents[round] = log(large->us[round] / small->us[round]) / log(vms);
    return median(exponents, rounds);
}

static void print_growth(const struct series *all, size_t n, struct kind kind, int rounds)
{
    for (size_t i = 1; i < n; i++) {
        printf("%zu,%zu", all[i - 1].bench.snapshot.n_vms, all[i].bench.snapshot.n_vms);
        print_kind(kind);
        printf("%.2f\n", growth(&all[i - 1], &all[i], rounds));
    }
}

static void run_once(size_t n, bool is_settled, bool is_scarce)
{
    struct bench bench = make_bench(n, is_scarce);

    if (is_settled)
        settle(&bench);
    decide_once(&bench);
    free_bench(&bench);
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

/* The numbers of VMs that were asked for, else the usual ones; returns how many. */
static size_t read_sizes(int argc, char **argv, size_t sizes[SIZES_MAX])
{
    static const size_t usual[] = {10, 100, 1000, 10000, 100000};
    size_t n = 0;

    for (; argc > 0; argc--, argv++) {
        if (n == SIZES_MAX) {
            fprintf(stderr, "bench/decide: at most %d numbers of VMs at a time\n", SIZES_MAX);
            exit(2);
        }
        sizes[n++] = number_of(*argv);
    }
    if (n > 0)
        return n;
    memcpy(sizes, usual, sizeof(usual));
    return sizeof(usual) / sizeof(*usual);
}

int main(int argc, char **argv)
{
    static const struct kind kinds[] = {{false, false}, {false, true}, {true, false}, {true, true}};
    bool is_admission = argc > 1 && strcmp(argv[1], "--admit") == 0;
    bool is_growth = argc > 1 && strcmp(argv[1], "--growth") == 0;
    int first = is_admission || is_growth ? 2 : 1;
    size_t sizes[SIZES_MAX];
    struct series *all;
    size_t n;

    if (argc == 5 && strcmp(argv[1], "--once") == 0) {
        run_once(number_of(argv[2]), strcmp(argv[3], "settled") == 0,
                 strcmp(argv[4], "scarcity") == 0);
        return EXIT_SUCCESS;
    }
    n = read_sizes(argc - first, argv + first, sizes);
    all = room_for(n, sizeof(*all));
    puts(is_growth ? "from,to,start,memory,exponent" : "vms,start,memory,median_us");
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
        int rounds;

        for (size_t i = 0; i < n; i++)
            begin(&all[i], sizes[i], kinds[k]);
        rounds = measure(all, n, is_admission ? admit_once : decide_once);
        (is_growth ? print_growth : print_times)(all, n, kinds[k], rounds);
        fflush(stdout);
        for (size_t i = 0; i < n; i++)
            free_bench(&all[i].bench);
    }
    free(all);
    return EXIT_SUCCESS;
}
