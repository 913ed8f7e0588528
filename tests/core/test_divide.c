/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dividing granules: all of them, fairly, and with nobody losing by there being more. */
#include <string.h>

#include "core/divide.h"
#include "tests/core/suite.h"

#define PARTS 40

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint64_t total_of(const struct part *parts, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += parts[i].given;
    return sum;
}

static size_t random_parts(uint64_t *state, struct part *parts, uint64_t *most)
{
    size_t n = 1 + next_random(state) % PARTS;
    uint32_t limit = 1u << next_random(state) % 30;

    *most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t ask = 1 + (uint32_t)(next_random(state) % limit);

        parts[i] = (struct part){.weight = ask, .most = ask};
        if (next_random(state) % 2)
            parts[i].weight = 1 + (uint32_t)(next_random(state) % 101);
        *most += ask;
    }
    return n;
}

START_TEST(all_is_given_and_nobody_gets_more_than_it_can_take)
{
    uint64_t state = 1;

    for (int i = 0; i < 20000; i++) {
        struct part parts[PARTS];
        uint64_t most;
        size_t n = random_parts(&state, parts, &most);
        uint64_t granules = next_random(&state) % (most + most / 4 + 1);

        divide(parts, n, granules);
        ck_assert_uint_eq(total_of(parts, n), granules < most ? granules : most);
        for (size_t k = 0; k < n; k++)
            ck_assert_uint_le(parts[k].given, parts[k].most);
    }
}
END_TEST

START_TEST(one_more_granule_never_means_less_for_anybody)
{
    uint64_t state = 2;

    for (int i = 0; i < 5000; i++) {
        struct part parts[PARTS], more[PARTS];
        uint64_t most;
        size_t n = random_parts(&state, parts, &most);
        uint64_t granules = next_random(&state) % most;

        memcpy(more, parts, sizeof(parts));
        divide(parts, n, granules);
        divide(more, n, granules + 1);
        for (size_t k = 0; k < n; k++)
            ck_assert_uint_ge(more[k].given, parts[k].given);
    }
}
END_TEST

START_TEST(more_weight_never_means_less_for_its_owner)
{
    uint64_t state = 3;

    for (int i = 0; i < 5000; i++) {
        struct part parts[PARTS], more[PARTS];
        uint64_t most;
        size_t n = random_parts(&state, parts, &most);
        uint64_t granules = next_random(&state) % most;
        size_t one = next_random(&state) % n;

        memcpy(more, parts, sizeof(parts));
        more[one].weight += 1 + (uint32_t)(next_random(&state) % 50);
        divide(parts, n, granules);
        divide(more, n, granules);
        ck_assert_uint_ge(more[one].given, parts[one].given);
    }
}
END_TEST

START_TEST(equals_differ_by_at_most_one)
{
    uint64_t state = 4;

    for (int i = 0; i < 5000; i++) {
        struct part parts[PARTS];
        uint64_t most;
        size_t n = random_parts(&state, parts, &most);

        for (size_t k = 1; k < n; k += 2)
            parts[k] = parts[k - 1];
        divide(parts, n, next_random(&state) % (most + 1));
        for (size_t k = 1; k < n; k += 2) {
            ck_assert_uint_le(parts[k].given, parts[k - 1].given);
            ck_assert_uint_ge(parts[k].given + 1, parts[k - 1].given);
        }
    }
}
END_TEST

START_TEST(fractions_are_the_same_to_within_a_granule)
{
    struct part parts[101];

    for (int i = 0; i < 100; i++)
        parts[i] = (struct part){.weight = 1, .most = 1};
    parts[100] = (struct part){.weight = 1000, .most = 1000};
    divide(parts, 101, 550);
    ck_assert_uint_eq(parts[100].given, 500);
    ck_assert_uint_eq(total_of(parts, 100), 50);
}
END_TEST

START_TEST(the_largest_numbers_divide_too)
{
    struct part parts[3] = {{.weight = 1u << 29, .most = 1u << 29},
                            {.weight = 1u << 29, .most = 1u << 29},
                            {.weight = 1, .most = 1}};
    struct part by_weight[2] = {{.weight = 1, .most = 1u << 29}, {.weight = 101, .most = 1u << 29}};

    divide(parts, 3, (UINT64_C(1) << 30) - 1);
    ck_assert_uint_eq(total_of(parts, 3), (UINT64_C(1) << 30) - 1);
    divide(by_weight, 2, 1020);
    ck_assert_uint_eq(by_weight[0].given, 10);
    ck_assert_uint_eq(by_weight[1].given, 1010);
}
END_TEST

START_TEST(nothing_among_nobody)
{
    struct part one = {.weight = 5, .most = 0};

    divide(NULL, 0, 0);
    divide(NULL, 0, 10);
    divide(&one, 1, 10);
    ck_assert_uint_eq(one.given, 0);
}
END_TEST

int main(void)
{
    return suite_run("divide", (const TTest *const[]){
                                   all_is_given_and_nobody_gets_more_than_it_can_take,
                                   one_more_granule_never_means_less_for_anybody,
                                   more_weight_never_means_less_for_its_owner,
                                   equals_differ_by_at_most_one,
                                   fractions_are_the_same_to_within_a_granule,
                                   the_largest_numbers_divide_too,
                                   nothing_among_nobody,
                                   NULL,
                               });
}
