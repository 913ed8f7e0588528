/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hv/sim/demand.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define CURVE_TEXT_MAX 1024

uint64_t sim_random(uint64_t seed, uint64_t index)
{
    uint64_t x = seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

void curve_fini(struct curve *curve)
{
    free(curve->points);
    *curve = (struct curve){0};
}

void curve_copy(const struct curve *curve, struct curve *out)
{
    *out = *curve;
    out->room = curve->n_points;
    out->points = NULL;
    if (curve->n_points == 0)
        return;
    out->points = malloc(curve->n_points * sizeof(*out->points));
    invariant(out->points);
    memcpy(out->points, curve->points, curve->n_points * sizeof(*out->points));
}

int curve_add(struct curve *curve, int64_t ms, struct kib need, struct err *err)
{
    if (curve->n_points > 0 && ms <= curve->points[curve->n_points - 1].ms)
        return err_set(err, ERR_INVALID, "a demand's points must go forward in time");
    if (curve->n_points == curve->room) {
        curve->room = curve->room ? curve->room * 2 : 8;
        curve->points = realloc(curve->points, curve->room * sizeof(*curve->points));
        invariant(curve->points);
    }
    curve->points[curve->n_points++] = (struct curve_point){ms, need};
    return 0;
}

/* The beginning has no unit. */
static int parse_time(const char *text, int64_t *out, struct err *err)
{
    if (strcmp(text, "0") == 0 || strcmp(text, "0s") == 0) {
        *out = 0;
        return 0;
    }
    return duration_parse(text, out, err);
}

/* "60s:2g" */
static int parse_point(char *word, struct curve *curve, struct err *err)
{
    char *colon = strchr(word, ':');
    struct kib need;
    int64_t ms;

    if (!colon)
        return err_set(err, ERR_INVALID, "'%.40s' is not a point TIME:SIZE, such as 60s:2g", word);
    *colon = '\0';
    if (parse_time(word, &ms, err) || kib_parse(colon + 1, &need, err))
        return -1;
    return curve_add(curve, ms, need, err);
}

/* Words up to the end, or up to "every PERIOD" there. */
static int parse_points(char **rest, struct curve *curve, struct err *err)
{
    char *word;

    while ((word = strtok_r(NULL, " \t", rest))) {
        struct kib need;

        if (strcmp(word, "every") == 0) {
            char *period = strtok_r(NULL, " \t", rest);

            if (!period || duration_parse(period, &curve->every_ms, err))
                return period ? -1 : err_set(err, ERR_INVALID, "'every' without a period");
            if (strtok_r(NULL, " \t", rest))
                return err_set(err, ERR_INVALID, "words behind 'every %.40s'", period);
            return 0;
        }
        if (curve->kind != CURVE_SINE && parse_point(word, curve, err))
            return -1;
        if (curve->kind == CURVE_SINE &&
            (kib_parse(word, &need, err) || curve_add(curve, (int64_t)curve->n_points, need, err)))
            return -1;
    }
    return 0;
}

static int check_curve(const struct curve *curve, struct err *err)
{
    if (curve->kind == CURVE_SINE && (curve->n_points != 2 || curve->every_ms == 0))
        return err_set(err, ERR_INVALID, "a sine is written 'sine LOW HIGH every PERIOD'");
    if (curve->n_points == 0)
        return err_set(err, ERR_INVALID, "a demand without points TIME:SIZE");
    if (curve->kind != CURVE_SINE && curve->every_ms > 0 &&
        curve->points[curve->n_points - 1].ms >= curve->every_ms)
        return err_set(err, ERR_INVALID, "a demand's last point is not within its period");
    return 0;
}

static int parse_words(char *text, struct curve *curve, struct err *err)
{
    char *rest = NULL;
    char *word = strtok_r(text, " \t", &rest);

    if (word && strcmp(word, "step") == 0)
        curve->kind = CURVE_STEP;
    else if (word && strcmp(word, "ramp") == 0)
        curve->kind = CURVE_RAMP;
    else if (word && strcmp(word, "sine") == 0)
        curve->kind = CURVE_SINE;
    else
        return err_set(err, ERR_INVALID,
                       "demand '%.40s' is neither a size nor begins with step, ramp or sine",
                       word ? word : "");
    if (parse_points(&rest, curve, err))
        return -1;
    return check_curve(curve, err);
}

int curve_parse(const char *text, struct curve *out, struct err *err)
{
    struct curve curve = {.kind = CURVE_STEP};
    char words[CURVE_TEXT_MAX];
    struct kib constant;

    if (strlen(text) >= sizeof(words))
        return err_set(err, ERR_INVALID, "a demand of more than %d bytes", CURVE_TEXT_MAX - 1);
    if (kib_parse(text, &constant, NULL) == 0) {
        (void)curve_add(&curve, 0, constant, NULL);
        *out = curve;
        return 0;
    }
    strcpy(words, text);
    if (parse_words(words, &curve, err)) {
        curve_fini(&curve);
        return -1;
    }
    *out = curve;
    return 0;
}

/* Half a wave in thousandths, rising from 0 to 1000 and falling back, as phase goes from 0 to 1000
 * thousandths: (1 − cos) ÷ 2 by Bhaskara's approximation of the sine, exact at the ends. */
static int64_t wave(int64_t phase)
{
    int64_t half = phase < 500 ? phase : 1000 - phase;  /* 0 … 500 */
    int64_t x = half < 250 ? 250 - half : half - 250;   /* distance from the middle, 0 … 250 */
    int64_t product = x * (500 - x);                    /* 0 … 62500 */
    int64_t sine = 4000 * product / (312500 - product); /* of a quarter turn; 0 … 1000 */

    return half < 250 ? (1000 - sine) / 2 : (1000 + sine) / 2;
}

/* The last point at or before ms; the first where all are later. */
static size_t point_before(const struct curve *curve, int64_t ms)
{
    size_t low = 0, high = curve->n_points;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (curve->points[middle].ms <= ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static struct kib between(const struct curve_point *a, const struct curve_point *b, int64_t ms)
{
    return kib_add(a->need, kib_scale(kib_sub(b->need, a->need), ms - a->ms, b->ms - a->ms));
}

struct kib curve_at(const struct curve *curve, int64_t ms)
{
    const struct curve_point *points = curve->points;
    size_t at;

    if (curve->n_points == 0)
        return kib(0);
    if (curve->every_ms > 0)
        ms %= curve->every_ms;
    if (curve->kind == CURVE_SINE)
        return kib_add(points[0].need, kib_scale(kib_sub(points[1].need, points[0].need),
                                                 wave(ms * 1000 / curve->every_ms), 1000));
    at = point_before(curve, ms);
    if (curve->kind == CURVE_STEP || at + 1 == curve->n_points || ms < points[at].ms)
        return points[at].need;
    return between(&points[at], &points[at + 1], ms);
}
