/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/replay_command.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "sim/progress.h"
#include "sim/replay.h"
#include "sim/replay_output.h"
#include "sim/replay_page.h"

struct command {
    struct replay_options options;
    bool asked[REPLAY_POLICY_COUNT];
    bool json;
    const char *report, *trace;
};

/* A decimal number > 0 with at most three decimals. */
static int parse_density(const char *text, int32_t *out, struct err *err)
{
    size_t whole = strspn(text, "0123456789");
    size_t part = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
    size_t length = whole + (part > 0 ? part + 1 : 0);
    int64_t value = 0;

    if (whole == 0 || whole > 4 || part > 3 || text[length] != '\0')
        return err_set(err, ERR_INVALID, "'%.40s' is no number like 1.5", text);
    for (size_t i = 0; i < whole; i++)
        value = value * 10 + (text[i] - '0');
    for (size_t i = 0; i < 3; i++)
        value = value * 10 + (i < part ? text[whole + 1 + i] - '0' : 0);
    if (value < 100 || value > 1000000)
        return err_set(err, ERR_INVALID, "'%.40s' is not within 0.1 and 1000", text);
    *out = (int32_t)value;
    return 0;
}

static int parse_policies(const char *text, bool asked[], struct err *err)
{
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        int found = -1;

        for (int i = 0; i < REPLAY_POLICY_COUNT; i++)
            if (strlen(replay_policy_names[i]) == length &&
                strncmp(at, replay_policy_names[i], length) == 0)
                found = i;
        if (found < 0)
            return err_set(err, ERR_INVALID, "'%.*s' is none of xenmem, static, proportional",
                           (int)length, at);
        asked[found] = true;
        at += length;
        if (*at == '\0')
            return 0;
    }
}

static int parse_choice(const char *text, const char *const choices[], struct err *err)
{
    for (int i = 0; choices[i]; i++)
        if (strcmp(text, choices[i]) == 0)
            return i;
    err_set(err, ERR_INVALID, "'%.40s' is neither %s nor %s", text, choices[0], choices[1]);
    return -1;
}

/* KEY=VALUE, as in the configuration's [host]. */
static int parse_setting(const char *text, struct setting_partial *out, struct err *err)
{
    const char *value = strchr(text, '=');
    char name[32];
    int64_t number;
    int key;

    snprintf(name, sizeof(name), "%.*s", (int)(value ? value - text : 0), text);
    key = setting_find(host_setting_defs, HOST_KEY_COUNT, name);
    if (key < 0)
        return err_set(err, ERR_INVALID,
                       "'%.60s' is no setting of [host] and its value, like "
                       "surplus=hold",
                       text);
    if (setting_parse(&host_setting_defs[key], value + 1, &number, err))
        return -1;
    setting_put(out, (unsigned)key, number);
    return 0;
}

int replay_parse_format(const char *text, bool *is_json, struct err *err)
{
    static const char *const formats[] = {"table", "json", NULL};
    int choice = parse_choice(text, formats, err);

    *is_json = choice == 1;
    return choice < 0 ? -1 : 0;
}

static int take_option(int option, const char *text, struct command *command, struct err *err)
{
    static const char *const lines[] = {"step", "linear", NULL};
    struct replay_options *options = &command->options;
    int64_t value = 0;
    int rc = 0;

    switch (option) {
    case 'd':
        return parse_density(text, &options->density_permille, err);
    case 'g':
        rc = integer_parse(text, 0, 1000000, &value, err);
        options->group = (int32_t)value;
        return rc;
    case 'p':
        return parse_policies(text, command->asked, err);
    case 'r':
        rc = integer_parse(text, 1, 1000000, &value, err);
        options->rate_mib = (int32_t)value;
        return rc;
    case 'i':
        rc = parse_choice(text, lines, err);
        options->linear = rc == 1;
        return rc < 0 ? -1 : 0;
    case 'f':
        return replay_parse_format(text, &command->json, err);
    case 's':
        return parse_setting(text, &options->settings, err);
    default:
        command->report = text;
        return 0;
    }
}

static int parse_options(int argc, char **argv, struct command *command, struct err *err)
{
    static const struct option options[] = {{"density", required_argument, NULL, 'd'},
                                            {"group", required_argument, NULL, 'g'},
                                            {"policy", required_argument, NULL, 'p'},
                                            {"rate", required_argument, NULL, 'r'},
                                            {"interpolate", required_argument, NULL, 'i'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"host", required_argument, NULL, 's'},
                                            {"report", required_argument, NULL, 'o'},
                                            {NULL, 0, NULL, 0}};
    bool any = false;
    int option, index;

    while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
        if (option == '?')
            return 1;
        if (take_option(option, optarg, command, err))
            return err_wrap(err, "--%s", options[index].name);
    }
    if (argc - optind != 1)
        return err_set(err, ERR_INVALID, "replay wants one trace; see 'xenmem-sim --help'");
    command->trace = argv[optind];
    for (int i = 0; i < REPLAY_POLICY_COUNT; i++)
        any |= command->asked[i];
    for (int i = 0; i < REPLAY_POLICY_COUNT; i++)
        command->asked[i] |= !any;
    return 0;
}

static int run_all(const struct command *command, const struct samples *samples,
                   struct replay_result results[], int *n, struct err *err)
{
    struct progress progress = progress_begin(0);
    int rc = 0;

    for (int i = 0; i < REPLAY_POLICY_COUNT; i++)
        progress.n_parts += command->asked[i];
    for (int i = 0; i < REPLAY_POLICY_COUNT && rc == 0; i++) {
        if (!command->asked[i])
            continue;
        rc = replay_run(samples, &command->options, (enum replay_policy)i, progress_show, &progress,
                        &results[*n], err);
        *n += rc == 0;
        progress.part++;
    }
    progress_end(&progress);
    return rc;
}

static int write_page(const struct command *command, const struct samples *samples,
                      const struct replay_result results[], int n, struct err *err)
{
    const struct replay_options *options = &command->options;
    char about[160], hosts[60] = "all on one host";
    const struct replay_page page = {command->report, "Replay", about, samples, results, n};

    if (options->group > 0)
        snprintf(hosts, sizeof(hosts), "about %d VMs a host", options->group);
    snprintf(about, sizeof(about), "Density %g, %s, balloons %d MiB/s, need %s between samples.",
             options->density_permille / 1000.0, hosts, options->rate_mib,
             options->linear ? "on a line" : "held");
    return replay_write_page(&page, err);
}

int replay_command(int argc, char **argv, struct err *err)
{
    struct command command = {.options = {.density_permille = 1500, .rate_mib = 16}};
    struct replay_result results[REPLAY_POLICY_COUNT];
    struct samples samples;
    int n = 0;
    int rc = parse_options(argc, argv, &command, err);

    if (rc)
        return rc;
    if (samples_read(command.trace, &samples, err))
        return -1;
    rc = run_all(&command, &samples, results, &n, err);
    if (rc == 0 && command.report)
        rc = write_page(&command, &samples, results, n, err);
    if (rc == 0 && command.json)
        rc = replay_print_json(&command.options, results, n, err);
    else if (rc == 0)
        rc = replay_print_table(&samples, &command.options, results, n, err);
    for (int i = 0; i < n; i++)
        replay_result_fini(&results[i]);
    samples_fini(&samples);
    return rc;
}
